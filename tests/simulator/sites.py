"""Ready-made sites; ids are fixed, names are what Swiss sites are called."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from .building import (
    charge_points as charge_point_meters,
    consumer,
    flat_meters,
    flats,
    introduction,
    numbers,
    object_id,
    plant,
)
from .environment import SimulatedSensor
from .meters import SimulatedMeter
from .publication import Publication
from .site import SimulatedSite

CREATED = datetime(2023, 2, 28, 23, tzinfo=UTC)
"""Midnight of 2023-03-01 in Zurich."""
DAILY = Publication(daily_at=time(6, 10))
"""Heat and water: all of yesterday shortly after six in the morning."""


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
    meters = [introduction(key), plant(key, 30.0)]
    meters += flats(key)
    meters += [
        consumer(key, 17, "Parties communes", "common_parts", 3800.0),
        consumer(key, 18, "Pompe à chaleur", "heat_pump", 9500.0),
    ]
    publication = {}
    for wanted, kinds in (
        (heat, ("heating",)),
        (cooling, ("cooling",)),
        (water, ("cold_water", "hot_water")),
    ):
        for kind in kinds if wanted else ():
            meters += flat_meters(key, kind)
            publication[kind] = DAILY
    if charge_points:
        meters += charge_point_meters(key, charge_points)
    return SimulatedSite(
        id=object_id(key),
        name="Les Tilleuls",
        meters=meters,
        created=created,
        seed=seed,
        publication=publication,
    )


def showcase(*, created: datetime | None = None) -> SimulatedSite:
    """Return the demo's site: three flats, and one of everything that can be metered.

    Its history is two years and up to three months long.
    """
    key, numbers = "showcase", ("1.1", "2.1", "3.1")
    site = SimulatedSite(
        id=object_id(key),
        name="Les Marronniers",
        meters=[
            introduction(key),
            plant(key, 20.0),
            _battery(key, "Batterie", capacity=12.0, power=6.0),
            *flats(key, numbers),
            consumer(key, 17, "Parties communes", "common_parts", 2400.0),
            consumer(key, 18, "Pompe à chaleur", "heat_pump", 6500.0),
            *charge_point_meters(key, 2),
            *flat_meters(key, "cold_water", numbers),
            *flat_meters(key, "hot_water", numbers),
        ],
        created=created or _two_years_ago(),
        seed=8,
        publication={"cold_water": DAILY, "hot_water": DAILY},
    )
    site.sensors = _sensors(
        site.id,
        ("temperature", "°C", "Température chaufferie"),
        ("humidity", "%", "Humidité cave"),
        ("co2", "ppm", "CO2 salle commune"),
    )
    return site


def with_battery(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a house in German-speaking Switzerland with a plant and a battery."""
    key = "battery"
    meters = [
        introduction(key, "Netzanschluss"),
        plant(key, 14.0, "Solaranlage"),
        consumer(key, 11, "Haus", "household", 5600.0),
        consumer(key, 12, "Wärmepumpe", "heat_pump", 5200.0),
        _battery(key, "Batterie", capacity=6.5, power=4.0),
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
            meter for kind in kinds for meter in flat_meters(key, kind, german=True)
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
    meters = [introduction(key), *flats(key)]
    meters.append(consumer(key, 17, "Buanderie", "common_parts", 1800.0))
    return SimulatedSite(
        id=object_id(key), name="Rue du Lac", meters=meters, created=created, seed=5
    )


def with_rules(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a site where the common parts are what is left of a general meter."""
    key = "rules"
    pump = consumer(key, 18, "Pompe à chaleur", "heat_pump", 6000.0)
    general = consumer(key, 19, "Compteur général", "common_parts", 3800.0)
    general.behind, general.has_column = (pump.id,), False
    rest = consumer(key, 17, "Parties communes", "common_parts", 3800.0)
    rest.plus, rest.minus = (general.id,), (pump.id,)
    return SimulatedSite(
        id=object_id(key),
        name="Clos du Moulin",
        meters=[
            introduction(key),
            plant(key, 20.0),
            *flats(key),
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
    found = [introduction(key), plant(key, meters * 2.0), plant(key, 20.0, number=2)]
    found += [
        consumer(key, 11, "Parties communes", "common_parts", 6000.0),
        *flats(key, numbers(meters - 3), first=12),
    ]
    return SimulatedSite(
        id=object_id(key),
        name="Quartier des Vignes",
        meters=found,
        created=created,
        seed=7,
    )


def many(number: int, *, created: datetime = CREATED) -> list[SimulatedSite]:
    """Return so many small sites, as a building manager has them."""
    return [_small(index, created) for index in range(1, number + 1)]


def with_few(site: SimulatedSite, *names: str) -> SimulatedSite:
    """Leave a site its connection, its plant, and the meters whose names begin so."""
    few = ("Introduction", "Installation", *names)
    site.meters = [meter for meter in site.meters if str(meter.name).startswith(few)]
    return site


def with_environment_sensors(*, created: datetime = CREATED) -> SimulatedSite:
    """Return a house with environmental sensors."""
    site = _small(0, created)
    site.id, site.name = object_id("environment"), "Maison de la culture"
    site.sensors = _sensors(
        site.id,
        ("temperature", "°C", "Température salle"),
        ("humidity", "%", "Humidité salle"),
        ("co2", "ppm", "CO2 salle"),
        ("pressure", "hPa", "Pression"),
        ("odour", "OU", "Odeurs"),
    )
    return site


def _battery(key: str, name: str, *, capacity: float, power: float) -> SimulatedMeter:
    return SimulatedMeter(
        id=object_id(key, "battery"),
        name=name,
        mode="battery",
        prim_ad=201,
        profile="household",
        capacity=capacity,
        power=power,
    )


def _sensors(site_id: str, *kinds: tuple[str, str, str]) -> list[SimulatedSensor]:
    """Return a sensor of each (type, unit, name)."""
    return [
        SimulatedSensor(id=object_id(site_id, kind), name=name, type=kind, unit=unit)
        for kind, unit, name in kinds
    ]


def _two_years_ago() -> datetime:
    """Return midnight of the first day of this quarter of the year, two years ago."""
    today = datetime.now(ZoneInfo("Europe/Zurich"))
    month = (today.month - 1) // 3 * 3 + 1
    return datetime(today.year - 2, month, 1, tzinfo=today.tzinfo).astimezone(UTC)


def _small(index: int, created: datetime) -> SimulatedSite:
    key = f"small-{index}"
    meters = [introduction(key), plant(key, 10.0), *flats(key, ("1.1", "1.2"))]
    return SimulatedSite(
        id=object_id(key),
        name=f"Immeuble {index:03d}",
        meters=meters,
        created=created,
        seed=1000 + index,
    )
