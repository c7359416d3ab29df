"""The meters that ready-made sites are put together from."""

from collections.abc import Iterator
from itertools import count
from typing import Final

from .hashing import seed_of
from .meters import SimulatedMeter

FLATS: Final = ("1.1", "1.2", "2.1", "2.2", "3.1", "3.2")

_MEDIA: Final = {
    "heating": ("Chauffage", "Heizung", 3600.0),
    "cooling": ("Rafraîchissement", "Kühlung", 350.0),
    "cold_water": ("Eau froide", "Kaltwasser", 52.0),
    "hot_water": ("Eau chaude", "Warmwasser", 24.0),
}


def object_id(*parts: object) -> str:
    """Return an id of 24 hexadecimal digits, always the same for the same parts."""
    return f"63d9a1f0{seed_of('id', *parts):016x}"


def introduction(key: str, name: str = "Introduction") -> SimulatedMeter:
    """Return the meter at the grid connection."""
    return SimulatedMeter(
        id=object_id(key, "introduction"), name=name, mode="introduction", prim_ad=10
    )


def plant(
    key: str, peak: float, name: str = "Installation solaire", number: int = 1
) -> SimulatedMeter:
    """Return the meter of a plant of so many kWp."""
    return SimulatedMeter(
        id=object_id(key, "plant", number),
        name=name if number == 1 else f"{name} {number}",
        mode="production",
        prim_ad=100 + number,
        size=peak,
    )


def consumer(
    key: str, prim_ad: int, name: str, profile: str, yearly: float
) -> SimulatedMeter:
    """Return a consumer's electricity meter; `yearly` in kWh."""
    return SimulatedMeter(
        id=object_id(key, prim_ad),
        name=name,
        prim_ad=prim_ad,
        profile=profile,
        size=yearly,
    )


def flats(
    key: str, numbers: tuple[str, ...] = FLATS, *, first: int = 11
) -> Iterator[SimulatedMeter]:
    """Yield the electricity meters of flats."""
    for prim_ad, number in zip(count(first), numbers, strict=False):
        yearly = 1900.0 + seed_of(key, number) % 1100
        yield consumer(key, prim_ad, f"Appartement {number}", "household", yearly)


def numbers(flats: int) -> tuple[str, ...]:
    """Return the numbers of so many flats, four on each floor."""
    return tuple(f"{index // 4 + 1}.{index % 4 + 1}" for index in range(flats))


def flat_meters(
    key: str, kind: str, numbers: tuple[str, ...] = FLATS, *, german: bool = False
) -> Iterator[SimulatedMeter]:
    """Yield a meter of heat, cold or water for each flat."""
    french, german_word, yearly = _MEDIA[kind]
    flat, word = ("Wohnung", german_word) if german else ("Appartement", french)
    for prim_ad, number in zip(count(11), numbers, strict=False):
        size = yearly * (0.7 + seed_of(key, kind, number) % 600 / 1000)
        yield SimulatedMeter(
            id=object_id(key, kind, number),
            name=f"{flat} {number} {word}",
            type=kind,
            prim_ad=prim_ad,
            size=size,
        )


def charge_points(key: str, number: int) -> Iterator[SimulatedMeter]:
    """Yield charge points, and the consumer meter that sees all of them."""
    points = [
        SimulatedMeter(
            id=object_id(key, "charge_point", index),
            name=f"Borne de recharge {index}",
            type="charge_point",
            prim_ad=10 + index,
        )
        for index in range(1, number + 1)
    ]
    yield from points
    yield SimulatedMeter(
        id=object_id(key, "charge_points"),
        name="Bornes de recharge",
        prim_ad=29,
        plus=tuple(point.id for point in points),
    )
