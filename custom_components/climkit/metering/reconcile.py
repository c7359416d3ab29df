"""Statistics held against what came: which rows differ, and how their sums go on.

Pure functions over aware UTC times and energies in kWh (or volumes in m³).
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import inf, sqrt
from operator import attrgetter
from typing import Final, NamedTuple

from .hours import BEFORE_ALL, HOUR, QUARTER, HourlyAmounts, hour_of_quarter

TAIL: Final = 8
"""So many of a statistic's newest rows tell which of the last hours have none. An hour
that waits for a quarter has six later ones at most: then it waits no longer (GRACE)."""

EXACT: Final = 1e-6
"""Below this, two amounts of the same resolution are the same (kWh or m³)."""

ROUNDING: Final = 0.0005
"""The most by which one row of the cloud, rounded to three decimals, can be off."""

HOUR_ROUNDING: Final = 5 * ROUNDING + EXACT
"""The most by which an hour's row can differ from the sum of its four quarters' rows."""


class StatisticRow(NamedTuple):
    """One row of a long-term statistic."""

    start: datetime
    """Start of the hour, in UTC."""
    state: float
    """What flowed in that hour."""
    sum: float
    """What has flowed since the first row, that hour included."""


def stored_row(stamp: float, state: float | None, sum_: float | None) -> StatisticRow:
    """Return a row as the database has it: its start is in seconds since 1970."""
    return StatisticRow(_hour_at(stamp), state or 0.0, sum_ or 0.0)


@lru_cache(maxsize=10_000)
def _hour_at(stamp: float) -> datetime:
    """Return an hour. Hundreds of statistics have rows of the same ones."""
    return datetime.fromtimestamp(stamp, UTC)


_START: Final = attrgetter("start")

_MISSING: Final = StatisticRow(BEFORE_ALL, inf, inf)
"""In place of a row that is not there: it differs from every other."""


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """What a statistic has in a window of time."""

    base: float
    """The sum before the window."""
    rows: Sequence[StatisticRow]
    """The rows of the window, oldest first."""

    @property
    def tail(self) -> tuple[StatisticRow, ...]:
        """Return the newest TAIL rows, or none if there are fewer."""
        return tuple(self.rows[-TAIL:]) if len(self.rows) >= TAIL else ()


@dataclass(frozen=True, slots=True)
class Plan:
    """By what a statistic must change; whoever writes does this, all of it or nothing."""

    changed: tuple[StatisticRow, ...] = ()
    """Rows that are missing or wrong, oldest first, as they must become."""
    gone: frozenset[datetime] = frozenset()
    """Hours whose row must not be there any longer."""
    shift: tuple[datetime, float] | None = None
    """From which row behind the window on all sums move, and by how much."""
    revised: frozenset[datetime] = frozenset()
    """Hours of which not only the sum becomes another: what follows from them does too."""

    def __bool__(self) -> bool:
        """Return whether there is anything to write."""
        return any((self.changed, self.gone, self.shift))


def plan(
    stored: StoredWindow,
    following: StatisticRow | None,
    hours: HourlyAmounts,
    tolerance: float = EXACT,
) -> Plan:
    """Return by what a statistic must change to hold `hours` too.

    A complete hour replaces what is stored if it differs by more than `tolerance`; a
    partial one only fills a hole. What is stored and not among `hours` stays: the cloud
    may forget, we do not. `following` is the first row behind the window, if there is
    one: the sums go on from the window's last row to it.
    """
    known = {**hours.partial, **{row.start: row.state for row in stored.rows}}
    for hour, amount in hours.complete.items():
        if abs(known.get(hour, inf) - amount) > tolerance:
            known[hour] = amount
    return _chained(stored, following, known)


def plan_derived(
    stored: StoredWindow,
    following: StatisticRow | None,
    hours: AbstractSet[datetime],
    amounts: Mapping[datetime, float],
) -> Plan:
    """Return by what a statistic must change so that `hours` are as in `amounts`.

    An hour that is not among the amounts has no row then. Other hours stay.
    """
    kept = {row.start: row.state for row in stored.rows if row.start not in hours}
    wanted = {hour: amount for hour, amount in amounts.items() if hour in hours}
    return _chained(stored, following, kept | wanted)


def _chained(
    stored: StoredWindow,
    following: StatisticRow | None,
    amounts: Mapping[datetime, float],
) -> Plan:
    """Return what makes the window's rows these amounts, and all sums go on exactly."""
    known = {row.start: row for row in stored.rows}
    gone = frozenset(known.keys() - amounts.keys())
    changed: list[StatisticRow] = []
    revised = set(gone)
    total = stored.base
    for hour in sorted(amounts):
        amount = amounts[hour]
        total += amount
        row = known.get(hour, _MISSING)
        if abs(row.state - amount) > EXACT:
            revised.add(hour)
        elif abs(row.sum - total) <= EXACT:
            continue
        changed.append(StatisticRow(hour, amount, total))
    return Plan(tuple(changed), gone, _shift(following, total), frozenset(revised))


def _shift(
    following: StatisticRow | None, total: float
) -> tuple[datetime, float] | None:
    """Return from which row on, and by how much, sums move that follow a total."""
    if following is None:
        return None
    delta = total - (following.sum - following.state)
    return (following.start, delta) if abs(delta) > EXACT else None


def totals_at_live_edge[K](
    tails: Mapping[K, Sequence[StatisticRow]],
    quarters: Mapping[K, Mapping[datetime, float]],
) -> dict[K, float]:
    """Return running totals: the newest row's sum, and the quarters that no row has.

    `tails` has the newest TAIL rows of each statistic, oldest first. Where nothing was
    ever measured there is no total.
    """
    starts = set[datetime]().union(*quarters.values())
    totals: dict[K, float] = {}
    # Hundreds of statistics have rows of the same hours, and lack those of the same.
    new: dict[tuple[datetime, ...], list[datetime]] = {}
    for key, some in quarters.items():
        tail = tails.get(key, ())
        hours = tuple(map(_START, tail))
        if hours not in new:
            new[hours] = sorted(_without_row(hours, starts))
        if tail or some:
            total = tail[-1].sum if tail else 0.0
            totals[key] = total + _sum_of(some, new[hours])
    return totals


def _sum_of(amounts: Mapping[datetime, float], starts: Sequence[datetime]) -> float:
    # As a dictionary in C, where there is more to look up than to copy.
    some = amounts if len(starts) < TAIL else dict(amounts.items())
    return sum(map(some.__getitem__, filter(some.__contains__, starts)))


def _without_row(
    tail: Sequence[datetime], starts: Iterable[datetime]
) -> Iterator[datetime]:
    """Yield the quarter hours that no row has, by the hours of the newest TAIL rows.

    They are later than all rows, or of an hour that waits for another quarter while a
    later hour has its row.
    """
    has_all = len(tail) < TAIL  # the rows that there are
    since = BEFORE_ALL if has_all else tail[0] + HOUR
    later = (start for start in starts if start >= since)
    return (start for start in later if hour_of_quarter(start) not in tail)


def amounts_between(
    rows: Iterable[StatisticRow], bounds: Sequence[datetime]
) -> dict[datetime, float]:
    """Return what the rows of each period amount to, by the period's start.

    `bounds` delimits the periods, oldest first; rows outside belong to none.
    """
    amounts = dict.fromkeys(bounds[:-1], 0.0)
    ordered = sorted(rows, key=_START)
    places = [bisect_left(ordered, bound, key=_START) for bound in bounds]
    for begin, (first, last) in zip(bounds, pairwise(places), strict=False):
        for row in ordered[first:last]:
            amounts[begin] += row.state
    return amounts


def rounding_allowance(length: timedelta) -> float:
    """Return the difference that rounding alone can make over a period, in kWh or m³.

    The period's own row is off by at most 0.0005; every quarter hour that was summed
    may be off by as much, evenly distributed (standard deviation 0.0005 / √3). Six
    standard deviations of their sum: one false alarm in five hundred million.
    """
    quarters = length / QUARTER
    return ROUNDING + 6 * ROUNDING / sqrt(3) * sqrt(quarters) + EXACT
