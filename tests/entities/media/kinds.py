"""A site of each kind: everything that Climkit meters, and what nobody has told of."""

from collections.abc import Callable
from datetime import UTC, datetime
import re

from tests.simulator import SimulatedMeter, SimulatedSite, sites

CREATED = datetime(2026, 6, 14, 22, tzinfo=UTC)
"""Midnight of the day before yesterday in Zurich: recent enough to have no import."""


def all_media() -> SimulatedSite:
    """Return a community that meters one flat's everything."""
    site = sites.community(
        created=CREATED, heat=True, water=True, cooling=True, charge_points=1
    )
    flat = "Appartement 1.1"
    site.meters = [
        meter
        for meter in site.meters
        if meter.mode != "consumption"
        or str(meter.name).startswith((flat, "Borne", "Parties"))
    ]
    return site


def unknown_media() -> SimulatedSite:
    """Return a house with a meter of a type and one of a mode that nobody has told of."""
    site = sites.many(1, created=CREATED)[0]
    site.name = "Neuland"
    site.meters = [
        site.meters[0],
        site.meter("Appartement 1.1"),
        SimulatedMeter(
            id="63d9a1f000000000000000a1",
            name="Blindstrom",
            type="reactive",
            prim_ad=13,
            profile="household",
        ),
        SimulatedMeter(
            id="63d9a1f000000000000000a2", name="Notstrom", mode="backup", prim_ad=14
        ),
    ]
    return site


def nameless() -> SimulatedSite:
    """Return a site as it was described in 2022: without names and modes."""
    return sites.many(1, created=CREATED)[0]


def large() -> SimulatedSite:
    return sites.large(200, created=CREATED)


KINDS: dict[str, Callable[[], SimulatedSite]] = {
    "all media": all_media,
    "battery": lambda: sites.with_battery(created=CREATED),
    "heat only": lambda: one_flat(sites.heat_only(created=CREATED)),
    "no plant": lambda: one_flat(sites.no_pv(created=CREATED)),
    "resident": lambda: sites.apartment(created=CREATED),
    "rules": lambda: one_flat(sites.with_rules(created=CREATED)),
    "environment": lambda: sites.with_environment_sensors(created=CREATED),
    "unknown": unknown_media,
    "nameless": nameless,
}


def one_flat(site: SimulatedSite) -> SimulatedSite:
    """Leave one flat of a site: more would only make the lists longer."""
    others = re.compile(r"(Appartement|Wohnung) (1\.2|[23]\.)")
    site.meters = [meter for meter in site.meters if not others.match(meter.name or "")]
    return site
