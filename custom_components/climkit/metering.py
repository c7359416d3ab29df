"""The arithmetic of metering: quarter hours to hours, running sums, differences.

Pure functions over aware UTC times and energies in kWh (or volumes in m³). No
I/O, no clock, nothing of Home Assistant.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from math import sqrt
from typing import Final

HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(minutes=15)

GRACE: Final = timedelta(hours=6)
"""How long an hour may wait for its missing quarters before it is written without."""

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
class HourRow:
    """One row of a long-term statistic."""

    start: datetime
    """Start of the hour, in UTC."""
    state: float
    """What flowed in that hour."""
    sum: float
    """What has flowed since the first row, that hour included."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Amounts per hour that are ready to be written."""

    complete: Mapping[datetime, float]
    """Hours with all their quarters: the truth, whatever was known before."""
    partial: Mapping[datetime, float]
    """Hours that lack a quarter for good, as it seems: better than a hole."""

    def __len__(self) -> int:
        """Return how many hours there are."""
        return len(self.complete) + len(self.partial)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Return the first and the last hour."""
        starts = self.complete.keys() | self.partial.keys()
        return min(starts), max(starts)

    def since(self, start: datetime) -> Hours:
        """Return the hours that begin at `start` or later."""
        return Hours(
            {hour: amount for hour, amount in self.complete.items() if hour >= start},
            {hour: amount for hour, amount in self.partial.items() if hour >= start},
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """What a statistic has in a window of time."""

    base: float
    """The sum before the window."""
    rows: Sequence[HourRow]
    """The rows of the window, oldest first."""


def hour_of(time: datetime) -> datetime:
    """Return the start of the hour, in UTC, that `time` is in."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_of_quarters(quarters: Mapping[datetime, float], now: datetime) -> Hours:
    """Sum quarter hours (by their start) to the hours that can be written at `now`.

    An hour is complete once it is over and has four quarters. An hour that lacks
    some is given up for partial when a later hour is complete and six hours have
    passed: until then its quarters may still come.
    """
    by_hour: dict[datetime, list[float]] = {}
    for start, amount in quarters.items():
        by_hour.setdefault(hour_of(start), []).append(amount)
    over = {hour: parts for hour, parts in by_hour.items() if hour + HOUR <= now}
    complete = {hour: sum(parts) for hour, parts in over.items() if len(parts) == 4}
    newest = max(complete, default=None)
    partial = {
        hour: sum(parts)
        for hour, parts in over.items()
        if hour not in complete
        and newest is not None
        and hour < newest
        and hour + HOUR + GRACE <= now
    }
    return Hours(complete, partial)


def reconcile(stored: Stored, hours: Hours, tolerance: float = EXACT) -> list[HourRow]:
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
            changed.append(HourRow(hour, amounts[hour], total))
    return changed


def total_at_live_edge(
    tail: Sequence[HourRow], quarters: Mapping[datetime, float]
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


def amount_since(quarters: Mapping[datetime, float], start: datetime) -> float | None:
    """Return what flowed in the quarters from `start` on, or None if there is none."""
    amounts = [amount for begin, amount in quarters.items() if begin >= start]
    return sum(amounts) if amounts else None


def start_of_day(time: datetime, zone: tzinfo) -> datetime:
    """Return when the local day of `time` began, in UTC."""
    midnight = time.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


def windows(
    start: datetime, end: datetime, length: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Yield consecutive windows of at most `length` from `start` to `end`."""
    while start < end:
        stop = min(start + length, end)
        yield start, stop
        start = stop


def local_months(start: datetime, end: datetime, zone: tzinfo) -> list[datetime]:
    """Return the starts, in UTC, of the local months from the one of `start` to `end`.

    The last element is the start of the month after `end`'s, so that each pair of
    neighbours delimits a month.
    """
    month = start.astimezone(zone).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    starts = [month.astimezone(UTC)]
    while starts[-1] <= end:
        # Day 31 of any month is within the next; its offset may be another.
        month = (month.replace(tzinfo=None) + timedelta(days=31)).replace(
            day=1, tzinfo=zone
        )
        starts.append(month.astimezone(UTC))
    return starts


def local_days(start: datetime, end: datetime, zone: tzinfo) -> list[datetime]:
    """Return the starts, in UTC, of the local days in [start, end), and `end`."""
    day = start_of_day(start, zone).astimezone(zone)
    starts = []
    while (begin := day.astimezone(UTC)) < end:
        starts.append(begin)
        day = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return [*starts, end]


def amounts_between(
    rows: Iterable[HourRow], bounds: Sequence[datetime]
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
