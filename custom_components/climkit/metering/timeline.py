"""The prices of one component over the years, by quarter hour.

A quarter hour is priced at its start: its UTC time gives the local time, that the
version, and that the price. Never the other way round, or days on which the clocks
change go wrong. Years of hours are priced often, so the prices of a UTC day are
remembered, and all days of one sort share theirs.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import compress, pairwise
from typing import Final, NamedTuple

from .hours import HOUR, QUARTER, hour_of, hours_between
from .prices import FixedPrice, PriceArchive, PriceSource, price_source
from .spans import Span
from .tariff import Tariff

type DaysOff = Mapping[str, Mapping[date, bool]]
"""By workday sensor: whether a local date is a day off, as far as it was asked."""

_BEFORE: Final = FixedPrice(None)
"""What has no version yet has no price."""


class HourPrices(NamedTuple):
    """The prices of the four quarters of an hour."""

    quarters: tuple[float | None, ...]
    mean: float | None
    """Of the hour; None if a quarter has no price."""
    alike: bool
    """Whether all four are the same."""

    @classmethod
    def of(cls, *quarters: float | None) -> HourPrices:
        """Return the prices of an hour; a single one is that of every quarter."""
        if len(set(quarters)) == 1:
            # The price itself: the mean of four floats may be off by a last digit.
            return cls(quarters * (4 // len(quarters)), quarters[0], True)
        return cls(quarters, _mean(quarters), False)


def _mean(prices: Sequence[float | None]) -> float | None:
    """Return the mean of some prices, or None if one of them is not known."""
    known = [price for price in prices if price is not None]
    return sum(known) / len(known) if len(known) == len(prices) else None


class PriceTimeline:
    """The versions that follow each other, and their prices."""

    def __init__(
        self,
        versions: Sequence[Tariff],
        zone: tzinfo,
        archive: PriceArchive,
        days_off: DaysOff,
    ) -> None:
        """`versions` by their first day, the newest last."""
        self._versions = versions
        self._starts = [version.valid_from for version in versions]
        sources = (
            price_source(version, archive, _off(days_off, version))
            for version in versions
        )
        self._sources = [_BEFORE, *sources]
        """By the number of versions that have begun."""
        self._zone = zone
        self._days: dict[int, tuple[HourPrices, ...] | None] = {}
        self._kinds: dict[Hashable, tuple[HourPrices, ...]] = {}

    def version_on(self, day: date) -> Tariff | None:
        """Return the version that is valid on a local date."""
        index = bisect_right(self._starts, day)
        return self._versions[index - 1] if index else None

    def price_at(self, start: datetime) -> float | None:
        """Return the price of the quarter hour at `start`, or None without one."""
        return self._price(start.astimezone(UTC))

    def hour_prices(self, hour: datetime) -> HourPrices:
        """Return the prices of the hour that begins at `hour`, in UTC."""
        ordinal = hour.toordinal()
        try:
            day = self._days[ordinal]
        except KeyError:
            day = self._days[ordinal] = self._day(hour.replace(hour=0))
        return self._hour(hour) if day is None else day[hour.hour]

    def gaps(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Yield what of [start, end) lacks a price, by whole hours of UTC, oldest first.

        All hours before the first version do; later ones only where a source may not
        know. Nothing else is looked at: of years, it is asked once an hour.
        """
        begins = [*self.changes(), end]
        first = min(hour_of(begins[0] + HOUR - timedelta.resolution), end)
        if start < first:
            yield start, first
        parts = zip(self._sources[1:], pairwise(begins), strict=True)
        for begin, stop in (part for source, part in parts if source.may_lack):
            for hour in hours_between(max(begin, first, start), min(stop, end)):
                if self.hour_prices(hour).mean is None:
                    yield hour, hour + HOUR

    def changes(self) -> Iterable[datetime]:
        """Yield when the versions begin, in UTC."""
        for start in self._starts:
            yield datetime.combine(start, time.min, self._zone).astimezone(UTC)

    def same_source(self, other: PriceTimeline, moment: datetime) -> bool:
        """Return whether the versions of a moment tell the same prices."""
        day = moment.astimezone(self._zone).date()
        return self._zone == other._zone and self._source_on(day) == other._source_on(
            day
        )

    def _price(self, start: datetime) -> float | None:
        local = start.astimezone(self._zone)
        return self._source_on(local.date()).price(start, local)

    def _source_on(self, day: date) -> PriceSource:
        return self._sources[bisect_right(self._starts, day)]

    def _hour(self, hour: datetime) -> HourPrices:
        return HourPrices.of(*[self._price(hour + i * QUARTER) for i in range(4)])

    def _day(self, start: datetime) -> tuple[HourPrices, ...] | None:
        """Return the prices of a UTC day, or None if they are not to be remembered.

        It is within two local dates. If its offset does not change, these and the
        offset say it all, and days of the same sorts share one result.
        """
        key = self._sort_of(start)
        if key is None:
            return None
        if key not in self._kinds:
            hours = (start + n * HOUR for n in range(24))
            self._kinds[key] = tuple(map(self._hour, hours))
        return self._kinds[key]

    def _sort_of(self, start: datetime) -> Hashable | None:
        """Return what days with the same prices as this UTC day have in common."""
        first = start.astimezone(self._zone)
        last = (start + timedelta(days=1) - QUARTER).astimezone(self._zone)
        kinds = [self._kind_on(day) for day in (first.date(), last.date())]
        if None in kinds:
            return None
        offset = first.utcoffset()
        return start if offset != last.utcoffset() else (offset, *kinds)

    def _kind_on(self, day: date) -> Hashable | None:
        kind = self._source_on(day).kind_of(day)
        return None if kind is None else (bisect_right(self._starts, day), kind)


def _off(days_off: DaysOff, version: Tariff) -> frozenset[date]:
    answers = days_off.get(version.workday or "", {})
    return frozenset(compress(answers, answers.values()))
