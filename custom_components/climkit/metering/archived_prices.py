"""The prices that an entity told, by quarter hour, in the form in which they are kept.

A day of UTC has 96 whole numbers of 1/1000 Rp. (1e-5 CHF), which makes about 0.2 MB a
year: as one text, since Home Assistant would store each number in a line of its own. A price is exact, or it is the mean of its hour; only an exact one replaces it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import batched
from typing import Any, Final, Self

from .hours import QUARTER, hour_of

PER_CHF: Final = 100_000
"""So many of the units in which prices are kept are one CHF."""

_PER_DAY: Final = 96


class ArchivedPrices:
    """The prices of one entity, in CHF/kWh."""

    def __init__(self) -> None:
        """Begin with none."""
        self._days: dict[date, list[int | None]] = {}
        self._stored: dict[date, dict[str, str]] = {}
        """As plain data: of years, only the last day is made anew once an hour."""
        self._means: dict[date, int] = {}
        """By day, one bit for each quarter of which only its hour's mean is known. They are
        stored in hexadecimal: JSON has no whole numbers of 96 bits."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave; days that can't be read are left out."""
        prices = cls()
        for text, stored in data.items():
            try:
                day, kept = date.fromisoformat(text), _numbers(stored["prices"])
                means = int(stored.get("means", "0"), 16)
            except KeyError, TypeError, ValueError, AttributeError:
                continue
            if len(kept) == _PER_DAY:
                prices._days[day] = kept
                prices._means[day] = means
                prices._stored[day] = stored
        return prices

    def as_dict(self) -> dict[str, Any]:
        """Return what is known, as plain data, by day; do not change it."""
        for day in self._days.keys() - self._stored.keys():
            self._stored[day] = self._as_stored(day)
        return {str(day): self._stored[day] for day in sorted(self._days)}

    def price(self, start: datetime) -> float | None:
        """Return the price of the quarter hour at `start` (UTC), if it is known."""
        kept = self._days.get(start.date())
        price = kept[_index(start)] if kept else None
        return None if price is None else price / PER_CHF

    def newest(self) -> datetime | None:
        """Return the last quarter hour (UTC) whose price is known."""
        if not self._days:
            return None
        day = max(self._days)
        kept = self._days[day]
        index = max(i for i, price in enumerate(kept) if price is not None)
        return datetime.combine(day, time.min, UTC) + index * QUARTER

    def put(self, start: datetime, price: float, *, exact: bool) -> bool:
        """Keep the price of a quarter hour; return whether that changed anything.

        What is known stays, unless it was the mean of its hour and this is exact.
        """
        day, index = start.date(), _index(start)
        kept = self._days.setdefault(day, [None] * _PER_DAY)
        is_mean = self._means.setdefault(day, 0) >> index & 1
        if kept[index] is not None and not (exact and is_mean):
            return False
        self._stored.pop(day, None)
        before = kept[index]
        kept[index] = round(price * PER_CHF)
        if exact:
            self._means[day] &= ~(1 << index)
        else:
            self._means[day] |= 1 << index
        return kept[index] != before

    def lacks(self, start: datetime, end: datetime, *, exact: bool) -> bool:
        """Return whether a quarter hour in [start, end) is not known, or not exactly."""
        for begin, stop in spans_of_days(start, end, 1):
            kept = self._days.get(begin.date())
            first = _index(begin)
            count = (stop - begin) // QUARTER
            if kept is None or None in kept[first : first + count]:
                return True
            means = self._means[begin.date()] >> first & (1 << count) - 1
            if exact and means:
                return True
        return False

    def keep_newest(self, days: int) -> None:
        """Forget all but so many days."""
        for day in sorted(self._days)[:-days]:
            del self._days[day], self._means[day]
            self._stored.pop(day, None)

    def _as_stored(self, day: date) -> dict[str, str]:
        kept = ("" if price is None else str(price) for price in self._days[day])
        means = {"means": f"{self._means[day]:x}"} if self._means[day] else {}
        return {"prices": ",".join(kept)} | means


def prices_of_changes(
    changes: list[tuple[datetime, float | None]], start: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """Yield the price of each quarter hour in [start, end) that a price was told for.

    `changes` has when an entity told another price, or that it knows none, oldest first.
    What it told by the last second of a quarter hour is the price of all of it; if that
    is none, what it told before within that quarter hour.
    """
    position, price = 0, None
    while start < end:
        told = price
        last = start + QUARTER - timedelta(seconds=1)
        while position < len(changes) and changes[position][0] <= last:
            price = changes[position][1]
            if price is not None or changes[position][0] <= start:
                told = price
            position += 1
        if told is not None:
            yield start, told
        start += QUARTER


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
    if start >= end:
        return
    first = hour_of(start).replace(hour=0)
    count = -((first - end) // timedelta(days=1))
    midnights = [first + timedelta(days=n) for n in range(count)]
    for some in batched(midnights, days, strict=False):
        yield max(start, some[0]), min(end, some[-1] + timedelta(days=1))


def _index(start: datetime) -> int:
    return start.hour * 4 + start.minute // 15


def _numbers(text: str) -> list[int | None]:
    return [int(number) if number else None for number in text.split(",")]
