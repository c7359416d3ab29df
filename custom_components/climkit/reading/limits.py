"""What a cloud takes at once, learned by asking it. Pure, but for what it remembers.

Nobody knows how many days it gives, how far back, how many rows. So each kind of
question (who is asked, in which resolution) has a length, which is halved where the
cloud says no and grows again where it says yes, until it is near the limit, and a
depth: the day before which it gives nothing. Lengths are kept over restarts, and tried
longer again after a month.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, override

from ..api import Resolution
from ..api.series import PADDING
from .limit import EVER, Limit, whole_hours

VALUES: Final = 700_000
"""So many values in one reply are some 15 MB, and as much work as fits into memory."""

FORGOTTEN: Final = timedelta(days=30)
"""A length that was refused so long ago may be tried again."""
SUCCESSES: Final = 4
"""So many answers of one length, and a longer one is tried."""
KINDS: Final = 1000
"""Limits that are kept at most; the oldest go."""
ALIKE: Final = 3
"""So many kinds are asked at most how far back they are given."""

_DAY: Final = timedelta(days=1)
LONGEST: Final[Mapping[Resolution, timedelta]] = {
    Resolution.QUARTER_HOUR: 30 * _DAY,  # served in production, says climkit-api
    Resolution.HOUR: 120 * _DAY,
    Resolution.DAY: 3660 * _DAY,
    Resolution.MONTH: 36600 * _DAY,
    Resolution.YEAR: 36600 * _DAY,
}
SHORTEST: Final[Mapping[Resolution, timedelta]] = {
    # On the wire a window is some hours longer, and all of it may have to fit a day.
    Resolution.QUARTER_HOUR: timedelta(hours=12),
    Resolution.HOUR: _DAY,
    Resolution.DAY: 31 * _DAY,
    Resolution.MONTH: 31 * _DAY,
    Resolution.YEAR: 366 * _DAY,
}
INTERVAL: Final[Mapping[Resolution, timedelta]] = {
    Resolution.QUARTER_HOUR: timedelta(minutes=15),
    Resolution.HOUR: timedelta(hours=1),
    Resolution.DAY: _DAY,
    Resolution.MONTH: 31 * _DAY,
    Resolution.YEAR: 366 * _DAY,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of question: who is asked (a medium, or a meter by its id), for what."""

    who: str
    resolution: Resolution

    @override
    def __str__(self) -> str:
        """Return the key under which it is kept."""
        return f"{self.resolution} {self.who}"


@dataclass(slots=True)
class Limits:
    """What is known of all kinds of questions of one site."""

    kinds: dict[str, Limit] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    """How many columns a row has, by who is asked."""

    def of(self, kind: Kind) -> Limit:
        """Return what is known of a kind of question; the newest asked is kept last."""
        limit = self.kinds.pop(str(kind), Limit())
        self.kinds[str(kind)] = limit
        while len(self.kinds) > KINDS:
            del self.kinds[next(iter(self.kinds))]
        return limit

    def length(self, kind: Kind, now: datetime) -> timedelta:
        """Return how much to ask for at once; at first, what others were found to take."""
        limit = self.of(kind)
        if limit.is_new:
            self._take_as_others(kind)
        interval = INTERVAL[kind.resolution]
        fitting = interval * (VALUES // max(self.columns.get(kind.who, 1), 1))
        longest = min(LONGEST[kind.resolution], max(fitting, SHORTEST[kind.resolution]))
        if limit.refused_at and now - limit.refused_at > FORGOTTEN:
            limit.refused = limit.refused_at = None
            limit.successes = SUCCESSES
        return min(longest, limit.length or longest)

    def proven(self, kind: Kind, now: datetime) -> timedelta:
        """Return how much to ask for at once where it must not be too much.

        What is tried may be; not what has worked.
        """
        length, worked = self.length(kind, now), self.of(kind).worked
        return min(length, max(worked, SHORTEST[kind.resolution])) if worked else length

    def refuse(self, kind: Kind, length: timedelta, now: datetime) -> bool:
        """Shorten the length of a kind after a no; False if it is the shortest already.

        To half of it; after a try of more than ever worked, to what worked.
        """
        shortest = SHORTEST[kind.resolution]
        if length <= shortest:
            return False
        best = self.of(kind).best_below(length)
        self._set(kind, max(best, shortest), length, now)
        return True

    def shorten(self, kind: Kind, rows: int, length: timedelta, now: datetime) -> None:
        """Ask for as much as fits into the rows of a reply that was cut, from now on.

        The client asks for some hours more on either side, which are rows as well.
        """
        interval = INTERVAL[kind.resolution]
        self._set(
            kind, max(whole_hours(rows * interval - 2 * PADDING), interval), length, now
        )
        limit = self.of(kind)
        limit.whole = min(limit.whole, rows - 1)

    def begin_at(
        self,
        kind: Kind,
        depth: datetime,
        now: datetime,
        *,
        earliest: datetime | None = None,
        is_silent: bool = False,
    ) -> None:
        """Note before when the cloud gives nothing, and whether it does not say so."""
        limit = self.of(kind)
        if limit.depth is None or limit.length == SHORTEST[kind.resolution]:
            # That long questions were refused said nothing of their length.
            limit.forget_refused()
            self._take_as_others(kind)
        limit.begin_at(depth, now, earliest)
        limit.is_silent = is_silent

    def forget_depth(self, who: str) -> None:
        """Forget from when on somebody gives something: it is more than it was."""
        for key, limit in self.kinds.items():
            if key.partition(" ")[2] == who:
                limit.forget_depth()

    def depths(self, resolutions: Iterable[Resolution]) -> list[Limit]:
        """Return kinds of which a depth is known, of these resolutions, not too many.

        Those of which it was found last.
        """
        some = [one for one in self._in(resolutions) if one.depth]
        return sorted(some, key=lambda one: one.depth_at or EVER)[-ALIKE:]

    def _take_as_others(self, kind: Kind) -> None:
        """Let a kind have the length of another of its resolution, if one has any.

        What is refused whatever its length, for ever or for some minutes, tells nothing.
        """
        limit, interval = self.of(kind), INTERVAL[kind.resolution]
        others = [
            one for one in self._in([kind.resolution]) if one.is_limited(interval)
        ]
        if others:
            last = max(others, key=attrgetter("refused_at"))
            limit.length, limit.refused = last.length, last.refused
            limit.refused_at = last.refused_at

    def _in(self, resolutions: Iterable[Resolution]) -> Iterator[Limit]:
        some = {*resolutions}
        for key, limit in self.kinds.items():
            if key.partition(" ")[0] in some:
                yield limit

    def _set(
        self, kind: Kind, length: timedelta, refused: timedelta, now: datetime
    ) -> None:
        limit = self.of(kind)
        limit.length, limit.successes = length, 0
        limit.refused = min(limit.refused or refused, refused)
        limit.refused_at = now

    def worked(self, kind: Kind, length: timedelta) -> None:
        """Note an answer; several of the full length, and a longer one is tried."""
        limit = self.of(kind)
        limit.worked = max(limit.worked, length)
        if limit.length is None or length < limit.length:
            return
        limit.successes += 1
        longer = limit.longer(limit.length)
        if limit.successes >= SUCCESSES and longer > limit.length:
            limit.length, limit.successes = longer, 0

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return what is kept over restarts, by kind."""
        return {
            key: kept for key, limit in self.kinds.items() if (kept := limit.as_dict())
        }

    @classmethod
    def from_dict(cls, kept: object) -> Limits:
        """Return what was kept; what cannot be read is as good as nothing."""
        limits = cls()
        for key, limit in kept.items() if isinstance(kept, Mapping) else ():
            with suppress(AttributeError, OverflowError, TypeError, ValueError):
                limits.kinds[str(key)] = Limit.from_dict(limit)
        return limits
