"""The one part that asks for series, for polls, import, nightly check and actions alike.

One request brings a medium's totals of the site and the columns of all meters. Only a
meter without a column, or credentials that may not read the site, cost a request per
meter. What a cloud refuses, cuts or leaves out is noticed here, and nowhere else:
`questioner` asks one of them until a span is settled, the reader decides who is asked.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import filterfalse
from typing import Any

from homeassistant.util import dt as dt_util

from ..api import ClimkitAccessError, ClimkitClient, ClimkitError, Column, Resolution
from ..metering.flows import Flow, Medium
from ..metering.spans import Span
from .answers import Answer, Question, joined
from .limits import Kind, Limits
from .questioner import Questioner
from .refusals import FAILURES, Refusals, together
from .settled import Settled


class SeriesReader:
    """Reads the series of one site; what it learns of the cloud is in its limits."""

    def __init__(
        self,
        client: ClimkitClient,
        site_id: str,
        limits: Limits,
        refusals: Refusals,
        save: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Read through the account's client; `save` what is learned of the cloud."""
        self._save = save
        self._saved = limits.as_dict()
        self.limits = limits
        self.refusals = refusals
        self._client = client
        self._site_id = site_id
        self._questioner = Questioner(client, site_id, limits)

    def gives(self, flow: Flow) -> bool:
        """Return whether the cloud gives a flow at present, as far as is known.

        A meter may be read by itself where its site may not be; but not where the
        medium is out of order.
        """
        error = self.refusals.error(flow.medium)
        alone = flow.meter_id is not None and isinstance(error, ClimkitAccessError)
        way = together(flow.medium) if alone else flow.medium
        refused = self.refusals.refused
        return flow.meter_id not in refused and way not in refused

    def is_withdrawn(self, flows: Sequence[Flow], now: datetime) -> bool:
        """Return whether none of these flows may be read any longer.

        That credentials may not read the site says nothing where they may read a meter:
        a resident's may never have read more.
        """
        withdrawn = partial(self.refusals.is_withdrawn, now=now)
        return bool(flows) and all(
            withdrawn(flow.medium)
            and (
                flow.meter_id is None
                or withdrawn(flow.meter_id)
                or withdrawn(together(flow.medium))
            )
            for flow in flows
        )

    def depth(self, medium: Medium, resolution: Resolution) -> datetime | None:
        """Return before when the cloud gives nothing of a medium, if it says so."""
        return self.limits.of(Kind(medium, resolution)).begins(dt_util.utcnow())

    async def async_read(self, question: Question) -> Answer:
        """Return the answer to a question, whole; see `async_pieces`."""
        return joined([answer async for answer in self.async_pieces(question)])

    async def async_pieces(self, question: Question) -> AsyncIterator[Answer]:
        """Yield the answer piece by piece, each small enough for the memory.

        What failed is named in the answers. Raises ClimkitError only if nothing at all
        can be had now; ClimkitAuthenticationError if the credentials are refused.
        """
        kind = Kind(question.medium, question.resolution)
        present = dt_util.utcnow()
        span = question.span(present)
        for piece in self._questioner.pieces(kind, span, question):
            try:
                yield await self._async_answer(question, piece, present)
            finally:
                self._keep_what_was_learned()

    async def _async_answer(
        self, question: Question, piece: Span, present: datetime
    ) -> Answer:
        """Return the answer to one piece: of the site, and of meters by themselves."""
        asked = dt_util.utcnow()
        site = await self._async_site(question, piece, present)
        told = await self._async_meters(question, site, piece, present)
        whole = Settled.of([site, *told.values()])
        if question.end is None or self.refusals.error(question.medium):
            whole.raise_if_nothing_came()
        unknown = _unknown(question.flows, site, told)
        return Answer(*piece, asked, whole.replies, unknown)

    async def _async_site(
        self, question: Question, piece: Span, present: datetime
    ) -> Settled:
        """Ask for a medium of the whole site.

        Credentials that may not read it may still read meters: then it is refused, and
        not raised.
        """
        medium = question.medium
        now = dt_util.utcnow()
        if error := self.refusals.still(medium, now):
            return _of_site(error)
        try:
            site = await self._questioner.async_settle(medium, question, piece, present)
        except FAILURES as err:
            if not await self._async_answers_otherwise(medium, err):
                raise  # weather
            self.refusals.failed(medium, err, now)
            return _of_site(err)
        # A meter that has a column need not be asked for by itself.
        for who in (medium, *site.meters):
            self.refusals.worked(who)
        return site

    async def _async_meters(
        self, question: Question, site: Settled, piece: Span, present: datetime
    ) -> dict[str | None, Settled]:
        """Ask for meters by themselves, if the site's reply lacks some.

        But not where neither the site nor any of them may be read: then they are asked
        again together.
        """
        now = dt_util.utcnow()
        meters = self._alone(question, site, now)
        everybody = together(question.medium)
        if site.error and (error := self.refusals.still(everybody, now)):
            return dict.fromkeys(meters, Settled(error=error))
        return await self._async_each(meters, question, site, piece, present)

    async def _async_each(
        self,
        meters: Sequence[str],
        question: Question,
        site: Settled,
        piece: Span,
        present: datetime,
    ) -> dict[str | None, Settled]:
        """Ask for meters one by one; that one fails is said of it alone."""
        now = dt_util.utcnow()
        told: dict[str | None, Settled] = {
            who: Settled(error=self.refusals.error(who)) for who in meters
        }
        asked = [*filter(partial(self.refusals.may_ask, now=now), meters)]
        errors: dict[str, ClimkitError] = {}
        for who in asked:
            try:
                told[who] = await self._async_meter(who, question, piece, present)
            except FAILURES as err:
                told[who], errors[who] = Settled(error=err), err
        self._note_failures(together(question.medium), site, len(asked), errors, now)
        return told

    def _note_failures(
        self,
        everybody: str,
        site: Settled,
        asked: int,
        errors: Mapping[str, ClimkitError],
        now: datetime,
    ) -> None:
        """Note which meters did not answer, or that nobody did of those asked."""
        if site.error and 0 < asked == len(errors):
            self.refusals.failed(everybody, [*errors.values()][-1], now)
            return
        self.refusals.worked(everybody)
        for who, error in errors.items():
            self.refusals.failed(who, error, now)

    async def _async_meter(
        self, meter_id: str, question: Question, piece: Span, present: datetime
    ) -> Settled:
        """Ask for a meter by itself; raises ClimkitError if it does not answer."""
        now = dt_util.utcnow()
        meter = await self._questioner.async_settle(meter_id, question, piece, present)
        self.refusals.worked(meter_id, is_silent=not meter.has_values)
        if question.end is None and not meter.has_values:
            self.refusals.rest(meter_id, now)
        return meter

    def _alone(self, question: Question, site: Settled, now: datetime) -> Sequence[str]:
        """Return the meters whose series did not come with the site's."""
        if not self._must_ask_meters(question.medium, site):
            return ()
        missing = _without_columns(question.flows, site.columns)
        if site.error or question.end:
            return missing
        return [*filterfalse(partial(self.refusals.is_resting, now=now), missing)]

    def _must_ask_meters(self, medium: Medium, site: Settled) -> bool:
        """Return whether the site's reply, or refusal, leaves something to its meters."""
        if not site.error:
            return site.has_values  # nothing in this span, so no columns either
        if site.replies:
            return True
        # Otherwise it is the question that is refused, and not the site.
        return self.refusals.error(medium) is not None

    async def _async_answers_otherwise(self, medium: Medium, err: ClimkitError) -> bool:
        """Return whether the cloud answers, though it does not give this medium."""
        if self.refusals.error(medium) or self._questioner.has_heard_others(medium):
            return True
        return isinstance(err, ClimkitAccessError) and await self._async_lists_meters()

    async def _async_lists_meters(self) -> bool:
        """Return whether the cloud gives the list of the site's meters."""
        try:
            await self._client.meters(self._site_id)
        except FAILURES:
            return False
        return True

    def _keep_what_was_learned(self) -> None:
        if (learned := self.limits.as_dict()) != self._saved:
            self._saved = learned
            self._save(learned)

    async def async_look_further_back(self, question: Question) -> bool:
        """Ask for the day before the depth; if the cloud gives it now, forget the depth.

        One request, and none where no depth is known.
        """
        kind = Kind(question.medium, question.resolution)
        given = await self._questioner.async_look_further_back(kind, question)
        self._keep_what_was_learned()
        return given


def _unknown(
    flows: Iterable[Flow], site: Settled, told: Mapping[str | None, Settled]
) -> dict[Flow, ClimkitError]:
    """Return the flows of which not all is known, and why.

    Of a meter that was asked by itself, that is what was `told` of it.
    """
    return {
        flow: error for flow in flows if (error := told.get(flow.meter_id, site).error)
    }


def _of_site(error: ClimkitError) -> Settled:
    """Return that a site may not be read, though its meters may be; or raise it."""
    if isinstance(error, ClimkitAccessError):
        return Settled(error=error)
    raise error


def _without_columns(flows: Iterable[Flow], columns: set[Column]) -> list[str]:
    """Return the meters of which a flow has no column, each once, in their order."""
    meters = (flow.meter_id for flow in flows if flow.column not in columns)
    return [*dict.fromkeys(filter(None, meters))]


async def async_answers(
    reader: SeriesReader, questions: Iterable[Question]
) -> list[Answer]:
    """Return the answers to several questions; of one that fails, why nothing is known.

    Raises ClimkitError for what would befall every question.
    """
    answers = []
    for question in questions:
        try:
            answer = await reader.async_read(question)
        except FAILURES as err:
            now = dt_util.utcnow()
            unknown = dict.fromkeys(question.flows, err)
            answer = Answer(*question.span(now), now, (), unknown)
        answers.append(answer)
    return answers
