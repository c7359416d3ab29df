"""What was measured, before anything befell it: physical meters and batteries."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

import numpy as np

from .balance import battery_days, run_battery, surplus_and_deficit
from .climate import Window
from .effects import Effect
from .hashing import Floats, seed_of, seeds_of, uniform
from .local_time import QUARTER, bins, local_start, walls
from .meters import SimulatedMeter, apply_rules, measure

CHARGED: Final = ":charged"
"""After the id of a battery, the key of the row with what it took."""
DISCHARGED: Final = ":discharged"


class Site(Protocol):
    """What the model must know of a site."""

    meters: list[SimulatedMeter]
    effects: list[Effect]
    time_zone: str
    seed: int
    night_dust: float


def original(
    site: Site, meters: list[SimulatedMeter], first: int, last: int
) -> dict[str, Floats]:
    """Return what was measured, rules not yet applied, before any effect."""
    batteries = [meter for meter in meters if meter.mode == "battery"]
    low, high = first, last
    if batteries:
        low, high = battery_days(low, high)
    if any(meter.daily for meter in meters):
        low, high = _local_days(low, high, site.time_zone)
        if batteries:
            low, high = battery_days(low, high)
    window = Window(low, high, site.time_zone, site.seed)
    rows = measure(meters, window, site.seed)
    for meter in meters:
        if meter.daily and meter.id in rows:
            rows[meter.id] = _spread_over_days(rows[meter.id], window)
        if site.night_dust and meter.mode == "production":
            rows[meter.id] = rows[meter.id] - _dust(site, meter, window)
    if batteries:
        _add_batteries(meters, batteries, rows, window)
    return {key: row[first - low : last - low] for key, row in rows.items()}


def _add_batteries(
    meters: Sequence[SimulatedMeter],
    batteries: Sequence[SimulatedMeter],
    rows: dict[str, Floats],
    window: Window,
) -> None:
    complete = dict(rows)
    apply_rules(meters, complete)
    sums = {"consumption": np.zeros(len(window)), "production": np.zeros(len(window))}
    for meter in meters:
        if meter.type == "electricity" and meter.has_column and meter.is_measuring:
            side = "production" if meter.mode == "production" else "consumption"
            sums[side] += complete[meter.id]
    surplus, deficit = surplus_and_deficit(sums["consumption"], sums["production"])
    for battery in batteries:
        charged, discharged = run_battery(battery, surplus, deficit)
        rows[battery.id + CHARGED] = charged
        rows[battery.id + DISCHARGED] = discharged
        surplus, deficit = surplus - charged, deficit - discharged


def _local_days(first: int, last: int, zone: str) -> tuple[int, int]:
    """Return the quarters widened to whole local days."""

    def day(quarter: int) -> date:
        wall = int(walls(np.array([quarter], dtype=np.int64), zone)[0])
        return datetime.fromtimestamp(wall, UTC).date()

    after = day(max(last - 1, first)) + timedelta(days=1)
    return local_start(day(first), zone) // QUARTER, local_start(after, zone) // QUARTER


def _spread_over_days(row: Floats, window: Window) -> Floats:
    begins, _ = bins(window.quarters, "D", window.zone)
    counts = np.diff(begins, append=len(row))
    return np.repeat(np.add.reduceat(row, begins) / counts, counts)


def _dust(site: Site, meter: SimulatedMeter, window: Window) -> Floats:
    """Return what a balance over coarse registers takes off a plant at night."""
    seeds = seeds_of([seed_of(site.seed, meter.id, "dust")])
    chance = uniform(seeds, window.quarters, 1)[0]
    size = np.ceil(uniform(seeds, window.quarters, 2)[0] * site.night_dust * 100) / 100
    return np.where((window.sunshine <= 0.0) & (chance < 0.7), size, 0.0)
