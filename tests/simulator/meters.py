"""Descriptions of simulated meters, and what they measured before anything befell it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from .climate import Window
from .hashing import Floats, seed_of, seeds_of, uniform
from .local_time import QUARTER
from .profiles import PROFILES

ROUNDING_STREAM: Final = 9
_PROFILE_OF_TYPE: Final = {
    "heating": "room_heat",
    "cooling": "room_cold",
    "cold_water": "water",
    "hot_water": "water",
    "charge_point": "charge_point",
}
_SIZE_OF_PROFILE: Final = {
    "household": 2700.0,
    "common_parts": 3800.0,
    "heat_pump": 11000.0,
    "charge_point": 2000.0,
    "solar_plant": 30.0,
    "room_heat": 4200.0,
    "room_cold": 400.0,
    "water": 40.0,
}


@dataclass(kw_only=True)
class SimulatedMeter:
    """One meter of a site; fields may be changed at run time."""

    id: str
    name: str | None
    type: str = "electricity"
    mode: str = "consumption"
    prim_ad: int = 11
    profile: str = ""
    """A name in PROFILES; by default what fits type and mode."""
    size: float = 0.0
    """Per year in kWh or m³, for a plant in kWp; 0 is usual for the profile."""
    resolution: float = 0.001
    """The step of the meter's register in kWh or m³."""
    plus: Sequence[str] = ()
    """For a rule meter: the ids of meters that are added up ..."""
    minus: Sequence[str] = ()
    """... and of those that are taken off."""
    behind: Sequence[str] = ()
    """The ids of meters that sit behind it, whose energy it counts too."""
    has_column: bool = True
    """Whether site_data carries it and counts it: not so the meter before a rule."""
    differential: bool = False
    """Whether its raw readings are amounts per interval (a grid operator's meter)."""
    daily: bool = False
    """Whether it is read once a day, so that its quarter hours are all alike."""
    installed: datetime | None = None
    removed: datetime | None = None
    """Before and after these aware moments it measures nothing (0)."""
    capacity: float = 15.0
    """For a battery: kWh that it takes."""
    power: float = 5.0
    """For a battery: kW that it charges or discharges with."""
    seed: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.profile:
            usual = "solar_plant" if self.mode == "production" else "household"
            self.profile = _PROFILE_OF_TYPE.get(self.type, usual)
        if not self.size:
            self.size = _SIZE_OF_PROFILE[self.profile]

    @property
    def is_rule_meter(self) -> bool:
        """Return whether it is computed from other meters."""
        return bool(self.plus or self.minus)

    @property
    def is_measuring(self) -> bool:
        """Return whether it has a series that a profile makes."""
        return self.mode not in ("introduction", "battery")

    @property
    def steps(self) -> int:
        """Return how many steps of its register are one kWh or m³."""
        return round(1.0 / self.resolution)

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Return everything that its values depend on."""
        return (
            *(self.id, self.type, self.mode, self.profile, self.size, self.seed),
            *(self.resolution, tuple(self.plus), tuple(self.minus), tuple(self.behind)),
            *(self.has_column,),
            *(self.daily, self.installed, self.removed, self.capacity, self.power),
        )


def measure(
    meters: Sequence[SimulatedMeter], window: Window, site_seed: int
) -> dict[str, Floats]:
    """Return what each measuring physical meter counted per quarter hour.

    Whole steps of the meter's register, of which the fraction left over is made up
    for by chance, so that sums stay true.
    """
    physical = [m for m in meters if m.is_measuring and not m.is_rule_meter]
    measured: dict[str, Floats] = {}
    for profile in dict.fromkeys(meter.profile for meter in physical):
        alike = [meter for meter in physical if meter.profile == profile]
        seeds = seeds_of([_seed(meter, site_seed) for meter in alike])
        sizes = np.array([[meter.size] for meter in alike])
        steps = np.array([[float(meter.steps)] for meter in alike])
        exact = np.maximum(PROFILES[profile](window, seeds, sizes), 0.0)
        chance = uniform(seeds, window.quarters, ROUNDING_STREAM)
        counted = np.floor(exact * steps + chance) / steps
        for meter, row in zip(alike, counted, strict=True):
            measured[meter.id] = _while_installed(meter, window, row)
    for meter in physical:
        for other in meter.behind:
            measured[meter.id] = measured[meter.id] + measured[other]
    return measured


def apply_rules(meters: Sequence[SimulatedMeter], rows: dict[str, Floats]) -> None:
    """Add the rows of rule meters, in the order of the list (rules may build on rules)."""
    length = len(next(iter(rows.values()), ()))
    for meter in meters:
        if meter.is_rule_meter:
            total = np.zeros(length)
            for sign, ids in ((1.0, meter.plus), (-1.0, meter.minus)):
                for other in ids:
                    total = total + sign * rows.get(other, 0.0)
            rows[meter.id] = np.round(total, 6)


def _seed(meter: SimulatedMeter, site_seed: int) -> int:
    return seed_of(site_seed, meter.id) if meter.seed is None else meter.seed


def _while_installed(meter: SimulatedMeter, window: Window, row: Floats) -> Floats:
    if meter.installed is not None:
        row = np.where(
            window.quarters * QUARTER < meter.installed.timestamp(), 0.0, row
        )
    if meter.removed is not None:
        row = np.where(window.quarters * QUARTER >= meter.removed.timestamp(), 0.0, row)
    return row
