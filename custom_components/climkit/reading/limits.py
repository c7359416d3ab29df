"""What a cloud takes at once, learned by asking it. Pure, but for what it remembers.

Nobody knows how many days it gives, how far back, how many rows. So each kind of
question (who is asked, in which resolution) has a length, which is halved where the
cloud says no and doubled again where it says yes, and a depth: the day before which it
gives nothing. Lengths are kept over restarts, and tried longer again after a month.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, override

from ..api import Resolution
from ..api.series import PADDING

VALUES: Final = 700_000
"""So many values in one reply are some 15 MB, and as much work as fits into memory."""

FORGOTTEN: Final = timedelta(days=30)
"""A length that was refused so long ago may be tried again."""
SUCCESSES: Final = 4
"""So many answers of one length, and twice the length is tried."""
KINDS: Final = 1000
"""Limits that are kept at most; the oldest go."""

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
class Limit:
    """What is known of one kind of question."""

    length: timedelta | None = None
    """What the cloud takes at once; None as long as it took everything."""
    refused: timedelta | None = None
    """The shortest length that it did not take, in the last month."""
    refused_at: datetime | None = None
    depth: datetime | None = None
    """Before this it gives nothing."""
    depth_at: datetime | None = None
    """When that was found out."""
    is_silent: bool = False
    """Whether the cloud does not refuse what lies before, but says nothing of it."""
    whole: int = 0
    """A reply of so many rows was whole."""
    worked: timedelta | None = None
    """The longest that was answered; this and what follows is not kept."""
    successes: int = 0
    oldest: datetime | None = None
    """The oldest that was ever answered."""

    def as_dict(self) -> dict[str, float]:
        """Return what is kept: seconds, and seconds since 1970."""
        kept = {
            "length": _seconds(self.length),
            "refused": _seconds(self.refused),
            "refused_at": _stamp(self.refused_at),
            "depth": _stamp(self.depth),
            "depth_at": _stamp(self.depth_at),
            "is_silent": self.is_silent or None,
            "whole": self.whole or None,
        }
        return {key: value for key, value in kept.items() if value is not None}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Limit:
        """Return what was kept. Raises TypeError or ValueError if it is none."""
        return cls(
            _span(kept.get("length")),
            _span(kept.get("refused")),
            _moment(kept.get("refused_at")),
            _moment(kept.get("depth")),
            _moment(kept.get("depth_at")),
            bool(kept.get("is_silent")),
            int(kept.get("whole", 0)),
        )


@dataclass(slots=True)
class Limits:
    """What is known of all kinds of questions of one site."""

    kinds: dict[str, Limit] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    """How many columns a row has, by who is asked."""

    def of(self, kind: Kind) -> Limit:
        """Return what is known of a kind of question; the newest asked is kept last."""
        limit = self.kinds.pop(str(kind), None) or Limit()
        self.kinds[str(kind)] = limit
        while len(self.kinds) > KINDS:
            del self.kinds[next(iter(self.kinds))]
        return limit

    def length(self, kind: Kind, now: datetime) -> timedelta:
        """Return how much to ask for at once."""
        limit = self.of(kind)
        interval = INTERVAL[kind.resolution]
        fitting = interval * (VALUES // max(self.columns.get(kind.who, 1), 1))
        longest = min(LONGEST[kind.resolution], max(fitting, SHORTEST[kind.resolution]))
        if limit.refused_at and now - limit.refused_at > FORGOTTEN:
            limit.refused = limit.refused_at = None
            limit.successes = SUCCESSES
        return min(longest, limit.length or longest)

    def refuse(self, kind: Kind, length: timedelta, now: datetime) -> bool:
        """Halve the length of a kind after a no; False if it is the shortest already."""
        shortest = SHORTEST[kind.resolution]
        if length <= shortest:
            return False
        self._set(kind, max(_whole(length / 2), shortest), length, now)
        return True

    def shorten(self, kind: Kind, rows: int, length: timedelta, now: datetime) -> None:
        """Ask for as much as fits into the rows of a reply that was cut, from now on.

        The client asks for some hours more on either side, which are rows as well.
        """
        interval = INTERVAL[kind.resolution]
        self._set(
            kind, max(_whole(rows * interval - 2 * PADDING), interval), length, now
        )
        limit = self.of(kind)
        limit.whole = min(limit.whole, rows - 1)

    def begin_at(
        self, kind: Kind, depth: datetime, now: datetime, *, is_silent: bool
    ) -> None:
        """Note before when the cloud gives nothing, and whether it does not say so."""
        limit = self.of(kind)
        limit.depth, limit.depth_at, limit.is_silent = depth, now, is_silent
        limit.oldest = depth
        self._forget_lengths(kind.who)

    def forget_depth(self, who: str) -> None:
        """Forget from when on somebody gives something: it is more than it was."""
        for limit in self._all_of(who):
            limit.depth = limit.depth_at = limit.oldest = None
            limit.is_silent = False
        self._forget_lengths(who)

    def _forget_lengths(self, who: str) -> None:
        """Forget lengths: that long questions were refused said nothing of them."""
        for limit in self._all_of(who):
            limit.length = limit.refused = limit.refused_at = None

    def _all_of(self, who: str) -> list[Limit]:
        return [
            limit for key, limit in self.kinds.items() if key.partition(" ")[2] == who
        ]

    def _set(
        self, kind: Kind, length: timedelta, refused: timedelta, now: datetime
    ) -> None:
        limit = self.of(kind)
        limit.length, limit.successes = length, 0
        limit.refused = min(limit.refused or refused, refused)
        limit.refused_at = now

    def worked(self, kind: Kind, length: timedelta) -> None:
        """Note an answer; several of the full length, and twice of it is tried."""
        limit = self.of(kind)
        limit.worked = max(limit.worked or length, length)
        if limit.length is None or length < limit.length:
            return
        limit.successes += 1
        doubled = limit.length * 2
        if limit.successes >= SUCCESSES and (
            limit.refused is None or doubled < limit.refused
        ):
            limit.length, limit.successes = doubled, 0

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return what is kept over restarts, by kind."""
        kept = {key: limit.as_dict() for key, limit in self.kinds.items()}
        return {key: limit for key, limit in kept.items() if limit}

    @classmethod
    def from_dict(cls, kept: object) -> Limits:
        """Return what was kept; what cannot be read is as good as nothing."""
        limits = cls()
        for key, limit in kept.items() if isinstance(kept, Mapping) else ():
            try:
                limits.kinds[str(key)] = Limit.from_dict(limit)
            except AttributeError, OverflowError, TypeError, ValueError:
                continue
        return limits


def _whole(length: timedelta) -> timedelta:
    """Return whole hours, or whole quarters of less: as rows begin."""
    unit = timedelta(hours=1) if length >= timedelta(hours=1) else timedelta(minutes=15)
    return length // unit * unit


def _seconds(length: timedelta | None) -> float | None:
    return length.total_seconds() if length else None


def _stamp(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _moment(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)
