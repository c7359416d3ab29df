"""Monthly rows of the cloud held against the stored sums: where does something differ?

One question tells of years. Months that make no sense (labels that mean no month, rows
that have nothing to do with the hours) are done without, for about a week.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from homeassistant.util import dt as dt_util
from homeassistant.util.limited_size_dict import LimitedSizeDict

from ..api import Resolution
from ..const import LOGGER
from ..metering.calendar import local_days, local_months
from ..metering.flows import Flow, Medium, apart_from
from ..metering.spans import Span, merged, without
from ..reading.answers import Answer, Question, joined, oldest_value
from ..reading.reader import SeriesReader
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.site_statistics import SiteStatistics
from .comparison import (
    Amounts,
    are_absurd,
    by_period,
    first_used,
    months_within,
    odd_periods,
    spans_of,
    told_between,
)
from .left_out import LeftOut
from .questions import async_if_given, in_background

ACCEPTED: Final = 5000
"""Differences that are remembered because every hour is as the cloud has it."""

REST: Final = timedelta(days=6, hours=18)
"""For about a week, months that made no sense are not asked for."""

type Flows = Sequence[Flow]


@dataclass(slots=True)
class Months:
    """What the cloud says of the months within a span, and which of them are odd."""

    medium: Medium
    span: Span
    bounds: list[datetime]
    """Whole months that can be compared lie between these."""
    told: datetime
    """The end of the last month of which the cloud said anything."""
    amounts: Mapping[Flow, Amounts]
    """Of the flows that the cloud gave; the month that is not whole is among them."""
    begin_late: bool = False
    """Whether the cloud does not give months as far back as hours."""
    has_gaps: bool = False
    """Whether months of a flow are missing between others."""
    odd: dict[Flow, dict[datetime, float]] = field(default_factory=dict)
    """By how much each odd month of a flow differs."""

    @property
    def first(self) -> datetime:
        """Return the first month with something; the first one, if none has."""
        return first_used(self.amounts.values()) or self.bounds[0]

    @property
    def odd_spans(self) -> list[Span]:
        """Return where months are odd, adjacent ones together, oldest first."""
        return spans_of(set[datetime]().union(*self.odd.values()), self.bounds)

    @property
    def odd_flows(self) -> list[Flow]:
        """Return the flows of which a month is odd."""
        return [flow for flow, periods in self.odd.items() if periods]

    @property
    def even_spans(self) -> list[Span]:
        """Return where nothing is missing, or nothing was used."""
        return without([(self.bounds[0], self.told)], self.odd_spans)


class MonthlyCheck:
    """Asks for months, compares them, and remembers what can't be explained."""

    def __init__(
        self,
        site: SiteCoordinator,
        reader: SeriesReader,
        statistics: SiteStatistics,
        left_out: LeftOut,
    ) -> None:
        """Check a site; what is known to be left out is nothing odd."""
        self.resting: dict[Medium, datetime] = {}
        """Media whose months made no sense, and until when they are not asked for."""
        self.first: dict[Medium, datetime] = {}
        """The first month in which the cloud has something, where it tells."""
        self._accepted: dict[Flow, LimitedSizeDict[datetime, float]] = {}
        self._left_out = left_out
        self._reader = reader
        self._site = site
        self._statistics = statistics

    async def async_ask(
        self, medium: Medium, flows: Flows, span: Span, *, confirm: bool = False
    ) -> Months | None:
        """Return what the cloud says of the months in a span, and which are odd.

        None if it says nothing of use. To `confirm`, that the months before the first row
        are empty is asked for once more by themselves: the reply may have been cut.
        """
        span = self._within_depth(medium, span)
        bounds = self._whole_months(medium, span)
        now = dt_util.utcnow()
        if not bounds or now < self.resting.get(medium, now):
            return None
        # With the month that is not whole.
        asked = bounds[0], local_months(span[1], span[1], self._site.data.zone)[-1]
        answer = await self._async_read(medium, flows, Resolution.MONTH, asked)
        if answer is None:
            return None
        given = apart_from(flows, answer.unknown)
        return await self._async_months(
            medium, given, span, asked, answer, confirm=confirm
        )

    async def _async_months(
        self,
        medium: Medium,
        flows: Flows,
        span: Span,
        asked: Span,
        answer: Answer,
        *,
        confirm: bool,
    ) -> Months | None:
        """Return what an answer says of months, and which are odd.

        None if that is of no use.
        """
        # By now it may be known from when on the cloud gives anything.
        bounds = self._whole_months(medium, span)
        if not bounds:
            return None
        periods = [*bounds, asked[1]]
        amounts = await self._async_amounts(medium, flows, answer, periods, confirm)
        if not amounts:
            return None
        told = min(told_between(*_reach(answer), periods)[1], bounds[-1])
        months = Months(medium, span, bounds, told, amounts)
        months.has_gaps = any(map(answer.has_gaps, flows))
        self._note_beginning(months, asked[0])
        await self.async_compare(months)
        return months

    def _note_beginning(self, months: Months, asked: datetime) -> None:
        """Note whether months begin late, and if not, from when on there is something."""
        depth = self._reader.depth(months.medium, Resolution.HOUR)
        months.begin_late = months.bounds[0] > max(filter(None, (asked, depth)))
        if months.told > months.bounds[0] and not months.begin_late:
            self.note_first(months.medium, months.first)

    async def _async_amounts(
        self,
        medium: Medium,
        flows: Flows,
        answer: Answer,
        periods: Sequence[datetime],
        confirm: bool,
    ) -> dict[Flow, Amounts]:
        """Return the amounts by month; nothing if they are of no use."""
        amounts = await self._async_periods(medium, flows, answer, periods)
        first = told_between(*_reach(answer), periods)[0]
        if not amounts or not confirm or first <= periods[0]:
            return amounts
        older = await self._async_older(medium, flows, first, periods)
        return {flow: {**older[flow], **amounts[flow]} for flow in older}

    async def _async_older(
        self,
        medium: Medium,
        flows: Flows,
        first: datetime,
        periods: Sequence[datetime],
    ) -> dict[Flow, Amounts]:
        """Return the amounts of the months before the `first`; nothing if none are told."""
        span = periods[0], first
        answer = await self._async_read(medium, flows, Resolution.MONTH, span)
        if answer is None:
            return {}
        return await self._async_periods(medium, flows, answer, periods)

    def _within_depth(self, medium: Medium, span: Span) -> Span:
        hours = self._reader.depth(medium, Resolution.HOUR)
        months = self._reader.depth(medium, Resolution.MONTH)
        return max(filter(None, (span[0], hours, months))), span[1]

    def _whole_months(self, medium: Medium, span: Span) -> list[datetime]:
        """Return the bounds of the months within a span that the cloud may give."""
        return months_within(self._within_depth(medium, span), self._site.data.zone)

    async def _async_read(
        self, medium: Medium, flows: Flows, resolution: Resolution, span: Span
    ) -> Answer | None:
        """Return an answer, or None where the cloud has none to such a question."""
        question = in_background(self._site.data, medium, flows, resolution, span)
        return await async_if_given(question, self._async_whole(question))

    async def _async_whole(self, question: Question) -> Answer | None:
        """Return an answer, or None where a piece of it tells of no flow."""
        answers: list[Answer] = []
        async for answer in self._reader.async_pieces(question):
            if answer.unknown.keys() >= set(question.flows):
                return None  # and so it would go on
            answers.append(answer)
        return joined(answers)

    async def _async_periods(
        self, medium: Medium, flows: Flows, answer: Answer, bounds: Sequence[datetime]
    ) -> dict[Flow, Amounts]:
        """Return the amounts by period; nothing if some belong to none."""
        found: dict[Flow, Amounts] = {}
        for flow in flows:
            await asyncio.sleep(0)  # of hundreds it takes a while
            found[flow], strange = by_period(answer.of(flow), bounds)
            if strange:
                self._rest(medium)
                return {}
        return found

    def _rest(self, medium: Medium) -> None:
        LOGGER.debug("The months of %s make no sense: without them", medium)
        self.resting[medium] = dt_util.utcnow() + REST

    def note_first(self, medium: Medium, first: datetime) -> None:
        """Note from when on there is something."""
        self.first[medium] = min(self.first.get(medium, first), first)

    async def async_compare(self, months: Months) -> None:
        """Find out which months are odd, by what is stored now.

        Not those of which is known that something can't be had.
        """
        start = self._within_depth(months.medium, months.span)[0]
        bounds = months.bounds[bisect_left(months.bounds, start) :]
        months.odd = {}
        if len(bounds) < 2:
            return
        stored = await self._statistics.async_amounts(tuple(months.amounts), bounds)
        for flow, cloud in months.amounts.items():
            await asyncio.sleep(0)
            months.odd[flow] = self._odd_of(flow, cloud, stored[flow], bounds)

    def _odd_of(
        self, flow: Flow, cloud: Amounts, stored: Amounts, bounds: Sequence[datetime]
    ) -> dict[datetime, float]:
        """Return by how much months of a flow are odd, if nothing explains it."""
        odd = odd_periods(cloud, stored, bounds, self._accepted.get(flow, {}))
        ends = dict(pairwise(bounds))
        return {
            start: difference
            for start, difference in odd.items()
            if not self._left_out.touches((start, ends[start]), flow)
        }

    def accept(self, months: Months, flows: Flows) -> None:
        """Take what is still odd of some flows for a whim of the cloud.

        Every hour is as it has it; it would be looked for in vain every night.
        """
        for flow in flows:
            some = self._accepted.setdefault(
                flow, LimitedSizeDict(size_limit=ACCEPTED // (len(flows) + 1) + 60)
            )
            some |= months.odd.get(flow, {})

    async def async_make_sense(self, months: Months) -> bool:
        """Return whether months have to do with the hours, by what is stored.

        If not, none is odd, and they are not asked for in the next week.
        """
        bounds = [*months.bounds, months.span[1]]  # the last month is not whole
        stored = await self._statistics.async_amounts(tuple(months.amounts), bounds)
        pairs = [(cloud, stored[flow]) for flow, cloud in months.amounts.items()]
        if not are_absurd(pairs, months.bounds[-1]):
            return True
        self._rest(months.medium)
        months.odd = {}
        return False

    async def async_odd_days(self, months: Months) -> list[Span]:
        """Return the days within odd months that differ; whole months if none does."""
        spans: list[Span] = []
        for span in months.odd_spans:
            spans += await self._async_odd_days(months, span) or [span]
        return merged(spans)

    async def _async_odd_days(self, months: Months, span: Span) -> list[Span]:
        flows = months.odd_flows
        bounds = local_days(*span, self._site.data.zone)
        answer = await self._async_read(months.medium, flows, Resolution.DAY, span)
        if answer is None:
            return []
        stored = await self._statistics.async_amounts(flows, bounds)
        odd = set[datetime]()
        for flow in flows:
            days, _ = by_period(answer.of(flow), bounds)
            odd |= odd_periods(days, stored[flow], bounds, {}).keys()
        # A difference too small for any one day is somewhere in all of them.
        return spans_of(odd, bounds)

    def report(self) -> dict[str, dict[str, str]]:
        """Return what is not compared, for diagnostics."""
        return {
            "without_months_until": {
                medium: until.isoformat() for medium, until in self.resting.items()
            },
        }


def _reach(answer: Answer) -> tuple[datetime | None, datetime | None]:
    """Return the oldest and the newest label of an answer that has a value."""
    oldest = min(filter(None, map(oldest_value, answer.replies)), default=None)
    return oldest, answer.newest
