"""Days, months and other periods, by the site's own clock. Times are in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from ..api import Resolution
from .hours import HOUR, QUARTER, hour_of

_FIRST: Final[Mapping[Resolution, tuple[int, int]]] = {
    Resolution.MONTH: (0, 1),
    Resolution.YEAR: (1, 1),
}
"""Month (0: any) and day with which months and years begin."""
_INTO_NEXT: Final[Mapping[Resolution, timedelta]] = {
    Resolution.DAY: timedelta(hours=26),
    Resolution.MONTH: timedelta(days=32),
    Resolution.YEAR: timedelta(days=370),
}
"""From the beginning of any of them, so long a time ends within the next."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def start_of_day(time: datetime, zone: tzinfo) -> datetime:
    """Return when the local day of `time` began, in UTC."""
    midnight = time.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


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


def start_of_period(resolution: Resolution, time: datetime, zone: tzinfo) -> datetime:
    """Return when the interval of `time` began, in UTC: a local one from days on."""
    if resolution in (Resolution.QUARTER_HOUR, Resolution.HOUR):
        return hour_of(time)
    day = start_of_day(time, zone).astimezone(zone)
    month, date = _FIRST.get(resolution, (day.month, day.day))
    return day.replace(month=month or day.month, day=date).astimezone(UTC)


def first_from(resolution: Resolution, time: datetime, zone: tzinfo) -> datetime:
    """Return when the first interval begins that does not begin before `time`, in UTC."""
    if resolution is Resolution.QUARTER_HOUR:
        return -(-(time - _EPOCH) // QUARTER) * QUARTER + _EPOCH
    start = start_of_period(resolution, time, zone)
    if start >= time:
        return start
    into_next = start + _INTO_NEXT.get(resolution, HOUR)
    return start_of_period(resolution, into_next, zone)
