"""Brings the statistics in line with the cloud: by months, and by the hour where needed.

One mechanism serves the import, the nightly check and the action. One question for the
monthly rows tells where something differs from what is stored; that is fetched by the
hour and held against its month again. A new site, a meter that was added, weeks without
Home Assistant, a cleared statistic, a corrected value and a hole are all one case.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import filterfalse
from typing import Any, Final

from ..api import ClimkitError, Resolution
from ..const import LOGGER
from ..metering.flows import Flow, Medium, among, apart_from
from ..metering.hours import HourlyAmounts
from ..metering.reconcile import EXACT, HOUR_ROUNDING
from ..metering.spans import Span, in_words, without
from ..reading.answers import Answer
from ..reading.reader import SeriesReader
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import WriteResult
from .beginning import Beginning
from .comparison import gap_of
from .doubts import Doubts
from .left_out import Hole, LeftOut
from .months import Flows, MonthlyCheck, Months
from .questions import in_background, portions

OVERLAP: Final = timedelta(hours=24)
"""History ends this long ago: newer hours may still be incomplete in the cloud."""


@dataclass(slots=True)
class _Run:
    """Hours of some flows that are being stored."""

    medium: Medium
    flows: list[Flow]
    """Those that go on: not what the cloud does not give at all, or somebody cleared."""
    tolerance: float
    unknown: dict[Flow, ClimkitError] = field(default_factory=dict)
    written: int = 0
    new_holes: dict[Span, ClimkitError] = field(default_factory=dict)

    def go_on_without(self, flows: Iterable[Flow]) -> None:
        """Leave some flows to the next time."""
        self.flows = apart_from(self.flows, set(flows))

    def count(self, written: Iterable[WriteResult]) -> None:
        """Count the hours that were written."""
        self.written += sum(result.written for result in written)


class HistoryReconciler:
    """Holds the statistics of one site against the cloud.

    Whoever uses it holds its lock, so that one works at a time.
    """

    def __init__(
        self, site: SiteCoordinator, reader: SeriesReader, statistics: SiteStatistics
    ) -> None:
        """Read through the site's reader, write to its statistics."""
        self.doubts = Doubts()
        self.lock = asyncio.Lock()
        self.left_out = LeftOut()
        self.months = MonthlyCheck(site, reader, statistics, self.left_out)
        self.reader = reader
        self.refused = False
        """Whether the cloud refused the credentials: nobody logs in until a reload."""
        self.statistics = statistics
        self._site = site

    async def async_bring_in_line(
        self, medium: Medium, flows: Flows, span: Span
    ) -> dict[Flow, ClimkitError]:
        """Fetch what is missing or differs in a span; months tell where that is.

        Notes how far the flows have come, piece by piece, and returns what is not known,
        and why. Raises ClimkitError or RecorderError if it cannot go on now; what was
        stored until then stays.
        """
        self.doubts.begin(medium)
        months = await self.months.async_ask(medium, flows, span, confirm=True)
        if months is None:
            empty = span[0], await self._async_first_hour(medium, flows, span)
            unknown = await self._async_but_for([empty], medium, flows, span)
        else:
            unknown = await self._async_by_months(flows, span, months)
        self._end_doubts(medium, months)
        return unknown

    async def _async_by_months(
        self, flows: Flows, span: Span, months: Months
    ) -> dict[Flow, ClimkitError]:
        """Fetch what months say is missing, and hold it against them."""
        medium, some, even = months.medium, list(months.amounts), months.even_spans
        if months.begin_late:
            even.append((span[0], await self._async_first_hour(medium, flows, span)))
        unknown = await self._async_but_for(even, medium, some, span)
        if not await self._async_hold_against(months):
            # What seemed to be even may have been no such thing.
            empty = span[0], await self._async_first_hour(medium, flows, span)
            unknown |= await self.async_by_hours(medium, some, without(even, [empty]))
        others = apart_from(flows, months.amounts)
        known = [] if months.begin_late else [(span[0], months.first)]
        return unknown | await self._async_but_for(known, medium, others, span)

    async def async_look_again(self, medium: Medium, flows: Flows, span: Span) -> None:
        """Look for what an import may have missed while the cloud was out of order.

        Raises ClimkitError or RecorderError.
        """
        self.doubts.begin(medium, again=True)
        await self.async_look_for(self.left_out.of(medium), flows)
        months = await self.async_check_months(medium, flows, span, accept=False)
        if months:  # which tell nothing of the month that is not whole
            await self.async_by_hours(medium, flows, [(months.bounds[-1], span[1])])
        self._end_doubts(medium, months)

    async def async_look_for(self, holes: Iterable[Hole], flows: Flows) -> None:
        """Ask for what was left out, of those of the flows that are to be looked at.

        Raises ClimkitError or RecorderError.
        """
        for hole in holes:
            some = among(flows, hole.flows)
            await self.async_by_hours(hole.medium, some, [hole.span])

    def _end_doubts(self, medium: Medium, months: Months | None) -> None:
        self.doubts.end(
            medium,
            list(months.odd.values()) if months else [],
            has_gaps=months is not None and months.has_gaps,
            has_holes=bool(self.left_out.of(medium)),
        )

    async def async_fetch_again(
        self, medium: Medium, flows: Flows, span: Span
    ) -> dict[Flow, ClimkitError]:
        """Fetch a span by the hour, whatever the months say: but where they say nothing.

        As `async_bring_in_line` otherwise.
        """
        months = await self.months.async_ask(medium, flows, span, confirm=True)
        empty = (
            [(months.bounds[0], months.first)]
            if months and not months.begin_late
            else [(span[0], await self._async_first_hour(medium, flows, span))]
        )
        return await self._async_but_for(empty, medium, flows, span)

    async def _async_first_hour(
        self, medium: Medium, flows: Flows, span: Span
    ) -> datetime:
        """Return from when on there is something to read, where months don't tell."""
        info = self._site.data
        beginning = Beginning(self.reader, info, medium, flows)
        start = await beginning.async_first_hour(span)
        if span[0] <= info.beginning:
            self.months.note_first(medium, start)
        return start

    async def async_check_months(
        self, medium: Medium, flows: Flows, span: Span, *, accept: bool = True
    ) -> Months | None:
        """Mend the months within a span that differ from what is stored.

        Returns what still differs; None where the cloud says nothing of use.
        """
        months = await self.months.async_ask(medium, flows, span)
        if months is None:
            return None
        if odd := months.odd_spans:
            LOGGER.debug("%s differs in %s", medium, in_words(odd))
            await self.async_by_hours(medium, months.odd_flows, odd)
        await self._async_hold_against(months, accept=accept)
        return months

    async def _async_hold_against(
        self, months: Months, *, accept: bool = False
    ) -> bool:
        """Hold what is stored now against its months; read once more what still differs.

        Hours that lack values prove nothing, and would lack them now: only to `accept`
        are they read once more. Returns whether the months make any sense.
        """
        if self.doubts.has_gaps(months.medium) and not accept:
            await self.months.async_compare(months)
            return True
        if not await self.months.async_make_sense(months):
            return False
        if months.odd_spans:
            await self._async_read_odd_days(months, accept=accept)
        return True

    async def _async_read_odd_days(self, months: Months, *, accept: bool) -> None:
        """Read by the hour, on the days that differ, what differs still.

        What differs even then is left for the night; and then, to `accept`, taken for
        what the cloud means by it.
        """
        await self.months.async_compare(months)
        if not months.odd_spans:
            return
        unknown = await self.async_by_hours(
            months.medium,
            months.odd_flows,
            await self.months.async_odd_days(months),
            tolerance=EXACT,
        )
        await self.months.async_compare(months)
        if odd := months.odd_spans:
            LOGGER.debug("%s still differs in %s", months.medium, in_words(odd))
            if accept:
                # Not of what was cleared meanwhile: that is to be imported again.
                read = _going_on(self.statistics, months.odd_flows, odd[-1])
                self.months.accept(months, apart_from(read, unknown))

    # --- By the hour -----------------------------------------------------------------

    async def _async_but_for(
        self, known: Iterable[Span], medium: Medium, flows: Flows, span: Span
    ) -> dict[Flow, ClimkitError]:
        """Store a span, but for the parts of which it is known that nothing is missing.

        As `async_by_hours` otherwise.
        """
        known = [*known]
        return await self.async_by_hours(
            medium, flows, without([span], known), known=known
        )

    async def async_by_hours(
        self,
        medium: Medium,
        flows: Flows,
        spans: Iterable[Span],
        *,
        known: Iterable[Span] = (),
        tolerance: float = HOUR_ROUNDING,
    ) -> dict[Flow, ClimkitError]:
        """Store what the cloud has by the hour; return what is not known, and why.

        Of the spans between, `known` tells that nothing is missing there. Each piece is
        stored before the next is asked for; the flows advance with it. A flow that the
        cloud does not give at present, or whose rows somebody has cleared, waits where it
        is, and holds up nobody. Raises ClimkitError or RecorderError.
        """
        run = _Run(medium, list(flows), tolerance)
        unread = set(known)
        try:
            for span in sorted([*spans, *unread]):
                if run.flows and span not in unread:
                    await self._async_read(run, span)
                else:
                    going_on = _going_on(self.statistics, run.flows, span)
                    self.statistics.advance(going_on, span[1])
        finally:
            self._tell(run)
        return run.unknown

    async def _async_read(self, run: _Run, span: Span) -> None:
        question = in_background(
            self._site.data, run.medium, run.flows, Resolution.HOUR, span
        )
        since = span[0]
        async for answer in self.reader.async_pieces(question):
            await self._async_store(run, answer, since)
            since = answer.end
            del answer  # or it would still be there when the next one comes

    async def _async_store(self, run: _Run, answer: Answer, since: datetime) -> None:
        """Store a piece, and note what is known now and what is not.

        Up to `since` all was dealt with: the reader leaves out what it knows.
        """
        piece = answer.start, answer.end
        run.unknown |= answer.unknown
        for some in ((), *portions(answer, run.flows)):
            self.doubts.hear(run.medium, answer, some)
            await asyncio.sleep(0)
        run.go_on_without(filterfalse(self.reader.gives, answer.unknown))
        # Rows ahead of what is missing would look, after a restart, as if it were not.
        flows = _going_on(self.statistics, run.flows, (since, piece[1]))
        cleared = await self._async_write(run, answer, flows)
        run.go_on_without(cleared)
        self.statistics.advance(apart_from(flows, cleared), piece[1])
        self._note_holes(run, answer)

    async def _async_write(
        self, run: _Run, answer: Answer, flows: Flows
    ) -> frozenset[Flow]:
        """Write some flows of a piece; return those whose rows somebody has cleared."""
        cleared = set[Flow]()
        for some in portions(answer, flows):
            written = await self.statistics.async_write(
                {flow: HourlyAmounts(answer.of(flow), {}) for flow in some},
                run.tolerance,
                asked=answer.asked,
            )
            run.count(written.values())
            cleared |= {flow for flow in written if written[flow].rows_missing}
        return frozenset(cleared)

    def _note_holes(self, run: _Run, answer: Answer) -> None:
        """Remember what is to be looked for at night: not what is not given at all."""
        piece = answer.start, answer.end
        self.left_out.settle(piece, apart_from(run.flows, answer.unknown))
        missing = among(run.flows, answer.unknown)
        if not missing:
            return
        hole = gap_of(piece, answer.of(missing[0]))
        if self.left_out.add(run.medium, hole, missing):
            run.new_holes[hole] = answer.unknown[missing[0]]

    def _tell(self, run: _Run) -> None:
        """Say what was stored, and once what the cloud does not give."""
        if run.written:
            LOGGER.debug("%s: %s hours written", run.medium, run.written)
        if run.new_holes:
            LOGGER.warning(
                "%s: the cloud does not give all %s of %s; it will be looked for again"
                " at night: %s",
                self._site.data.site.name,
                run.medium,
                in_words([*run.new_holes]),
                next(iter(run.new_holes.values())),
            )

    def report(self) -> dict[str, Any]:
        """Return what is missing or could not be compared, for diagnostics."""
        return {"left_out": self.left_out.report(), **self.months.report()}


def _going_on(
    statistics: SiteStatistics, flows: Iterable[Flow], span: Span
) -> list[Flow]:
    """Return the flows that are known up to a span, or farther."""
    return [flow for flow in flows if statistics.is_complete(flow, span[0])]
