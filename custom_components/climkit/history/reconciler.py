"""Brings the statistics in line with the cloud: by months, and by the hour where needed.

One mechanism serves the import, the nightly check and the action. One question for the
monthly rows tells where something differs from what is stored; that is fetched by the
hour and held against its month again. A new site, a meter that was added, weeks without
Home Assistant, a cleared statistic, a corrected value and a hole are all one case.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from homeassistant.util.limited_size_dict import LimitedSizeDict

from ..api import (
    ClimkitAuthenticationError,
    ClimkitError,
    ClimkitRateLimitError,
    Priority,
    Resolution,
)
from ..const import LOGGER
from ..metering.calendar import local_days, local_months
from ..metering.flows import Flow, Medium
from ..metering.hours import HourlyAmounts
from ..metering.reconcile import EXACT, HOUR_ROUNDING
from ..metering.spans import Span, clipped, merged, without
from ..reading.answers import Answer, Question
from ..reading.reader import SeriesReader
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import RecorderError
from .comparison import are_absurd, months_within, odd_periods, spans_of
from .left_out import LeftOut

ACCEPTED: Final = 5000
"""Differences that are remembered because every hour is as the cloud has it."""

OVERLAP: Final = timedelta(hours=24)
"""History ends this long ago: newer hours may still be incomplete in the cloud."""

type Flows = Sequence[Flow]
type Settled = Callable[[Answer], None]
"""Is told of each piece as soon as it is stored."""


@dataclass(slots=True)
class _Months:
    """What the cloud says of whole months, and which of them are odd."""

    bounds: list[datetime]
    rest: Span | None = None
    """What of the last month lies within the span, though not all of that month does."""
    amounts: Mapping[Flow, Mapping[datetime, float]] = field(default_factory=dict)
    odd: dict[Flow, dict[datetime, float]] = field(default_factory=dict)

    @property
    def odd_spans(self) -> list[Span]:
        starts = {start for periods in self.odd.values() for start in periods}
        return spans_of(starts, self.bounds)

    @property
    def even_spans(self) -> list[Span]:
        if len(self.bounds) < 2 or not self.amounts:
            return []
        return without([(self.bounds[0], self.bounds[-1])], self.odd_spans)


class HistoryReconciler:
    """Holds the statistics of one site against the cloud; one run at a time."""

    def __init__(
        self, site: SiteCoordinator, reader: SeriesReader, statistics: SiteStatistics
    ) -> None:
        """Read through the site's reader, write to its statistics."""
        self.lock = asyncio.Lock()
        """Held by who is at work, so that nobody overwrites what is newer."""
        self.left_out = LeftOut()
        self.incomparable: set[Medium] = set()
        """Media whose months the cloud does not give, or makes no sense of."""
        self.first: dict[Medium, datetime] = {}
        """The first month in which the cloud has something, where it tells."""
        self.reader = reader
        self.statistics = statistics
        self._accepted: LimitedSizeDict[tuple[Flow, datetime], float] = LimitedSizeDict(
            size_limit=ACCEPTED
        )
        self._site = site

    async def async_bring_in_line(
        self, medium: Medium, flows: Flows, span: Span, settled: Settled
    ) -> None:
        """Fetch what is missing or differs in a span; months tell where that is.

        `settled` is told of each piece that is stored. Raises ClimkitError or
        RecorderError if it cannot go on now; what was stored until then stays.
        """
        months = await self._async_months(medium, flows, span)
        even = months.even_spans
        for part in without([span], even):
            await self.async_by_hours(medium, flows, part, settled=settled)
        await self._async_look_again(medium, flows, months)
        if medium in self.incomparable:  # so even months may have been no such thing
            for part in even:
                await self.async_by_hours(medium, flows, part, settled=settled)

    async def async_check_months(
        self, medium: Medium, flows: Flows, span: Span
    ) -> None:
        """Mend the months within a span that differ from what is stored."""
        months = await self._async_months(medium, flows, span)
        for part in months.odd_spans:
            LOGGER.debug("%s differs between %s and %s", medium, *part)
            await self.async_by_hours(medium, flows, part)
        await self._async_look_again(medium, flows, months)

    async def async_by_hours(
        self,
        medium: Medium,
        flows: Flows,
        span: Span,
        *,
        tolerance: float = HOUR_ROUNDING,
        settled: Settled = lambda _: None,
    ) -> dict[Flow, ClimkitError]:
        """Store what the cloud has by the hour; return what is not known, and why."""
        unknown: dict[Flow, ClimkitError] = {}
        question = self._question(medium, flows, Resolution.HOUR, span)
        async for answer in self.reader.async_pieces(question):
            hours = {flow: HourlyAmounts(answer.of(flow), {}) for flow in flows}
            written = await self.statistics.async_write(
                hours, tolerance, asked=answer.asked
            )
            if any(result.rows_missing for result in written.values()):
                raise RecorderError  # from the beginning, but not at once
            if corrected := sum(result.written for result in written.values()):
                LOGGER.debug("%s: %s hours written", medium, corrected)
            self._note_unknown(medium, answer)
            unknown |= answer.unknown
            settled(answer)
        return unknown

    def _note_unknown(self, medium: Medium, answer: Answer) -> None:
        if answer.unknown and self.left_out.add(
            medium, (answer.start, answer.end), set(answer.unknown)
        ):
            LOGGER.warning(
                "%s: the cloud does not give all %s between %s and %s; it will be looked"
                " for again at night: %s",
                self._site.data.site.name,
                medium,
                answer.start.date(),
                answer.end.date(),
                next(iter(answer.unknown.values())),
            )

    # --- Months ----------------------------------------------------------------------

    async def _async_months(self, medium: Medium, flows: Flows, span: Span) -> _Months:
        """Return what the cloud says of whole months; nothing where it makes no sense."""
        zone = self._site.data.zone
        depths = (
            self.reader.depth(medium, resolution)
            for resolution in (Resolution.HOUR, Resolution.MONTH)
        )
        known = clipped(span, max(filter(None, (span[0], *depths))), span[1])
        bounds = months_within(known, zone) if known else []
        if len(bounds) < 2 or medium in self.incomparable:
            return _Months([])
        asked = bounds[0], local_months(span[1], span[1], zone)[-1]
        question = self._question(medium, flows, Resolution.MONTH, asked)
        try:
            answer = await self.reader.async_read(question)
        except ClimkitAuthenticationError, ClimkitRateLimitError:
            raise
        except ClimkitError as err:
            LOGGER.debug("No months of %s: %s", medium, err)
            return _Months([])
        if answer.unknown:
            return _Months([])
        if depth := self.reader.depth(medium, Resolution.MONTH):
            bounds = [bound for bound in bounds if bound >= depth]
        months = _Months(
            bounds,
            (bounds[-1], span[1]) if bounds else None,
            {flow: answer.of(flow) for flow in flows},
        )
        if some := [at for one in months.amounts.values() for at in one if one[at]]:
            self.first[medium] = min(some)
        await self._async_compare(months)
        return months

    async def _async_compare(self, months: _Months) -> None:
        """Find out which months are odd, by what is stored now."""
        if len(months.bounds) < 2 or not months.amounts:
            return
        stored = await self.statistics.async_amounts(
            tuple(months.amounts), months.bounds
        )
        months.odd = {
            flow: odd_periods(
                amounts, stored.get(flow, {}), months.bounds, self._accepted_of(flow)
            )
            for flow, amounts in months.amounts.items()
        }

    def _accepted_of(self, flow: Flow) -> dict[datetime, float]:
        return {at: rest for (of, at), rest in self._accepted.items() if of == flow}

    async def _async_look_again(
        self, medium: Medium, flows: Flows, months: _Months
    ) -> None:
        """Hold what is stored now against its months; read odd days once more.

        What still differs, though every hour is as the cloud has it, is accepted: it would
        be looked for in vain every night.
        """
        if not months.amounts:
            return
        if await self._async_is_absurd(months):
            LOGGER.debug("The months of %s make no sense: going on without", medium)
            self.incomparable.add(medium)
            return
        if months.odd_spans:
            await self._async_compare(months)
        if not months.odd_spans:
            return
        unknown: dict[Flow, ClimkitError] = {}
        for span in months.odd_spans:
            for part in await self._async_odd_days(medium, flows, span):
                unknown |= await self.async_by_hours(
                    medium, flows, part, tolerance=EXACT
                )
        await self._async_compare(months)
        for flow, periods in months.odd.items():
            for start, rest in periods.items() if flow not in unknown else ():
                LOGGER.debug("%s: %.3f left of %s", flow.key, rest, start.date())
                self._accepted[flow, start] = rest

    async def _async_is_absurd(self, months: _Months) -> bool:
        """Return whether months have nothing to do with the hours, by what is stored."""
        flows = tuple(months.amounts)
        bounds = [*months.bounds, *([months.rest[1]] if months.rest else ())]
        stored = await self.statistics.async_amounts(flows, bounds)
        return are_absurd(
            [months.amounts[flow] for flow in flows],
            [stored.get(flow, {}) for flow in flows],
            months.bounds,
            bounds[-2],
        )

    async def _async_odd_days(
        self, medium: Medium, flows: Flows, span: Span
    ) -> list[Span]:
        """Return the days within a span that differ; all of it if none does clearly."""
        bounds = local_days(*span, self._site.data.zone)
        question = self._question(medium, flows, Resolution.DAY, span)
        try:
            answer = await self.reader.async_read(question)
        except ClimkitAuthenticationError, ClimkitRateLimitError:
            raise
        except ClimkitError:
            return [span]
        stored = await self.statistics.async_amounts(flows, bounds)
        odd = {
            day
            for flow in flows
            for day in odd_periods(answer.of(flow), stored.get(flow, {}), bounds, {})
        }
        # A difference too small for any one day is somewhere in all of them.
        return spans_of(odd, bounds) or merged([span])

    def _question(
        self, medium: Medium, flows: Flows, resolution: Resolution, span: Span
    ) -> Question:
        zone = self._site.data.zone
        return Question(
            medium, tuple(flows), resolution, *span, Priority.BACKGROUND, zone
        )
