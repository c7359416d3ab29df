"""Finds, by halving, from which hour (or day, month, year) on a cloud gives something.

A cloud may refuse whatever begins before some day; or say nothing at all of it, not
even of the part that it has.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from homeassistant.util import dt as dt_util

from ..api import Resolution, Series
from ..metering.calendar import local_days, local_months, start_of_period
from ..metering.hours import HOUR
from ..metering.spans import Span
from .answers import Question, newest_value
from .asking import DAY, Asker
from .limits import EVER, INTERVAL, NEVER, SHORTEST, Kind

MONTH: Final = 31 * DAY
BY_HOURS: Final = (Resolution.QUARTER_HOUR, Resolution.HOUR)

_UNITS: Final[Mapping[Resolution, Resolution]] = dict.fromkeys(BY_HOURS, Resolution.DAY)
"""By what is searched first, where that is longer than an interval."""

type _Calendar = Callable[[datetime, datetime, tzinfo], list[datetime]]
_CALENDARS: Final[Mapping[Resolution, _Calendar]] = {
    Resolution.DAY: local_days,
    Resolution.MONTH: local_months,
    Resolution.YEAR: local_months,
}
"""Where, among others, days, months and years begin."""


class DepthSearch:
    """Searches for the depth of one kind of question, and notes it in the limits."""

    def __init__(self, asker: Asker, kind: Kind, question: Question) -> None:
        """Ask as the question does."""
        self._asker = asker
        self._kind = kind
        self._question = question
        self._limit = asker.limits.of(kind)
        self._unit = _UNITS.get(kind.resolution, kind.resolution)

    async def async_is_too_old(self, piece: Span, answered: datetime) -> bool:
        """Return whether a piece that is refused lies too far back, like all before.

        `answered` is the start of the oldest piece that was answered a moment ago, or
        `NEVER`.
        """
        if piece[1] > dt_util.utcnow() - DAY:
            return False
        if self._limit.oldest >= piece[1]:
            return True
        if answered < piece[0]:
            return False
        step = SHORTEST[self._kind.resolution]
        # Not beside it, if that is bad too.
        return not await self._async_answers((piece[0] - 2 * step, piece[0] - step))

    async def async_is_never_short_enough(self, piece: Span) -> bool:
        """Return whether the shortest question is refused that begins with a long one."""
        end = piece[0] + SHORTEST[self._kind.resolution]
        return end < piece[1] and not await self._async_answers((piece[0], end))

    async def async_find(self, refused: datetime) -> bool:
        """Find the depth behind what was refused; return whether there is one."""
        # One that is over: what there is of it may be less than can be asked at once.
        newest = self._start(self._start(dt_util.utcnow()) - DAY)
        for known in (*self._likely(), newest):
            if newest >= known >= refused and await self._async_gives_from(known):
                near = refused if known == newest else await self._async_near(known)
                starts = self._starts(max(refused, near), known)
                self._note(await self._async_first(starts, self._async_gives_from))
                return True
        return False

    async def _async_near(self, known: datetime) -> datetime:
        """Return a month before what is given, if that is refused; or else any time.

        For what was likely is seldom far from the truth.
        """
        month = self._start(known - MONTH)
        return EVER if await self._async_gives_from(month) else month

    def _likely(self) -> list[datetime]:
        """Return from when on something may be given, by what was known till now."""
        some = []
        if self._limit.oldest < NEVER:
            some.append(self._start(self._limit.oldest))
        if self._limit.depth:
            some += [self._limit.depth + DAY, self._limit.depth + 7 * DAY]
        # Other resolutions seldom begin long before or after.
        return some or self._asker.limits.depths(self._kind.who)

    async def async_has_moved(self, piece: Span) -> bool:
        """Return whether a piece that is refused begins where the depth was, and find it.

        A cloud that keeps some years of the past forgets another day every day.
        """
        start = piece[0]
        if start != self._limit.depth or await self._async_gives_from(start):
            return False
        return await self.async_find(start)

    async def async_find_in_silence(
        self, piece: Span, newest: datetime
    ) -> tuple[datetime, Series] | None:
        """Find from when on a piece is given, the reply to all of it being empty.

        Though there is something at `newest` within it. Returns what came, and from when
        on; None if the cloud gives none of this kind.
        """
        given: dict[datetime, Series] = {}

        async def gives(start: datetime) -> bool:
            series = await self._async_try((start, piece[1]))
            if series and newest_value(series):
                given[start] = series
            return start in given

        last = max(self._start(newest), piece[0])
        if not await gives(last):
            return None
        starts = self._starts(piece[0], last)
        first = await self._async_first(starts, gives)
        await self._async_note_silence(piece, first)
        return first, given[first]

    async def _async_note_silence(self, piece: Span, first: datetime) -> None:
        """Note why nothing was said of what lies in a piece before some moment."""
        before = max(first - INTERVAL[self._kind.resolution], piece[0])
        if first > before and await self._async_has_values((before, first)):
            # It was too much at once, and not too old.
            length = 2 * (piece[1] - first)
            self._asker.limits.refuse(self._kind, length, dt_util.utcnow())
        else:
            self._note(first, is_silent=True)

    async def async_look_further_back(self) -> bool:
        """Return whether what lies before the depth is given now; forget it then."""
        depth = self._limit.depth
        if depth is None:
            return False
        is_given = await self._async_is_given(
            (depth - SHORTEST[self._kind.resolution], depth)
        )
        if is_given:
            self._asker.limits.forget_depth(self._kind.who)
        return is_given

    async def _async_is_given(self, piece: Span) -> bool:
        """Return whether a piece is given, by a cloud that says no, or says nothing."""
        if self._limit.is_silent:
            return await self._async_has_values(piece)
        return await self._async_answers(piece)

    async def _async_first(
        self,
        starts: Sequence[datetime],
        gives: Callable[[datetime], Awaitable[bool]],
    ) -> datetime:
        """Return from when on the cloud gives, as it does from the last of some starts.

        To the hour, where hours or quarter hours are asked for.
        """
        first = await _async_first(starts, gives)
        if self._kind.resolution not in BY_HOURS or first == starts[0]:
            return first
        before = starts[starts.index(first) - 1]
        hours = [before + n * HOUR for n in range(1, (first - before) // HOUR)]
        return await _async_first([*hours, first], gives)

    def _note(self, depth: datetime, *, is_silent: bool = False) -> None:
        self._asker.limits.begin_at(self._kind, depth, is_silent=is_silent)

    async def _async_gives_from(self, start: datetime) -> bool:
        return await self._async_answers(
            (start, start + SHORTEST[self._kind.resolution])
        )

    async def _async_answers(self, piece: Span) -> bool:
        return await self._async_try(piece) is not None

    async def _async_has_values(self, piece: Span) -> bool:
        series = await self._async_try(piece)
        return series is not None and newest_value(series) is not None

    async def _async_try(self, piece: Span) -> Series | None:
        return await self._asker.async_try(self._kind, self._question, piece)

    def _start(self, time: datetime) -> datetime:
        """Return the start of the day, month or year of a time."""
        return start_of_period(self._unit, time, self._question.zone)

    def _starts(self, first: datetime, last: datetime) -> Sequence[datetime]:
        """Return where the depth may be, oldest first; the last one surely gives."""
        begins = _CALENDARS[self._unit](first, last, self._question.zone)
        some = set(map(self._start, begins))
        return [*sorted(at for at in some if first <= at < last), last]


async def _async_first(
    starts: Sequence[datetime], gives: Callable[[datetime], Awaitable[bool]]
) -> datetime:
    """Return the first of some starts from which the cloud gives, as the last one does."""
    low, high = 0, len(starts) - 1
    while low < high:
        middle = (low + high) // 2
        if await gives(starts[middle]):
            high = middle
        else:
            low = middle + 1
    return starts[high]
