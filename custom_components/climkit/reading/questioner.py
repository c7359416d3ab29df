"""Asks one medium, or one meter, until a span of time is settled.

A no to a long question may mean that it was too long; to a short one that it lies too
far back, or that one day is bad. Which of them is found out by a control: something
small that was answered lately. If that is refused as well, it is weather, and nothing
is learned. A yes may be cut, or empty by mistake: then the rest is asked for by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from ..api import ClimkitClient, ClimkitError, ClimkitResponseError, Series
from ..const import LOGGER
from ..metering.calendar import start_of_period
from ..metering.spans import Span, cut, without
from .answers import Question, newest_value
from .asking import Asker, is_weather
from .cuts import Reply, Suspects
from .depth import DepthSearch
from .limit import EVER, NEVER
from .limits import Kind, Limits
from .settled import Settled

SAID: Final = range(400, 500)
"""Statuses by which a cloud says something of the question, and not of itself."""

NOTHING: Final = (NEVER, NEVER)
"""A span without any time."""


@dataclass(slots=True)
class _Work:
    """A span that is being settled."""

    kind: Kind
    question: Question
    present: datetime
    todo: list[Span]
    suspects: Suspects
    depth: DepthSearch
    done: Settled = field(default_factory=Settled)
    oldest: datetime = NEVER
    """The start of the oldest piece that was answered."""
    again: Span | None = None
    """A piece that is asked for once more, for it may have been a slip."""
    has_looked_back: bool = False
    """Whether it was asked if all that is old is refused, however short."""
    met_bad_day: bool = False
    """Whether questions became short because of one day, which is left out now."""

    def is_open(self, piece: Span) -> bool:
        """Return whether a piece reaches up to the present."""
        return self.question.end is None and piece[1] >= self.present

    def may_be_slip(self, piece: Span, worked: timedelta) -> bool:
        """Return whether a no is the first one, to no more than has worked."""
        return not self.again and piece[1] - piece[0] <= worked

    def leave_out(self, piece: Span, error: ClimkitError) -> None:
        """Note that one piece is not known, for it has a bad day."""
        self.done.error = error
        self.todo = without(self.todo, [piece])
        self.met_bad_day = True

    def give_up(self, error: ClimkitError) -> None:
        """Note that nothing is known of all that is left."""
        self.done.error = error
        self.todo = []


class Questioner:
    """Asks for series within the limits of the cloud, and learns them."""

    def __init__(self, client: ClimkitClient, site_id: str, limits: Limits) -> None:
        """Ask through the account's client."""
        self._asker = Asker(client, site_id, limits)
        self._limits = limits
        self._empty: dict[Kind, Span] = {}
        """The last piece of each kind of which the cloud said nothing."""

    def has_heard_others(self, who: str) -> bool:
        """Return whether somebody else has answered just now."""
        return self._asker.has_heard_others(who)

    async def async_look_further_back(self, kind: Kind, question: Question) -> bool:
        """Return whether the day before the depth is given now; forget the depth then."""
        return await DepthSearch(self._asker, kind, question).async_look_further_back()

    def pieces(self, kind: Kind, span: Span, question: Question) -> Iterator[Span]:
        """Yield a span piece by piece, as long as the limits allow when it is due."""
        todo = self._within_depth(kind, [span])
        if not todo:
            yield span  # all of it is known to be empty
        while todo:
            piece = self._next(kind, todo, question)
            yield piece
            todo = without(todo, [piece])

    async def async_settle(
        self, who: str, question: Question, span: Span, present: datetime
    ) -> Settled:
        """Ask until it is settled what was measured in a span, or that it is not known.

        A question without an end goes up to the `present`. Raises ClimkitError if nobody
        answers at the moment.
        """
        kind = Kind(who, question.resolution)
        work = _Work(
            kind,
            question,
            present,
            self._within_depth(kind, [span]),
            Suspects(kind, self._limits),
            DepthSearch(self._asker, kind, question),
        )
        while work.todo:
            await self._async_ask(work, self._next(kind, work.todo, question))
        return work.done

    async def _async_ask(self, work: _Work, piece: Span) -> None:
        """Ask for one piece, and take what the cloud says of it."""
        is_open, known = work.is_open(piece), self._asker.known(work.kind.who)
        try:
            series = await self._asker.async_get(
                work.kind, work.question, piece, is_open=is_open
            )
        except ClimkitError as err:
            await self._async_refused(work, piece, err)
            return
        is_again = work.again == piece
        reply = Reply(series, piece, work.present, is_open, is_again, known)
        await self._async_answered(work, reply)

    def _within_depth(self, kind: Kind, spans: list[Span]) -> list[Span]:
        depth = self._limits.of(kind).begins(dt_util.utcnow())
        return without(spans, [(EVER, depth)]) if depth else spans

    def _next(self, kind: Kind, todo: list[Span], question: Question) -> Span:
        """Return the next piece; months and days begin and end with themselves."""
        newest_first = question.end is None
        length = self._limits.length(kind, dt_util.utcnow())
        span = todo[-1 if newest_first else 0]
        piece = cut(span, length, newest_first=newest_first)
        return _of_whole_periods(piece, question) if piece[1] < span[1] else piece

    # --- A no ------------------------------------------------------------------------

    async def _async_refused(
        self, work: _Work, piece: Span, error: ClimkitError
    ) -> None:
        """Find out what a no means: too long, too far back, a bad day; or raise it."""
        kind, length = work.kind, piece[1] - piece[0]
        if not await self._async_is_about(work, error):
            raise error
        if work.may_be_slip(piece, self._limits.of(kind).worked):
            work.again = piece
        elif await self._async_begins_too_early(work, piece, error):
            work.todo = self._within_depth(kind, work.todo)
        elif self._limits.refuse(kind, length, dt_util.utcnow()):
            LOGGER.debug("%s: not %s at once: %s", kind.resolution, length, error)
        else:
            await self._async_shortest_refused(work, piece, error)

    async def _async_begins_too_early(
        self, work: _Work, piece: Span, error: ClimkitError
    ) -> bool:
        """Return whether a no means that a piece begins too early, and find the depth.

        That is asked once of a kind that was never answered: it spares all the halving.
        If the newest is refused as well, nothing is given, however short.
        """
        if await work.depth.async_has_moved(piece):
            return True
        if work.has_looked_back or self._limits.of(work.kind).oldest < NEVER:
            return False
        work.has_looked_back = True
        if await work.depth.async_is_as_others(piece[0]):
            return True
        if error.status not in SAID:
            return False
        if not await work.depth.async_is_never_short_enough(piece):
            return False
        if not await work.depth.async_find(piece[0]):
            work.give_up(error)
        return True

    async def _async_shortest_refused(
        self, work: _Work, piece: Span, error: ClimkitError
    ) -> None:
        """Find out what a no means to a piece that can't be any shorter."""
        kind = work.kind
        if not await work.depth.async_is_too_old(piece, work.oldest):
            LOGGER.debug("%s: nothing of %s: %s", kind.resolution, piece[0], error)
            work.leave_out(piece, error)
        elif await work.depth.async_find(piece[0]):
            work.todo = self._within_depth(kind, work.todo)
        else:
            LOGGER.debug("%s: none at all: %s", kind.resolution, error)
            work.give_up(error)

    async def _async_is_about(self, work: _Work, error: ClimkitError) -> bool:
        """Return whether a no is about the question, and not about the weather."""
        if is_weather(error):
            return False
        who = work.kind.who
        if error.status in SAID and self._asker.heard(who).is_recent:
            return True
        return await self._asker.async_answers(who, work.question)

    # --- A yes -----------------------------------------------------------------------

    async def _async_answered(self, work: _Work, reply: Reply) -> None:
        """Take what came, and ask for what may have been cut off."""
        piece = reply.piece
        work.again = None
        work.todo = without(work.todo, [piece])
        work.suspects.judge(piece, reply.series, dt_util.utcnow())
        if newest_value(reply.series) is None:
            await self._async_nothing(work, reply)
            return
        self._learn(work, piece, reply.series)
        work.todo = sorted([*work.todo, *work.suspects.take(reply)])
        empty = self._empty.pop(work.kind, NOTHING)
        if empty[1] == piece[0] == reply.series.starts[0]:
            await self._async_search(work, empty, empty[1] - reply.interval)

    def _learn(self, work: _Work, piece: Span, series: Series) -> None:
        work.done.replies.append(series)
        limit = self._limits.of(work.kind)
        if work.met_bad_day:
            # That long questions were refused said nothing of their length.
            work.met_bad_day = False
            limit.forget_refused(limit.worked or None)
        self._limits.worked(work.kind, piece[1] - piece[0])
        limit.answered(piece[0])
        work.oldest = min(work.oldest, piece[0])

    async def _async_nothing(self, work: _Work, reply: Reply) -> None:
        """Make sure that nothing was used in a piece, or raise that it is not so sure.

        A cloud that has nothing to say of anything, though it had yesterday, is out of
        order; so the piece is not known to be empty. Nor is it where something of it is
        known: then the cloud says nothing of so much at once, or from so long ago.
        """
        if reply.may_be_empty or not _has_a_beginning(reply.piece, work.question):
            return
        if not await self._async_has_values(work):
            raise ClimkitResponseError("site_data", "empty, though it had rows")
        if known := reply.known_within:
            await self._async_lacks(work, reply, known)
        else:
            self._empty[work.kind] = reply.piece

    async def _async_lacks(self, work: _Work, reply: Reply, known: datetime) -> None:
        """Ask once more for what is `known` to have rows; then search what is given."""
        piece = reply.piece
        if not reply.is_again:
            work.again = piece
            work.todo = sorted([*work.todo, piece])
        elif not await self._async_search(work, piece, known):
            work.give_up(ClimkitResponseError("site_data", "empty, though it has rows"))

    async def _async_has_values(self, work: _Work) -> bool:
        """Return whether there is something at present."""
        who = work.kind.who
        if self._asker.heard(who).had_values:
            return True
        control = await self._asker.async_control(who, work.question)
        return newest_value(control) is not None

    async def _async_search(self, work: _Work, piece: Span, newest: datetime) -> bool:
        """Search a piece for what is given of it; return whether something is."""
        found = await work.depth.async_find_in_silence(piece, newest)
        if found is None:
            return False
        start, series = found
        work.done.replies.append(series)
        work.todo = without([*work.todo, piece], [(start, piece[1])])
        work.todo = self._within_depth(work.kind, work.todo)
        return True


def _has_a_beginning(piece: Span, question: Question) -> bool:
    """Return whether an interval begins in a piece: of the last days of March no month."""
    start, end = piece
    newest = end - timedelta.resolution
    return start <= start_of_period(question.resolution, newest, question.zone)


def _of_whole_periods(piece: Span, question: Question) -> Span:
    """Return a piece that ends where an interval begins, if it is longer than one."""
    start, end = piece
    whole = start_of_period(question.resolution, end, question.zone)
    return start, whole if whole > start else end
