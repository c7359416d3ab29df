"""Ready-made sites; ids are fixed, names are what Swiss sites are called."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from itertools import count

from .environment import SimulatedSensor
from .hashing import seed_of
from .meters import SimulatedMeter
from .publication import Publication
from .site import SimulatedSite

CREATED = datetime(2023, 2, 28, 23, tzinfo=UTC)
"""Midnight of 2023-03-01 in Zurich."""
DAILY = Publication(daily_at=time(6, 10))
"""Heat and water: all of yesterday shortly after six in the morning."""
_FLATS = ("1.1", "1.2", "2.1", "2.2", "3.1", "3.2")


def object_id(*parts: object) -> str:
    """Return an id of 24 hexadecimal digits, always the same for the same parts."""
    return f"63d9a1f0{seed_of('id', *parts):016x}"


def community(
    *,
    created: datetime = CREATED,
    heat: bool = False,
    water: bool = False,
    cooling: bool = False,
    charge_points: int = 0,
    seed: int = 1,
) -> SimulatedSite:
    """Return the demo site: a block of six flats with a plant and a heat pump."""
    key = "community"
    meters = [_introduction(key), _plant(key, 30.0)]
    meters += _flats(key)
    meters += [
        _consumer(key, 17, "Parties communes", "common_parts", 3800.0),
        _consumer(key, 18, "Pompe à chaleur", "heat_pump", 9500.0),
    ]
    publication = {}
    for wanted, kinds in (
        (heat, ("heating",)),
        (cooling, ("cooling",)),
        (water, ("cold_water", "hot_water")),
    ):
        for kind in kinds if wanted else ():
            meters += _flat_meters(key, kind)
            publication[kind] = DAILY
    if charge_points:
        meters += _charge_points(key, charge_points)
    return SimulatedSite(
        id=object_id(key),
        name="Les Tilleuls",
        meters=meters,
        created=created,
        seed=seed,
        publication=publication,
    )


def with_battery(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a house in German-speaking Switzerland with a plant and a battery."""
    key = "battery"
    meters = [
        _introduction(key, "Netzanschluss"),
        _plant(key, 14.0, "Solaranlage"),
        _consumer(key, 11, "Haus", "household", 5600.0),
        _consumer(key, 12, "Wärmepumpe", "heat_pump", 5200.0),
        SimulatedMeter(
            id=object_id(key, "battery"),
            name="Batterie",
            mode="battery",
            prim_ad=201,
            profile="household",
            capacity=6.5,
            power=4.0,
        ),
    ]
    return SimulatedSite(
        id=object_id(key),
        name="Haus am Rebberg",
        meters=meters,
        created=created,
        city="Winterthur",
        postal_code=8400,
        street="Musterweg",
        seed=2,
    )


def apartment(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a community of which a resident's credentials see one flat only."""
    site = community(created=created, seed=3)
    own = site.meter("Appartement 2.1")
    site.id, site.name = object_id("apartment"), "Les Peupliers"
    site.visible = frozenset({own.id})
    return site


def heat_only(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a block of flats of which heat and water alone are metered."""
    key = "heat"
    kinds = ("heating", "cold_water", "hot_water")
    return SimulatedSite(
        id=object_id(key),
        name="Siedlung Lindenhof",
        meters=[
            meter for kind in kinds for meter in _flat_meters(key, kind, "Wohnung")
        ],
        created=created,
        city="Bern",
        postal_code=3000,
        seed=4,
        publication=dict.fromkeys(kinds, DAILY),
    )


def no_pv(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a community without anything that produces."""
    key = "no_pv"
    meters = [_introduction(key), *_flats(key)]
    meters.append(_consumer(key, 17, "Buanderie", "common_parts", 1800.0))
    return SimulatedSite(
        id=object_id(key), name="Rue du Lac", meters=meters, created=created, seed=5
    )


def with_rules(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a site where the common parts are what is left of a general meter."""
    key = "rules"
    general = _consumer(key, 19, "Compteur général", "common_parts", 9000.0)
    pump = _consumer(key, 18, "Pompe à chaleur", "heat_pump", 6000.0)
    general.has_column = False
    general.profile = "heat_pump"
    general.size = 16000.0
    rest = _consumer(key, 17, "Parties communes", "common_parts", 0.0)
    rest.plus, rest.minus = (general.id,), (pump.id,)
    return SimulatedSite(
        id=object_id(key),
        name="Clos du Moulin",
        meters=[
            _introduction(key),
            _plant(key, 20.0),
            *_flats(key),
            general,
            pump,
            rest,
        ],
        created=created,
        seed=6,
    )


def large(meters: int = 40, *, created: datetime = CREATED) -> SimulatedSite:
    """Return a site with so many electricity meters that have columns (>= 4)."""
    key = f"large-{meters}"
    found = [_introduction(key), _plant(key, meters * 2.0), _plant(key, 20.0, number=2)]
    found += [
        _consumer(key, 11, "Parties communes", "common_parts", 6000.0),
        *_flats(key, _numbers(meters - 3), first=12),
    ]
    return SimulatedSite(
        id=object_id(key), name="Quartier des Vignes", meters=found, created=created,
        seed=7,
    )  # fmt: skip


def many(number: int, *, created: datetime = CREATED) -> list[SimulatedSite]:
    """Return so many small sites, as a building manager has them."""
    return [_small(index, created) for index in range(1, number + 1)]


def with_environment_sensors(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a house with environmental sensors."""
    site = _small(0, created)
    site.id, site.name = object_id("environment"), "Maison de la culture"
    kinds = (
        ("temperature", "°C", "Température salle"),
        ("humidity", "%", "Humidité salle"),
        ("co2", "ppm", "CO2 salle"),
        ("pressure", "hPa", "Pression"),
        ("odour", "OU", "Odeurs"),
    )
    site.sensors = [
        SimulatedSensor(id=object_id(site.id, kind), name=name, type=kind, unit=unit)
        for kind, unit, name in kinds
    ]
    return site


def _small(index: int, created: datetime) -> SimulatedSite:
    key = f"small-{index}"
    meters = [_introduction(key), _plant(key, 10.0), *_flats(key, ("1.1", "1.2"))]
    return SimulatedSite(
        id=object_id(key), name=f"Immeuble {index:03d}", meters=meters,
        created=created, seed=1000 + index,
    )  # fmt: skip


def _introduction(key: str, name: str = "Introduction") -> SimulatedMeter:
    return SimulatedMeter(
        id=object_id(key, "introduction"), name=name, mode="introduction", prim_ad=10
    )


def _plant(
    key: str, peak: float, name: str = "Installation solaire", number: int = 1
) -> SimulatedMeter:
    return SimulatedMeter(
        id=object_id(key, "plant", number),
        name=name if number == 1 else f"{name} {number}",
        mode="production",
        prim_ad=100 + number,
        size=peak,
    )


def _consumer(
    key: str, prim_ad: int, name: str, profile: str, yearly: float
) -> SimulatedMeter:
    return SimulatedMeter(
        id=object_id(key, prim_ad), name=name, prim_ad=prim_ad, profile=profile,
        size=yearly,
    )  # fmt: skip


def _flats(
    key: str, numbers: tuple[str, ...] = _FLATS, *, first: int = 11
) -> Iterator[SimulatedMeter]:
    for prim_ad, number in zip(count(first), numbers, strict=False):
        yearly = 1900.0 + seed_of(key, number) % 1100
        yield _consumer(key, prim_ad, f"Appartement {number}", "household", yearly)


def _numbers(flats: int) -> tuple[str, ...]:
    return tuple(f"{index // 4 + 1}.{index % 4 + 1}" for index in range(flats))


def _flat_meters(
    key: str, kind: str, flat: str = "Appartement"
) -> Iterator[SimulatedMeter]:
    words = {
        "heating": ("Chauffage", 3600.0),
        "cooling": ("Rafraîchissement", 350.0),
        "cold_water": ("Eau froide", 52.0),
        "hot_water": ("Eau chaude", 24.0),
    }
    word, yearly = words[kind]
    for prim_ad, number in zip(count(11), _FLATS, strict=False):
        size = yearly * (0.7 + seed_of(key, kind, number) % 600 / 1000)
        yield SimulatedMeter(
            id=object_id(key, kind, number), name=f"{flat} {number} {word}",
            type=kind, prim_ad=prim_ad, size=size,
        )  # fmt: skip


def _charge_points(key: str, number: int) -> Iterator[SimulatedMeter]:
    """Yield charge points, and the consumer meter that sees all of them."""
    points = [
        SimulatedMeter(
            id=object_id(key, "charge_point", index), name=f"Borne de recharge {index}",
            type="charge_point", prim_ad=10 + index,
        )
        for index in range(1, number + 1)
    ]  # fmt: skip
    yield from points
    yield SimulatedMeter(
        id=object_id(key, "charge_points"), name="Bornes de recharge",
        prim_ad=29, plus=tuple(point.id for point in points),
    )  # fmt: skip
