"""Asks one medium, or one meter, until a span of time is settled.

A no to a long question may mean that it was too long; to a short one that it lies too
far back, or that one day is bad. Which of them is found out by a control: something
small that was answered lately. If that is refused as well, it is weather, and nothing
is learned. A yes may be cut, or empty by mistake: then the rest is asked for by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from homeassistant.util import dt as dt_util

from ..api import (
    ClimkitAuthenticationError,
    ClimkitClient,
    ClimkitError,
    ClimkitRateLimitError,
    ClimkitResponseError,
    Series,
)
from ..const import LOGGER
from ..metering.calendar import start_of_period
from ..metering.spans import Span, cut, without
from .answers import Question, newest_value
from .asking import Asker, is_weather
from .cuts import Reply, Suspects
from .depth import DepthSearch
from .limits import Kind, Limits

SAID: Final = range(400, 500)
"""Statuses by which a cloud says something of the question, and not of itself."""


@dataclass(slots=True)
class Settled:
    """What became of a span: what came, and why not all of it is known."""

    replies: list[Series] = field(default_factory=list)
    error: ClimkitError | None = None

    @property
    def has_values(self) -> bool:
        """Return whether anything was measured."""
        return any(map(newest_value, self.replies))


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
    oldest: datetime | None = None
    """The start of the oldest piece that was answered."""
    again: Span | None = None
    """A piece that is asked for once more, for it may have been a slip."""
    met_bad_day: bool = False
    """Whether questions became short because of one day, which is left out now."""

    def is_open(self, piece: Span) -> bool:
        """Return whether a piece reaches up to the present."""
        return self.question.end is None and piece[1] >= self.present

    def give_up(self, error: ClimkitError, *pieces: Span) -> None:
        """Note that some pieces are not known, or nothing of all that is left."""
        self.done.error = error
        self.todo = without(self.todo, pieces) if pieces else []


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
            piece = self._next(kind, work.todo, question)
            is_open, known = work.is_open(piece), self._asker.known(who)
            try:
                series = await self._asker.async_get(
                    kind, question, piece, is_open=is_open
                )
            except ClimkitError as err:
                await self._async_refused(work, piece, err)
            else:
                is_again = work.again == piece
                reply = Reply(series, piece, present, is_open, is_again, known)
                await self._async_answered(work, reply)
        return work.done

    def _within_depth(self, kind: Kind, spans: list[Span]) -> list[Span]:
        depth = self._limits.of(kind).depth
        return without(spans, [(spans[0][0], depth)]) if depth and spans else spans

    def _next(self, kind: Kind, todo: list[Span], question: Question) -> Span:
        """Return the next piece; months and days begin and end with themselves."""
        newest_first = question.end is None
        length = self._limits.length(kind, dt_util.utcnow())
        span = todo[-1 if newest_first else 0]
        start, end = cut(span, length, newest_first=newest_first)
        if end < span[1]:
            whole = start_of_period(kind.resolution, end, question.zone)
            end = whole if whole > start else end
        return start, end

    # --- A no ------------------------------------------------------------------------

    async def _async_refused(
        self, work: _Work, piece: Span, error: ClimkitError
    ) -> None:
        """Find out what a no means: too long, too far back, a bad day; or raise it."""
        kind, length = work.kind, piece[1] - piece[0]
        if not await self._async_is_about(work, error):
            raise error
        limit = self._limits.of(kind)
        if limit.worked and length <= limit.worked and not work.again:
            work.again = piece
        elif await work.depth.async_has_moved(piece):
            work.todo = self._within_depth(kind, work.todo)
        elif self._limits.refuse(kind, length, dt_util.utcnow()):
            LOGGER.debug("%s: not %s at once: %s", kind.resolution, length, error)
        elif not await work.depth.async_is_too_old(piece, work.oldest):
            LOGGER.debug("%s: nothing of %s: %s", kind.resolution, piece[0], error)
            work.give_up(error, piece)
            work.met_bad_day = True
        elif await work.depth.async_find(piece[1]):
            work.todo = self._within_depth(kind, work.todo)
        else:
            LOGGER.debug("%s: none at all: %s", kind.resolution, error)
            work.give_up(error)

    async def _async_is_about(self, work: _Work, error: ClimkitError) -> bool:
        """Return whether a no is about the question, and not about the weather."""
        if is_weather(error):
            return False
        heard = self._asker.heard(work.kind.who)
        if getattr(error, "status", None) in SAID and heard and heard.is_recent:
            return True
        try:
            await self._asker.async_control(work.kind.who, work.question)
        except ClimkitAuthenticationError, ClimkitRateLimitError:
            raise
        except ClimkitError:
            return False
        return True

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
        empty = self._empty.pop(work.kind, None)
        if empty and empty[1] == piece[0] == reply.series.starts[0]:
            await self._async_search(work, empty, empty[1] - reply.interval)

    def _learn(self, work: _Work, piece: Span, series: Series) -> None:
        work.done.replies.append(series)
        limit = self._limits.of(work.kind)
        if work.met_bad_day:
            # That long questions were refused said nothing of their length.
            work.met_bad_day = False
            limit.length, limit.refused, limit.refused_at = limit.worked, None, None
        self._limits.worked(work.kind, piece[1] - piece[0])
        limit.oldest = min(limit.oldest or piece[0], piece[0])
        work.oldest = min(work.oldest or piece[0], piece[0])

    async def _async_nothing(self, work: _Work, reply: Reply) -> None:
        """Make sure that nothing was used in a piece, or raise that it is not so sure.

        A cloud that has nothing to say of anything, though it had yesterday, is out of
        order; so the piece is not known to be empty. Nor is it where something of it is
        known: then the cloud says nothing of so much at once, or from so long ago.
        """
        piece, known = reply.piece, reply.known_within
        if reply.is_open or all(at < piece[0] for at in reply.known):
            return  # nothing is published yet, or nothing but older rows were read
        if not await self._async_has_values(work):
            raise ClimkitResponseError("site_data", "empty, though it had rows")
        if known is None:
            self._empty[work.kind] = piece
        elif not reply.is_again:
            work.again = piece
            work.todo = sorted([*work.todo, piece])
        elif not await self._async_search(work, piece, known):
            work.give_up(ClimkitResponseError("site_data", "empty, though it has rows"))

    async def _async_has_values(self, work: _Work) -> bool:
        """Return whether there is something at present."""
        who = work.kind.who
        if (heard := self._asker.heard(who)) and heard.had_values:
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
