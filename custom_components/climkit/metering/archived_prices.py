"""The prices that an entity told, by quarter hour, in the form in which they are kept.

A day of UTC has 96 whole numbers of 1/1000 Rp. (1e-5 CHF), which makes about 0.2 MB a
year: as one text, since Home Assistant would store each number in a line of its own. A price is exact, or it is the mean of its hour; only an exact one replaces it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final, Self

from .hours import QUARTER, hour_of, quarter_of

PER_CHF: Final = 100_000
"""So many of the units in which prices are kept are one CHF."""

_PER_DAY: Final = 96

_LAST_SECOND: Final = timedelta(seconds=1)
"""Of a quarter hour: what is told within it is the price of the next one."""


@dataclass(slots=True)
class _Day:
    """The prices of one day of UTC."""

    prices: list[int | None] = field(default_factory=lambda: [None] * _PER_DAY)
    means: int = 0
    """One bit for each quarter of which only its hour's mean is known. They are stored
    in hexadecimal: JSON has no whole numbers of 96 bits."""
    stored: dict[str, str] | None = None
    """As plain data: of years, only the last day is made anew once an hour."""

    @classmethod
    def from_dict(cls, stored: dict[str, str]) -> Self:
        """Return what `as_dict` gave; if it didn't, many a kind of error is raised."""
        prices = _numbers(stored["prices"])
        if len(prices) != _PER_DAY:
            raise ValueError("prices: not those of a day")
        return cls(prices, int(stored.get("means", "0"), 16), stored)

    def as_dict(self) -> dict[str, str]:
        """Return what is known, as plain data; do not change it."""
        if self.stored is None:
            means = {"means": f"{self.means:x}"} if self.means else {}
            self.stored = {"prices": _text(self.prices)} | means
        return self.stored

    @property
    def last(self) -> int | None:
        """Return the last quarter whose price is known."""
        known = (i for i, price in enumerate(self.prices) if price is not None)
        return max(known, default=None)

    def put(self, index: int, price: int, *, exact: bool) -> bool:
        """Keep the price of a quarter; return whether that changed anything."""
        if not self.lacks(index, 1, exact=exact):
            return False
        before, bit = self.prices[index], 1 << index
        self.prices[index] = price
        self.means = self.means & ~bit if exact else self.means | bit
        self.stored = None
        return price != before

    def lacks(self, first: int, count: int, *, exact: bool) -> bool:
        """Return whether one of so many quarters is not known, or not exactly."""
        means = self.means >> first & (1 << count) - 1
        return None in self.prices[first : first + count] or (exact and means != 0)


_UNKNOWN: Final = _Day()
"""A day of which nothing is known; it stays so."""


class ArchivedPrices:
    """The prices of one entity, in CHF/kWh."""

    def __init__(self) -> None:
        """Begin with none."""
        self._days: defaultdict[date, _Day] = defaultdict(_Day)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; days that can't be read are left out."""
        prices = cls()
        for day, stored in data.items():
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                prices._days[date.fromisoformat(day)] = _Day.from_dict(stored)
        return prices

    def as_dict(self) -> dict[str, Any]:
        """Return what is known, as plain data, by day; do not change it."""
        return {str(day): self._days[day].as_dict() for day in sorted(self._days)}

    def price(self, start: datetime) -> float | None:
        """Return the price of the quarter hour at `start` (UTC), if it is known."""
        day = self._days.get(start.date(), _UNKNOWN)
        price = day.prices[_index(start)]
        return None if price is None else price / PER_CHF

    def newest(self) -> datetime | None:
        """Return the last quarter hour (UTC) whose price is known."""
        for day in sorted(self._days, reverse=True):
            if (last := self._days[day].last) is not None:
                return datetime.combine(day, time.min, UTC) + last * QUARTER
        return None

    def put(self, start: datetime, price: float, *, exact: bool) -> bool:
        """Keep the price of a quarter hour; return whether that changed anything.

        What is known stays, unless it was the mean of its hour and this is exact.
        """
        day = self._days[start.date()]
        return day.put(_index(start), round(price * PER_CHF), exact=exact)

    def lacks(self, start: datetime, end: datetime, *, exact: bool) -> bool:
        """Return whether a quarter hour in [start, end) is not known, or not exactly."""
        return any(
            self._days.get(begin.date(), _UNKNOWN).lacks(
                _index(begin), (stop - begin) // QUARTER, exact=exact
            )
            for begin, stop in spans_of_days(start, end, 1)
        )

    def keep_newest(self, days: int) -> None:
        """Forget all but so many days."""
        for day in sorted(self._days)[:-days]:
            del self._days[day]


def prices_of_changes(
    changes: list[tuple[datetime, float | None]], start: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """Yield the price of each quarter hour in [start, end) that a price was told for.

    `changes` has when an entity told another price, or that it knows none, oldest first.
    What it told by the last second of a quarter hour is the price of all of it; if that
    is none, what it told before within that quarter hour.
    """
    prices: dict[datetime, float] = {}
    for (told, price), (until, _) in pairwise([*changes, (end, None)]):
        if price is None:
            continue
        first = quarter_of(told + _LAST_SECOND - timedelta.resolution)
        quarter, stop = max(first, start), min(until, end)
        while quarter < stop:  # the first may have a price that was told before
            prices[quarter] = price
            quarter += QUARTER
    yield from prices.items()


def quarters_of_hours(
    means: Mapping[datetime, float],
) -> Iterator[tuple[datetime, float]]:
    """Yield the mean price of each hour for each of its quarters."""
    for hour, price in means.items():
        for i in range(4):
            yield hour + i * QUARTER, price


def spans_of_days(
    start: datetime, end: datetime, days: int
) -> Iterator[tuple[datetime, datetime]]:
    """Yield [start, end) in spans of at most so many days of UTC."""
    while start < end:
        midnight = hour_of(start).replace(hour=0)
        stop = min(midnight + timedelta(days=days), end)
        yield start, stop
        start = stop


def _index(start: datetime) -> int:
    return start.hour * 4 + start.minute // 15


def _numbers(text: str) -> list[int | None]:
    return [int(number) if number else None for number in text.split(",")]


def _text(numbers: list[int | None]) -> str:
    return ",".join("" if number is None else str(number) for number in numbers)
