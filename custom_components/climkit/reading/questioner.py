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

from ..api import (
    ClimkitAccessError,
    ClimkitAuthenticationError,
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitRateLimitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
    Resolution,
    Series,
)
from ..const import LOGGER
from ..metering.calendar import start_of_day, start_of_period
from ..metering.spans import Span, clipped, cut, without
from .answers import Question, newest_value, oldest_value
from .limits import INTERVAL, SHORTEST, Kind, Limits

RECENT: Final = timedelta(minutes=1)
"""An answer so long ago tells as much as a control."""

LATELY: Final = timedelta(minutes=5)
"""Who answered so long ago was asked in the same round."""

UNPUBLISHED: Final = timedelta(hours=3)
"""That the newest rows of so long are missing is no sign of a cut reply."""

_DAY: Final = timedelta(days=1)


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
    done: Settled = field(default_factory=Settled)
    suspects: dict[Span, tuple[int, timedelta, timedelta]] = field(default_factory=dict)
    """Rests of replies that may have been cut: rows, extent and length of each."""

    oldest: datetime | None = None
    """The start of the oldest piece that was answered."""
    again: Span | None = None
    """A piece that is asked for once more, for it may have been a slip."""
    met_bad_day: bool = False
    """Whether questions became short because of one day, which is left out now."""

    def is_open(self, piece: Span) -> bool:
        """Return whether a piece reaches up to the present."""
        return self.question.end is None and piece[1] >= self.present


@dataclass(slots=True)
class _Heard:
    """When somebody answered last, in which resolution, and how far the rows went."""

    at: datetime
    resolution: Resolution
    newest: datetime | None = None


class Questioner:
    """Asks for series within the limits of the cloud, and learns them."""

    def __init__(self, client: ClimkitClient, site_id: str, limits: Limits) -> None:
        """Ask through the account's client."""
        self._client = client
        self._site_id = site_id
        self._limits = limits
        self._heard: dict[str, _Heard] = {}

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
        work = _Work(kind, question, present, self._within_depth(kind, [span]))
        while work.todo:
            piece = self._next(kind, work.todo, question)
            try:
                series = await self._async_get(
                    kind, question, piece, work.is_open(piece)
                )
            except ClimkitError as err:
                await self._async_refused(work, piece, err)
            else:
                await self._async_answered(work, piece, series)
        return work.done

    def _within_depth(self, kind: Kind, spans: list[Span]) -> list[Span]:
        depth = self._limits.of(kind).depth
        return without(spans, [(spans[0][0], depth)]) if depth else spans

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

    async def _async_get(
        self, kind: Kind, question: Question, piece: Span, is_open: bool
    ) -> Series:
        ask = (
            self._client.site_series
            if kind.who == question.medium
            else self._client.meter_series
        )
        start, end = piece
        series = await ask(
            self._site_id,
            kind.who,
            kind.resolution,
            start,
            None if is_open else end,
            priority=question.priority,
        )
        heard = self._heard.get(kind.who)
        newest = newest_value(series) or (heard.newest if heard else None)
        self._heard[kind.who] = _Heard(dt_util.utcnow(), kind.resolution, newest)
        if series.columns:
            self._limits.columns[kind.who] = len(series.columns)
        return series

    def has_heard_others(self, who: str) -> bool:
        """Return whether somebody else has answered just now."""
        now = dt_util.utcnow()
        return any(
            now - heard.at < LATELY
            for other, heard in self._heard.items()
            if other != who
        )

    # --- A no ------------------------------------------------------------------------

    async def _async_refused(
        self, work: _Work, piece: Span, error: ClimkitError
    ) -> None:
        """Find out what a no means: too long, too far back, a bad day; or raise it."""
        kind, length = work.kind, piece[1] - piece[0]
        if not await self._async_is_about(work, piece, error):
            raise error
        limit = self._limits.of(kind)
        if limit.worked and length <= limit.worked and work.again != piece:
            work.again = piece
        elif self._limits.refuse(kind, length, dt_util.utcnow()):
            LOGGER.debug("%s: not %s at once: %s", kind.resolution, length, error)
        elif not await self._async_is_too_old(work, piece):
            LOGGER.debug("%s: nothing of %s: %s", kind.resolution, piece[0], error)
            work.done.error = error
            work.todo = without(work.todo, [piece])
            work.met_bad_day = True
        elif await self._async_find_depth(work, piece[1]):
            work.todo = self._within_depth(kind, work.todo)
        else:
            LOGGER.debug("%s: none at all: %s", kind.resolution, error)
            work.done.error = error
            work.todo = []

    async def _async_is_about(
        self, work: _Work, piece: Span, error: ClimkitError
    ) -> bool:
        """Return whether a no is about the question, and not about the weather."""
        if isinstance(error, (ClimkitAuthenticationError, ClimkitRateLimitError)):
            return False
        if isinstance(error, ClimkitConnectionError) and not isinstance(
            error, ClimkitTimeoutError
        ):
            return False
        heard = self._heard.get(work.kind.who)
        is_said = (getattr(error, "status", None) or 0) in range(400, 500)
        if is_said and heard and dt_util.utcnow() - heard.at < RECENT:
            return True
        try:
            await self._async_control(work)
        except ClimkitAuthenticationError, ClimkitRateLimitError:
            raise
        except ClimkitError:
            return False
        return True

    async def _async_control(self, work: _Work) -> Series:
        """Ask for the last day, in the resolution that was answered last."""
        heard = self._heard.get(work.kind.who)
        resolution = heard.resolution if heard else Resolution.HOUR
        now = dt_util.utcnow()
        kind = Kind(work.kind.who, resolution)
        longest = min(_DAY, self._limits.length(kind, now))
        start = now - max(longest, INTERVAL[resolution])
        return await self._async_get(kind, work.question, (start, now), is_open=True)

    async def _async_is_too_old(self, work: _Work, piece: Span) -> bool:
        """Return whether a piece that is refused lies too far back, like all before."""
        if piece[1] > dt_util.utcnow() - _DAY:
            return False
        oldest = self._limits.of(work.kind).oldest
        if oldest is None or oldest >= piece[1]:
            return True
        if work.oldest and work.oldest < piece[0]:
            return False  # what is older was answered a moment ago
        step = SHORTEST[work.kind.resolution]
        older = (
            piece[0] - 2 * step,
            piece[0] - step,
        )  # not beside it, if that is bad too
        return not await self._async_gives(work, older)

    async def _async_find_depth(self, work: _Work, refused: datetime) -> bool:
        """Find by halving from which day on the cloud gives something, if it does."""
        limit = self._limits.of(work.kind)
        step = SHORTEST[work.kind.resolution]
        newest = start_of_day(dt_util.utcnow() - step, work.question.zone)
        low, high = refused, max(limit.oldest or newest, refused)
        if not await self._async_gives(work, (high, high + step)):
            low, high = high, newest
            if not await self._async_gives(work, (high, high + step)):
                return False
        while high - low >= step:
            middle = max(low, start_of_day(low + (high - low) / 2, work.question.zone))
            if await self._async_gives(work, (middle, middle + step)):
                high = middle
            else:
                low = middle + step
        limit.depth, limit.depth_at = high, dt_util.utcnow()
        limit.oldest = high
        # That long questions were refused said nothing of their length.
        limit.length = limit.refused = limit.refused_at = None
        return True

    async def _async_gives(self, work: _Work, piece: Span) -> bool:
        try:
            await self._async_get(work.kind, work.question, piece, is_open=False)
        except ClimkitAccessError, ClimkitResponseError, ClimkitTimeoutError:
            return False
        return True

    async def async_look_further_back(self, kind: Kind, question: Question) -> bool:
        """Return whether the day before the depth is given now; forget the depth then."""
        limit = self._limits.of(kind)
        if limit.depth is None:
            return False
        step = SHORTEST[kind.resolution]
        work = _Work(kind, question, dt_util.utcnow(), [])
        given = await self._async_gives(work, (limit.depth - step, limit.depth))
        limit.depth_at = dt_util.utcnow()
        if given:
            limit.depth = limit.depth_at = limit.oldest = None
        return given

    # --- A yes -----------------------------------------------------------------------

    async def _async_answered(self, work: _Work, piece: Span, series: Series) -> None:
        """Take what came, and ask for what may have been cut off."""
        work.todo = without(work.todo, [piece])
        limit = self._limits.of(work.kind)
        oldest = oldest_value(series)
        self._judge_suspect(work, piece, came=oldest is not None)
        if oldest is None:
            await self._async_confirm_empty(work, piece)
            return
        work.done.replies.append(series)
        if work.met_bad_day:
            # That long questions were refused said nothing of their length.
            work.met_bad_day = False
            limit.length, limit.refused, limit.refused_at = limit.worked, None, None
        self._limits.worked(work.kind, piece[1] - piece[0])
        limit.oldest = min(limit.oldest or piece[0], piece[0])
        work.oldest = min(work.oldest or piece[0], piece[0])
        rests = list(self._rests(work, piece, oldest, newest_value(series) or oldest))
        rows = len(series.starts)
        if not rests:
            limit.rows = max(limit.rows, rows)
        elif rows > limit.rows:
            extent = (newest_value(series) or oldest) - oldest
            extent += INTERVAL[work.kind.resolution]
            for rest in rests:
                work.suspects[rest] = rows, extent, piece[1] - piece[0]
            work.todo = sorted([*work.todo, *rests])

    def _rests(
        self, work: _Work, piece: Span, oldest: datetime, newest: datetime
    ) -> Iterator[Span]:
        """Yield what lies in a piece before its first row and behind its last."""
        interval = INTERVAL[work.kind.resolution]
        if interval > _DAY:
            return  # so few rows are never cut
        slack = interval / 2 if interval == _DAY else timedelta()
        # A piece may begin within an interval, of which there is no row then.
        if oldest - piece[0] > (slack or interval - timedelta(seconds=1)):
            yield piece[0], oldest
        tail = newest + interval, piece[1]
        if work.is_open(piece):
            slack = UNPUBLISHED
        if tail[1] - tail[0] > slack:
            yield tail

    def _judge_suspect(self, work: _Work, piece: Span, *, came: bool) -> None:
        """Learn from the rest of a reply whether that reply had been cut."""
        for rest, (rows, extent, length) in list(work.suspects.items()):
            if clipped(rest, *piece) is None:
                continue
            del work.suspects[rest]
            if came:
                self._limits.shorten(work.kind, extent, length, dt_util.utcnow())
            else:
                limit = self._limits.of(work.kind)
                limit.rows = max(limit.rows, rows)

    async def _async_confirm_empty(self, work: _Work, piece: Span) -> None:
        """Make sure that nothing was used in a piece, or raise that it is not so sure.

        A cloud that has nothing to say of anything, though it had yesterday, is out of
        order; so the piece is not known to be empty.
        """
        now = dt_util.utcnow()
        heard = self._heard[work.kind.who]
        if heard.newest is None or heard.newest < piece[0] or work.is_open(piece):
            return  # nothing is published yet, or nothing but older rows were read
        if now - heard.newest > _DAY:
            return
        if newest_value(await self._async_control(work)) is None:
            raise ClimkitResponseError("site_data", "empty, though it had rows")
