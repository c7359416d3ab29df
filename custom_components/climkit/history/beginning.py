"""From when on there is something to read, where the cloud gives no months.

Five years of nothing would cost a young site hundreds of questions on a cloud that gives
a few days at once. The years tell, or else the day of creation does; but that day is not
believed alone: a site may be taken over long after its meters began. Nor is what months
or years do not reach back to: hours may.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ..api import Resolution
from ..metering.calendar import start_of_day, start_of_period
from ..metering.flows import Flow, Medium
from ..metering.site import SiteInfo
from ..metering.spans import Span
from ..reading.answers import Answer
from ..reading.reader import SeriesReader
from .comparison import first_used
from .questions import async_if_given, in_background

_DAY: Final = timedelta(days=1)

PROBES: Final = tuple(days * _DAY for days in (2, 31, 183, 365, 730, 1461))
"""So long before its creation it is looked whether a site had readings."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """When the readings of some flows of one medium begin."""

    reader: SeriesReader
    info: SiteInfo
    medium: Medium
    flows: Sequence[Flow]

    async def async_first_hour(self, span: Span) -> datetime:
        """Return from when on within a span there is something to read by the hour."""
        start = await self._async_by_years(span)
        for likely in sorted(self._likely()):
            is_within = start < likely < span[1]
            if is_within and not await self._async_had_readings((start, likely)):
                start = likely
        return start

    async def _async_by_years(self, span: Span) -> datetime:
        """Return from when on there is something, where only years tell of all of it."""
        if self._depth(Resolution.MONTH):
            return span[0]
        year = await self._async_first_year(span)
        # Now it is known whether years reach back as far as hours may.
        return span[0] if self._depth(Resolution.YEAR) else max(year, span[0])

    def _likely(self) -> Iterator[datetime]:
        """Yield times before which there is probably nothing."""
        if self.info.site.created:
            yield start_of_day(self.info.site.created, self.info.zone)
        for resolution in (Resolution.MONTH, Resolution.YEAR):
            if depth := self._depth(resolution):
                # Of the period before, the last days may be given by the hour.
                yield start_of_period(resolution, depth - _DAY, self.info.zone)

    async def _async_first_year(self, span: Span) -> datetime:
        """Return the start of the first year with readings, by yearly rows.

        That of the span's first year where the cloud does not tell.
        """
        start = start_of_period(Resolution.YEAR, span[0], self.info.zone)
        answer = await self._async_read(Resolution.YEAR, (start, span[1]))
        if answer is None:
            return start
        first = first_used(map(answer.of, self.flows)) or start
        # Labelled by the midnight of another zone, a year seems to begin later.
        return start_of_period(Resolution.YEAR, first, self.info.zone)

    async def _async_had_readings(self, span: Span) -> bool:
        """Return whether there are readings within a span, by some days out of it."""
        for before in PROBES:
            day = start_of_day(span[1] - before, self.info.zone)
            if day < span[0]:
                return False
            if await self._async_has_readings(day):
                return True
        return False

    async def _async_has_readings(self, day: datetime) -> bool:
        """Return whether there are readings of a day, which begins at `day`."""
        answer = await self._async_read(Resolution.HOUR, (day, day + _DAY))
        return bool(answer and answer.newest)

    def _depth(self, resolution: Resolution) -> datetime | None:
        return self.reader.depth(self.medium, resolution)

    async def _async_read(self, resolution: Resolution, span: Span) -> Answer | None:
        """Return an answer, or None where the cloud has none to such a question."""
        question = in_background(self.info, self.medium, self.flows, resolution, span)
        return await async_if_given(question, self.reader.async_read(question))
