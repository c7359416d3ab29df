"""What was measured, before anything befell it: physical meters and batteries."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Final, Protocol

import numpy as np

from .balance import battery_days, run_battery, surplus_and_deficit
from .climate import Window
from .effects import Effect
from .hashing import Floats, seed_of, seeds_of, uniform
from .local_time import DAY, QUARTER, bins, local_start, walls
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


_BLOCK: Final = 32 * DAY // QUARTER
"""Quarters that are made, and kept, at once."""


class _Blocks:
    """What was measured, for whoever asks again: it is the same in every window.

    The blocks asked for last are kept, up to so many values; of any site.
    """

    most_values: Final = 3_000_000

    def __init__(self) -> None:
        self._kept: OrderedDict[object, Mapping[str, Floats]] = OrderedDict()
        self._values = 0
        self._lock = Lock()  # the simulator's threads and the tests both ask

    def get(self, key: object) -> Mapping[str, Floats] | None:
        """Return a block, if it is kept."""
        with self._lock:
            if (block := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return block

    def put(self, key: object, block: Mapping[str, Floats]) -> None:
        """Keep a block, and no more than there is room for."""
        for row in block.values():
            row.setflags(write=False)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = block
                self._values += len(block) * _BLOCK
            while self._values > self.most_values:
                _, gone = self._kept.popitem(last=False)
                self._values -= len(gone) * _BLOCK


_BLOCKS: Final = _Blocks()


def original(
    site: Site, meters: list[SimulatedMeter], first: int, last: int
) -> dict[str, Floats]:
    """Return what was measured, rules not yet applied, before any effect: to read only."""
    if first >= last:
        return _made(site, meters, first, last)
    truth = (
        *(site.seed, site.night_dust, site.time_zone),
        *(meter.fingerprint for meter in meters),
    )
    parts: list[dict[str, Floats]] = []
    for number in range(first // _BLOCK, (last - 1) // _BLOCK + 1):
        begin = number * _BLOCK
        if (block := _BLOCKS.get((truth, number))) is None:
            block = _made(site, meters, begin, begin + _BLOCK)
            _BLOCKS.put((truth, number), block)
        part = slice(max(first - begin, 0), last - begin)
        parts.append({key: row[part] for key, row in block.items()})
    if len(parts) == 1:
        return parts[0]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _made(
    site: Site, meters: list[SimulatedMeter], first: int, last: int
) -> dict[str, Floats]:
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
