"""The arithmetic of metering: quarter hours to hours, running sums, differences.

Pure functions over aware UTC times and energies in kWh (or volumes in m³). No
I/O, no clock, nothing of Home Assistant.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(minutes=15)

LIVE_WINDOW: Final = timedelta(hours=48)
"""How far back every poll looks: quarter hours come late, and are corrected."""

GRACE: Final = timedelta(hours=6)
"""How long an hour may wait for its missing quarters before it is written without."""

BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
"""Earlier than every reading."""


@dataclass(frozen=True, slots=True)
class HourlyAmounts:
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

    def since(self, start: datetime) -> HourlyAmounts:
        """Return the hours that begin at `start` or later."""
        return HourlyAmounts(
            starting_from(self.complete, start), starting_from(self.partial, start)
        )


def starting_from(
    amounts: Mapping[datetime, float], start: datetime
) -> dict[datetime, float]:
    """Return those of the amounts that begin at `start` or later."""
    return {begin: amount for begin, amount in amounts.items() if begin >= start}


def hour_of(time: datetime) -> datetime:
    """Return the start of the hour, in UTC, that `time` is in."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@lru_cache(maxsize=2048)
def hour_of_quarter(start: datetime) -> datetime:
    """Return the same of a quarter hour, which begins at `start`, of UTC.

    Of hundreds of flows it is asked for the same two days. Local times could not be
    remembered: when the clocks go back, one is equal to another an hour later.
    """
    return hour_of(start)


def quarter_of(time: datetime) -> datetime:
    """Return the start of the quarter hour, in UTC, that `time` is in."""
    moment = time.astimezone(UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the starts, in UTC, of the hours that have a part in [start, end)."""
    hour = hour_of(start)
    while hour < end:
        yield hour
        hour += HOUR


def hours_of_quarters(
    quarters: Mapping[datetime, float], now: datetime
) -> HourlyAmounts:
    """Sum quarter hours (by their start) to the hours that can be written at `now`.

    An hour is complete once it is over and has four quarters. An hour that lacks
    some is given up for partial when a later hour is complete and six hours have
    passed: until then its quarters may still come.
    """
    hours = _by_hour(quarters)
    latest = now - HOUR
    over = {hour for hour in hours if hour <= latest}
    whole = {hour for hour in over if len(hours[hour]) == 4}
    newest = max(whole, default=BEFORE_ALL)
    given_up = min(newest, now - GRACE - HOUR + timedelta.resolution)
    lacking = {hour for hour in over - whole if hour < given_up}
    return HourlyAmounts(_sums(hours, whole), _sums(hours, lacking))


def _by_hour(quarters: Mapping[datetime, float]) -> dict[datetime, list[float]]:
    by_hour: defaultdict[datetime, list[float]] = defaultdict(list)
    for start, amount in quarters.items():
        by_hour[hour_of_quarter(start)].append(amount)
    return by_hour


def _sums(
    by_hour: Mapping[datetime, list[float]], hours: Container[datetime]
) -> dict[datetime, float]:
    return {hour: sum(parts) for hour, parts in by_hour.items() if hour in hours}


def beside(
    hours: Container[datetime], quarters: Mapping[datetime, float]
) -> dict[datetime, float]:
    """Return the quarter hours that are in none of these hours."""
    return {
        start: amount
        for start, amount in quarters.items()
        if hour_of_quarter(start) not in hours
    }


def amount_since(quarters: Mapping[datetime, float], start: datetime) -> float | None:
    """Return what flowed in the quarters from `start` on, or None if there is none."""
    amounts = starting_from(quarters, start)
    return sum(amounts.values()) if amounts else None
