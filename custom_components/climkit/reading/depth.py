"""Finds, by halving, from which hour (or day, month, year) on a cloud gives something.

A cloud may refuse whatever begins before some day; or say nothing at all of it, not
even of the part that it has. Where one kind of question was given from some time on,
the search of another begins: two questions confirm that it is the same.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from homeassistant.util import dt as dt_util

from ..api import Resolution, Series
from ..metering.calendar import local_days, local_months, start_of_period
from ..metering.hours import HOUR
from ..metering.spans import Span
from .answers import Question, newest_value
from .asking import DAY, Asker
from .limit import EVER, NEVER, Limit
from .limits import SHORTEST, Kind

MONTH: Final = 31 * DAY
BY_HOURS: Final = (Resolution.QUARTER_HOUR, Resolution.HOUR)

EARLY: Final = timedelta(hours=2)
"""So long before its beginning a question may bring rows: if it is read as local time."""

type _Calendar = Callable[[datetime, datetime, tzinfo], list[datetime]]
_CALENDARS: Final[Mapping[Resolution, _Calendar]] = {
    Resolution.DAY: local_days,
    Resolution.MONTH: local_months,
    Resolution.YEAR: local_months,
}
"""Where, among others, days, months and years begin."""

type _Gives = Callable[[datetime], Awaitable[bool]]
"""Tells whether the cloud gives something from a time on."""


class DepthSearch:
    """Searches for the depth of one kind of question, and notes it in the limits.

    Days, months and years are looked for by when they begin. Of hours it is looked for
    when a question may begin; what comes then tells which is the first.
    """

    def __init__(self, asker: Asker, kind: Kind, question: Question) -> None:
        """Ask as the question does."""
        self._asker = asker
        self._kind = kind
        self._question = question
        self._limit = asker.limits.of(kind)
        self._by_hours = kind.resolution in BY_HOURS
        self._alike = BY_HOURS if self._by_hours else (kind.resolution,)
        self._unit = Resolution.DAY if self._by_hours else kind.resolution
        self._zone = UTC if self._by_hours else question.zone
        self._told: dict[datetime, Series | None] = {}
        """What came of short questions, by when they began."""

    # --- Is it the depth? ------------------------------------------------------------

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

    async def async_is_as_others(self, refused: datetime) -> bool:
        """Return whether a kind is given from when on another is, and note it then.

        Though what begins earlier, at `refused`, is not.
        """
        low, newest = self._asked_from(refused), self._newest()
        for before, likely in self._of_others():
            if low < likely <= newest and await self._async_gives_from(likely):
                is_first = not await self._async_gives_from(before)
                if is_first:
                    self._note(likely)
                return is_first
        return False

    async def async_has_moved(self, piece: Span) -> bool:
        """Return whether the depth has moved on past a piece that is refused; find it."""
        start, end = piece[0], piece[0] + SHORTEST[self._kind.resolution]
        if not self._limit.may_have_passed(start, dt_util.utcnow()):
            return False
        if end < piece[1] and await self._async_answers((start, end)):
            return False
        return await self.async_find(start)

    async def async_look_further_back(self) -> bool:
        """Return whether what lies before the depth is given now; forget it then."""
        now, limit = dt_util.utcnow(), self._limit
        if (depth := limit.begins(now)) is None:
            return False
        at = limit.earliest_about(depth, now) or depth
        series = await self._async_short(at - SHORTEST[self._kind.resolution])
        # A cloud may say no, or say nothing.
        is_given = _has_values(series) if limit.is_silent else series is not None
        if is_given:
            self._asker.limits.forget_depth(self._kind.who)
        return is_given

    # --- Where is it? ----------------------------------------------------------------

    async def async_find(self, refused: datetime) -> bool:
        """Find the depth behind what was refused; return whether there is one."""
        newest = self._newest()
        some = [one for one in self._likely() if one[1] < newest]
        first = await self._async_search(
            self._asked_from(refused), [*some, (EVER, newest)], self._async_gives_from
        )
        if first:
            self._note(first)
        return first is not None

    async def async_find_in_silence(
        self, piece: Span, newest: datetime
    ) -> tuple[datetime, Series] | None:
        """Find from when on a piece is given, the reply to all of it being empty.

        Though there is something at `newest` within it. Returns what came, and from when
        on; None if the cloud gives none of this kind.
        """
        given: dict[datetime, Series] = {}

        async def gives(at: datetime) -> bool:
            start = max(self._rows_from(at), piece[0])
            series = await self._async_from(at, (start, piece[1]))
            if series and _has_values(series):
                given[at] = series
            return at in given

        last = max(self._start(newest), piece[0])
        some = [one for one in self._of_others() if one[1] < last]
        first = await self._async_search(
            self._asked_from(piece[0]), [*some, (EVER, last)], gives
        )
        if first is None:
            return None
        series = self._told[first] = given[first]
        await self._async_note_silence(piece, first)
        return self._beginning(first), series

    async def _async_note_silence(self, piece: Span, first: datetime) -> None:
        """Note why nothing was said of what lies in a piece before some moment."""
        before = self._before(first)
        if _has_values(await self._async_short(before)):
            # It was too much at once, and not too old.
            length = 2 * (piece[1] - first)
            self._asker.limits.refuse(self._kind, length, dt_util.utcnow())
        else:
            self._note(first, is_silent=True)

    def _likely(self) -> list[Span]:
        """Return from when on something may be given, and from when on not; oldest first."""
        if some := self._of_others():
            return some
        # Other resolutions seldom begin long before or after.
        known = [limit.depth for limit in self._asker.limits.depths(Resolution)]
        known.append(self._limit.oldest)
        begins = {self._next_start(at) for at in known if at and at < NEVER}
        return [(self._start(at - MONTH), at) for at in sorted(begins)]

    def _of_others(self) -> list[Span]:
        """Return from when on others of the resolution are given, and a moment before.

        And from when on, if they are given for some years only, and no more for ever.
        """
        some = set[datetime]()
        for limit in self._asker.limits.depths(self._alike):
            some |= {*self._now_and_then(limit)}
        return [(self._before(at), at) for at in sorted(some)]

    def _now_and_then(self, limit: Limit) -> Iterator[datetime]:
        """Yield where a depth was found, and where it is if it moves on every day.

        Its own may have moved on by another since midnight.
        """
        at = limit.earliest or limit.depth or EVER
        moved = at + limit.days_since(dt_util.utcnow()) * DAY
        if not limit.moves:
            yield at
        yield moved if self._by_hours else self._next_start(moved)
        if limit is self._limit and self._by_hours:
            yield moved + DAY

    async def _async_search(
        self, low: datetime, likely: Iterable[Span], gives: _Gives
    ) -> datetime | None:
        """Return from when on the cloud gives, as it does not from `low` on.

        At first it is tried from when on it is `likely`, and from a moment before.
        """
        for before, high in likely:
            if high <= low:
                continue
            if not await gives(high):
                low = high
                continue
            if low < before and await gives(before):
                return await self._async_first(low, before, gives)
            return await self._async_first(max(low, before), high, gives)
        return None

    async def _async_first(
        self, low: datetime, high: datetime, gives: _Gives
    ) -> datetime:
        """Return from when on the cloud gives, as it does from `high` on, not from `low`.

        To the hour, where hours or quarter hours are asked for; most begin with a day.
        """
        days = [low, *self._starts(low, high), high]
        low, high = await _async_first(days, len(days) // 2, gives)
        if self._by_hours:
            hours = [low, *_hours(low, high), high]
            low, high = await _async_first(hours, len(hours) - 2, gives)
        return high

    def _note(self, first: datetime, *, is_silent: bool = False) -> None:
        self._asker.limits.begin_at(
            self._kind,
            self._beginning(first),
            dt_util.utcnow(),
            earliest=first if self._by_hours else None,
            is_silent=is_silent,
        )

    def _beginning(self, first: datetime) -> datetime:
        """Return the first interval of what came of the first question that was answered."""
        series = self._told[first]
        if self._by_hours and series and series.starts:
            return min(series.starts[0], first)
        return first

    # --- Questions and times ---------------------------------------------------------

    async def _async_gives_from(self, at: datetime) -> bool:
        return await self._async_short(at) is not None

    async def _async_short(self, at: datetime) -> Series | None:
        """Return what comes of the shortest question from a time on; it is asked once."""
        if at not in self._told:
            start = self._rows_from(at)
            piece = start, start + SHORTEST[self._kind.resolution]
            self._told[at] = await self._async_from(at, piece)
        return self._told[at]

    async def _async_from(self, at: datetime, piece: Span) -> Series | None:
        """Return what the cloud gives of a piece; of hours, to a question begun `at`."""
        return await self._async_try(piece, at if self._by_hours else None)

    def _rows_from(self, at: datetime) -> datetime:
        """Return when the first row may begin that comes to a question begun `at`."""
        return at - EARLY if self._by_hours else at

    async def _async_answers(self, piece: Span) -> bool:
        return await self._async_try(piece) is not None

    async def _async_try(
        self, piece: Span, earliest: datetime | None = None
    ) -> Series | None:
        return await self._asker.async_try(self._kind, self._question, piece, earliest)

    def _asked_from(self, start: datetime) -> datetime:
        """Return from when on is asked, if hours from a time on are."""
        if not self._by_hours:
            return start
        return self._limit.asked_from(start, dt_util.utcnow())

    def _newest(self) -> datetime:
        """Return the start of the newest day, month or year that is surely over.

        What there is of another may be less than can be asked at once.
        """
        return self._start(self._start(dt_util.utcnow()) - DAY)

    def _before(self, at: datetime) -> datetime:
        """Return the hour, or else the start of the day, month or year before."""
        return at - HOUR if self._by_hours else self._start(at - HOUR)

    def _start(self, time: datetime) -> datetime:
        """Return the start of the day, month or year of a time."""
        return start_of_period(self._unit, time, self._zone)

    def _next_start(self, time: datetime) -> datetime:
        """Return a time, if a day, month or year begins with it; or else the next start."""
        starts = self._starts(time - HOUR, time + 2 * SHORTEST[Resolution.YEAR])
        return starts[0]

    def _starts(self, low: datetime, high: datetime) -> Sequence[datetime]:
        """Return the starts of days, months or years between two moments, oldest first."""
        begins = _CALENDARS[self._unit](low, high, self._zone)
        return sorted({at for at in map(self._start, begins) if low < at < high})


def _has_values(series: Series | None) -> bool:
    return series is not None and newest_value(series) is not None


def _hours(low: datetime, high: datetime) -> list[datetime]:
    """Return the hours between two moments, counted from the second, oldest first."""
    count = -((low - high) // HOUR)
    return [high - n * HOUR for n in range(count - 1, 0, -1)]


async def _async_first(
    starts: Sequence[datetime], look: int, gives: _Gives
) -> tuple[datetime, datetime]:
    """Return the first of some starts from which the cloud gives, and the one before it.

    It gives from the last one on, but not from the first. It is tried at `look` first.
    """
    low, high = 0, len(starts) - 1
    while high - low > 1:
        if await gives(starts[look]):
            high = look
        else:
            low = look
        look = (low + high) // 2
    return starts[low], starts[high]
