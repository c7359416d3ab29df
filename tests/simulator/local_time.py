"""Quarter hours and local time, for whole arrays at once.

A quarter is the number of its 900 seconds since 1970 (UTC). Local time is never
stored: it follows from the offset that the zone has at a quarter's start.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from .hashing import Integers

QUARTER: Final = 900
"""Seconds in a quarter hour."""
DAY: Final = 86_400
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2060


def quarter_at_or_after(moment: datetime) -> int:
    """Return the first quarter that starts at this aware moment or after it."""
    return -(-int(np.ceil(moment.timestamp())) // QUARTER)


def quarter_at_or_before(moment: datetime) -> int:
    """Return the last quarter that starts at this aware moment or before it."""
    return int(moment.timestamp() // QUARTER)


@lru_cache(maxsize=100_000)
def moment_of(seconds: float) -> datetime:
    """Return the aware UTC moment of these seconds since 1970.

    Kept, since series of the same months are made again and again.
    """
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=16)
def _transitions(zone: str) -> tuple[Integers, Integers]:
    """Return from which quarter on which offset (s) holds in an IANA zone."""
    info = ZoneInfo(zone)

    def offset(quarter: int) -> int:
        delta = datetime.fromtimestamp(quarter * QUARTER, info).utcoffset()
        return int(delta.total_seconds()) if delta else 0

    start = quarter_at_or_after(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC))
    end = quarter_at_or_after(datetime(_LAST_YEAR, 1, 1, tzinfo=UTC))
    at, offsets = [0], [offset(start)]
    for left in range(start, end, 96 * 7):
        low, high = left, left + 96 * 7
        if offset(low) == offset(high):
            continue
        after = offset(high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if offset(middle) == after else (middle, high)
        at.append(high)
        offsets.append(after)
    return np.array(at, dtype=np.int64), np.array(offsets, dtype=np.int64)


def offsets(quarters: Integers, zone: str) -> Integers:
    """Return the UTC offset in seconds at the start of each quarter."""
    at, values = _transitions(zone)
    return np.asarray(values[np.searchsorted(at, quarters, side="right") - 1])


def walls(quarters: Integers, zone: str) -> Integers:
    """Return the local wall clock at each quarter's start, in seconds since 1970."""
    return quarters * QUARTER + offsets(quarters, zone)


def months(quarters: Integers, zone: str) -> Integers:
    """Return the number of the local month since 1970-01 of each quarter."""
    wall = walls(quarters, zone).astype("datetime64[s]")
    return wall.astype("datetime64[M]").astype(np.int64)


def local_start(day: date, zone: str, *, hours: float = 0.0) -> int:
    """Return the UTC seconds at which the wall clock shows this day and hour."""
    wall = datetime(day.year, day.month, day.day) + timedelta(hours=hours)  # noqa: DTZ001
    return int(wall.replace(tzinfo=ZoneInfo(zone)).timestamp())


def month_start(month: int, zone: str) -> int:
    """Return the quarter at which a local month (counted from 1970-01) begins."""
    day = date(1970 + month // 12, month % 12 + 1, 1)
    return -(-local_start(day, zone) // QUARTER)


def bins(quarters: Integers, resolution: str, zone: str) -> tuple[Integers, Integers]:
    """Return the bins of ascending quarters: where each begins, and its UTC start (s).

    The start is that of the whole hour, day, month or year, even where the first
    quarters of it are missing here.
    """
    if resolution == "15T":
        return np.arange(len(quarters), dtype=np.int64), quarters * QUARTER
    offset = offsets(quarters, zone)
    wall = quarters * QUARTER + offset
    if resolution == "H":
        starts = wall - wall % 3600 - offset
    elif resolution == "D":
        starts = wall - wall % DAY
    else:
        unit = {"M": "M", "Y": "Y"}[resolution]
        floor = wall.astype("datetime64[s]").astype(f"datetime64[{unit}]")
        starts = floor.astype("datetime64[s]").astype(np.int64)
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1))
    found = starts[first]
    if resolution != "H":  # local midnights; the zone's offset may have changed since
        found = np.array([_to_utc(int(wall), zone) for wall in found], dtype=np.int64)
    return first, found


def _to_utc(wall: int, zone: str) -> int:
    naive = datetime.fromtimestamp(wall, UTC).replace(tzinfo=ZoneInfo(zone))
    return int(naive.timestamp())
