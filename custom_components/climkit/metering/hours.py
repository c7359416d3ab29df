"""The arithmetic of metering: quarter hours to hours, running sums, differences.

Pure functions over aware UTC times and energies in kWh (or volumes in m³). No
I/O, no clock, nothing of Home Assistant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(minutes=15)

GRACE: Final = timedelta(hours=6)
"""How long an hour may wait for its missing quarters before it is written without."""


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
            {hour: amount for hour, amount in self.complete.items() if hour >= start},
            {hour: amount for hour, amount in self.partial.items() if hour >= start},
        )


def hour_of(time: datetime) -> datetime:
    """Return the start of the hour, in UTC, that `time` is in."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_of_quarters(
    quarters: Mapping[datetime, float], now: datetime
) -> HourlyAmounts:
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
    return HourlyAmounts(complete, partial)


def amount_since(quarters: Mapping[datetime, float], start: datetime) -> float | None:
    """Return what flowed in the quarters from `start` on, or None if there is none."""
    amounts = [amount for begin, amount in quarters.items() if begin >= start]
    return sum(amounts) if amounts else None
