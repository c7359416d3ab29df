"""Replies that may have been cut: what is not in them, and what that teaches.

A reply that begins after the span that was asked for, or ends before it, proves nothing
about the rest, which is asked for by itself. Whether the rest has rows tells whether
the reply was cut; and how many rows it had, how much to ask for at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ..api import Series
from ..metering.spans import Span, clipped, without
from .limits import INTERVAL, Kind, Limits

UNPUBLISHED: Final = timedelta(hours=3)
"""That the newest rows of so long are missing is no sign of a cut reply."""

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


@dataclass(slots=True)
class Reply:
    """What a reply had, and what it was asked for."""

    series: Series
    piece: Span
    present: datetime
    is_open: bool
    is_again: bool = False
    """Whether it was asked for twice, since the first reply was empty."""
    known: tuple[datetime, ...] = ()
    """Starts of intervals of which a value was known before, in UTC."""

    @property
    def interval(self) -> timedelta:
        """Return how long an interval is, at most."""
        return INTERVAL[self.series.resolution]

    @property
    def known_within(self) -> datetime | None:
        """Return an interval of the piece of which a value is known; None if none is."""
        start, end = self.piece
        margin = self.interval if self.interval <= _DAY else timedelta()
        some = (at for at in self.known if start <= at <= end - margin)
        return max(some, default=None)

    @property
    def may_be_empty(self) -> bool:
        """Return whether it tells nothing that there is no row.

        Nothing is published yet, or nothing but older rows were read before.
        """
        return self.is_open or all(at < self.piece[0] for at in self.known)

    @property
    def is_whole(self) -> bool:
        """Return whether the rows reach from one end of the piece to the other."""
        return not list(self._rests(timedelta()))

    def rests(self, whole: int) -> list[Span]:
        """Return what has to be asked for by itself, as there are rows, but not of all.

        A reply to an open question that has no more rows than one that was `whole`, and
        nothing less than was known, has all that is published. Months are too few to be
        cut.
        """
        if self.interval > _DAY:
            return []
        if self._is_doubtful(whole):
            # The first answer of all is not held up by what is hardly there yet.
            return list(self._rests(timedelta() if self.known else UNPUBLISHED))
        return [] if self.is_open else list(self._rests(UNPUBLISHED))

    def _is_doubtful(self, whole: int) -> bool:
        """Return whether it may be cut by its rows, or lacks some that are known."""
        end = self.series.starts[-1] + self.interval
        return self.series.rows > whole or any(end <= at for at in self.known)

    def _rests(self, unpublished: timedelta) -> Iterator[Span]:
        (start, end), interval = self.piece, self.interval
        first, last = self.series.starts[0], self.series.starts[-1] + interval
        # A piece may begin within an interval, of which there is no row then.
        is_day = interval == _DAY
        if first - start > (interval / 2 if is_day else interval - _SECOND):
            yield start, first
        if min(end, self.present - unpublished) - last > is_day * interval / 2:
            yield last, end


@dataclass(slots=True)
class _Suspect:
    """A reply whose rests are asked for."""

    rows: int
    length: timedelta
    rests: list[Span]

    def awaits(self, piece: Span) -> bool:
        """Return whether a piece has something of what is asked for."""
        return any(clipped(rest, *piece) for rest in self.rests)


class Suspects:
    """Replies to one kind of question of which it is not known yet whether they are whole."""

    def __init__(self, kind: Kind, limits: Limits) -> None:
        """Teach the limits."""
        self._kind = kind
        self._limits = limits
        self._suspects: list[_Suspect] = []

    def take(self, reply: Reply) -> list[Span]:
        """Take a reply with rows; return what has to be asked for by itself."""
        limit = self._limits.of(self._kind)
        rests = reply.rests(limit.whole)
        if rests:
            length = reply.piece[1] - reply.piece[0]
            self._suspects.append(_Suspect(reply.series.rows, length, rests))
        elif reply.is_whole:
            limit.whole = max(limit.whole, reply.series.rows)
        return rests

    def judge(self, piece: Span, series: Series, now: datetime) -> None:
        """Learn of the replies whose rests lie in a piece, by what came of it."""
        for suspect in [one for one in self._suspects if one.awaits(piece)]:
            suspect.rests = without(suspect.rests, [piece])
            if series.starts:
                self._was_cut(suspect, series, now)
            elif not suspect.rests:
                self._was_whole(suspect)

    def _was_cut(self, suspect: _Suspect, rest: Series, now: datetime) -> None:
        self._suspects.remove(suspect)
        # Fewer may have been published in between.
        if rest.starts[-1] - rest.starts[0] >= UNPUBLISHED:
            self._limits.shorten(self._kind, suspect.rows, suspect.length, now)

    def _was_whole(self, suspect: _Suspect) -> None:
        self._suspects.remove(suspect)
        limit = self._limits.of(self._kind)
        limit.whole = max(limit.whole, suspect.rows)
