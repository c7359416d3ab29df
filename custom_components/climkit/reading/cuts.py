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
    def is_whole(self) -> bool:
        """Return whether the rows reach from one end of the piece to the other."""
        return not list(self._rests(timedelta()))

    def rests(self, whole: int) -> list[Span]:
        """Return what has to be asked for by itself.

        A reply to an open question that has no more rows than one that was `whole`, and
        nothing less than was known, has all that is published. Months are too few to be
        cut.
        """
        if self.interval > _DAY or not self.series.starts:
            return []
        is_new = self.series.rows > whole or self._lacks_what_is_known
        if self.is_open and not is_new:
            return []
        # The first answer of all is not held up by what is hardly there yet.
        return list(self._rests(timedelta() if is_new and self.known else UNPUBLISHED))

    @property
    def _lacks_what_is_known(self) -> bool:
        return any(self.series.starts[-1] + self.interval <= at for at in self.known)

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
        for suspect in [*self._suspects]:
            if not any(clipped(rest, *piece) for rest in suspect.rests):
                continue
            suspect.rests = without(suspect.rests, [piece])
            if series.starts:
                self._suspects.remove(suspect)
                # Fewer may have been published in between.
                if series.starts[-1] - series.starts[0] >= UNPUBLISHED:
                    self._limits.shorten(self._kind, suspect.rows, suspect.length, now)
            elif not suspect.rests:
                self._suspects.remove(suspect)
                limit = self._limits.of(self._kind)
                limit.whole = max(limit.whole, suspect.rows)
