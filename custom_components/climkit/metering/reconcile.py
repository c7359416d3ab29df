"""Statistics held against what came: which rows differ, and how their sums go on.

Pure functions over aware UTC times and energies in kWh (or volumes in m³).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sqrt
from typing import Final

from .hours import HOUR, QUARTER, HourlyAmounts, hour_of

TAIL: Final = 8
"""So many of a statistic's newest rows tell which of the last hours have none. An hour
that waits for a quarter has six later ones at most: then it waits no longer (GRACE)."""

EXACT: Final = 1e-6
"""Below this, two amounts of the same resolution are the same (kWh or m³)."""

ROUNDING: Final = 0.0005
"""The most by which one row of the cloud, rounded to three decimals, can be off."""

HOUR_ROUNDING: Final = 5 * ROUNDING + EXACT
"""The most by which an hour's row can differ from the sum of its four quarters' rows."""


@dataclass(frozen=True, slots=True)
class StatisticRow:
    """One row of a long-term statistic."""

    start: datetime
    """Start of the hour, in UTC."""
    state: float
    """What flowed in that hour."""
    sum: float
    """What has flowed since the first row, that hour included."""


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """What a statistic has in a window of time."""

    base: float
    """The sum before the window."""
    rows: Sequence[StatisticRow]
    """The rows of the window, oldest first."""


def reconcile(
    stored: StoredWindow, hours: HourlyAmounts, tolerance: float = EXACT
) -> list[StatisticRow]:
    """Return the rows by which what is stored must change to hold `hours` too.

    Rows come oldest first, with the sum going on from `stored.base`; a row that is
    right as it stands is not among them. A complete hour replaces what is stored
    if it differs by more than `tolerance`; a partial one only fills a hole. What is
    stored and not among `hours` stays: the cloud may forget, we do not.
    """
    known = {row.start: row for row in stored.rows}
    amounts = {start: row.state for start, row in known.items()}
    for hour, amount in hours.partial.items():
        amounts.setdefault(hour, amount)
    for hour, amount in hours.complete.items():
        if abs(amounts.get(hour, float("inf")) - amount) > tolerance:
            amounts[hour] = amount
    changed = []
    total = stored.base
    for hour in sorted(amounts):
        total += amounts[hour]
        row = known.get(hour)
        if (
            row is None
            or abs(row.sum - total) > EXACT
            or abs(row.state - amounts[hour]) > EXACT
        ):
            changed.append(StatisticRow(hour, amounts[hour], total))
    return changed


def total_at_live_edge(
    tail: Sequence[StatisticRow], quarters: Mapping[datetime, float]
) -> float | None:
    """Return the running total: the newest row's sum, and the quarters that no row has.

    `tail` has the newest TAIL rows, oldest first. Quarters without a row are later than
    all rows, or of an hour that waits for another quarter while a later hour has its row.
    None when nothing was ever measured.
    """
    if not tail:
        return sum(quarters.values()) if quarters else None
    stored = {row.start for row in tail}
    whole = len(tail) < TAIL  # all the rows there are
    since = datetime.min.replace(tzinfo=UTC) if whole else tail[0].start + HOUR
    return tail[-1].sum + sum(
        amount
        for start, amount in quarters.items()
        if start >= since and hour_of(start) not in stored
    )


def amounts_between(
    rows: Iterable[StatisticRow], bounds: Sequence[datetime]
) -> dict[datetime, float]:
    """Return what the rows of each period amount to, by the period's start.

    `bounds` delimits the periods, oldest first; rows outside belong to none.
    """
    amounts = dict.fromkeys(bounds[:-1], 0.0)
    periods = iter(pairwise(bounds))
    period = next(periods, None)
    for row in sorted(rows, key=lambda row: row.start):
        while period is not None and row.start >= period[1]:
            period = next(periods, None)
        if period is None:
            break
        if row.start >= period[0]:
            amounts[period[0]] += row.state
    return amounts


def rounding_allowance(length: timedelta) -> float:
    """Return the difference that rounding alone can make over a period, in kWh or m³.

    The period's own row is off by at most 0.0005; every quarter hour that was summed
    may be off by as much, evenly distributed (standard deviation 0.0005 / √3). Six
    standard deviations of their sum: one false alarm in five hundred million.
    """
    quarters = length / QUARTER
    return ROUNDING + 6 * ROUNDING / sqrt(3) * sqrt(quarters) + EXACT
