"""What is known of one kind of question: how much is given at once, and how far back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..api.series import HOME, PADDING, asked_from

NEAR: Final = 8
"""No longer one is tried where what was refused is longer by an eighth or less."""

EVER: Final = datetime.min.replace(tzinfo=UTC)
"""Before everything."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""Later than everything: when something was answered that never was."""

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


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
    earliest: datetime | None = None
    """Before this no question may begin, though it usually does so some hours early.

    It may be later than the depth: who knows as what zone's time the cloud reads it.
    """
    moves: bool = False
    """Whether it was seen to move on by a day every day."""
    is_silent: bool = False
    """Whether the cloud does not refuse what lies before, but says nothing of it."""
    whole: int = 0
    """A reply of so many rows was whole."""
    worked: timedelta = timedelta()
    """The longest that was answered; this and what follows is not kept."""
    successes: int = 0
    oldest: datetime = NEVER
    """The oldest that was ever answered."""

    def answered(self, start: datetime) -> None:
        """Note from when on something was answered."""
        self.oldest = min(self.oldest, start)

    @property
    def is_new(self) -> bool:
        """Return whether nothing of this kind was ever answered, as far as is known."""
        is_known = self.whole or self.length or self.depth
        return self.oldest == NEVER and not is_known

    def is_limited(self, interval: timedelta) -> bool:
        """Return whether short questions were answered, and only longer ones refused."""
        if self.refused is None or not self.whole:
            return False
        return self.whole * interval - 2 * PADDING < self.refused

    def begins(self, now: datetime) -> datetime | None:
        """Return before when the cloud gives nothing now; None if it gives all."""
        if self.depth is None or not self.moves:
            return self.depth
        midnight = self.depth.astimezone(HOME) + self.days_since(now) * _DAY
        return midnight.astimezone(UTC)

    def earliest_about(self, start: datetime, now: datetime) -> datetime | None:
        """Return when a question about what begins at `start` may begin, if it matters."""
        begin = self.begins(now)
        if begin is None or self.earliest is None or start < begin:
            return None
        return self.earliest + self.moves * self.days_since(now) * _DAY

    def asked_from(self, start: datetime, now: datetime) -> datetime:
        """Return when a question about what begins at `start` begins."""
        return asked_from(start, self.earliest_about(start, now))

    def days_since(self, now: datetime) -> int:
        """Return how many midnights have passed since the depth was found."""
        found = self.depth_at or now
        return (now.astimezone(HOME).date() - found.astimezone(HOME).date()).days

    def begin_at(
        self, depth: datetime, now: datetime, earliest: datetime | None = None
    ) -> None:
        """Note that nothing is given before some moment: hours may move on by days."""
        if self.depth and self.depth_at:
            late = (depth - self.depth) - (now - self.depth_at)
            self.moves = bool(earliest) and depth > self.depth and abs(late) <= _DAY
        self.depth, self.depth_at, self.earliest = depth, now, earliest
        self.oldest = depth

    def forget_depth(self) -> None:
        """Forget before when nothing is given."""
        self.depth = self.depth_at = self.earliest = None
        self.moves = self.is_silent = False
        self.oldest = NEVER

    def may_have_passed(self, start: datetime, now: datetime) -> bool:
        """Return whether the depth may have moved on past a moment since it was found.

        A cloud that keeps some years of the past forgets another day every day.
        """
        since = now - (self.depth_at or now)
        if self.depth is None or not (since > _HOUR or self.days_since(now)):
            return False
        return self.depth <= start < self.depth + since + _DAY

    def forget_refused(self, length: timedelta | None = None) -> None:
        """Forget which lengths were refused; go on with one that is known, if any is."""
        self.length, self.refused, self.refused_at = length, None, None

    def longer(self, length: timedelta) -> timedelta:
        """Return twice a length, or half way to what was refused, unless that is near."""
        if self.refused is None:
            return 2 * length
        if self.refused - length <= length / NEAR:
            return length
        return min(2 * length, whole_hours((length + self.refused) / 2))

    def best_below(self, refused: timedelta) -> timedelta:
        """Return what to try instead: half of it, or more where more has worked."""
        worked = self.worked if self.worked < refused else timedelta()
        return whole_hours(max(refused / 2, worked))

    def as_dict(self) -> dict[str, float]:
        """Return what is kept: seconds, and seconds since 1970."""
        return {
            key: form.keep(value)
            for key, form in _KEPT.items()
            if (value := getattr(self, key))
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Limit:
        """Return what was kept. Raises TypeError or ValueError if it is none."""
        known = {
            key: form.restore(kept[key]) for key, form in _KEPT.items() if kept.get(key)
        }
        return cls(**known)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a field of a limit becomes a number, and is read again."""

    keep: Callable[[Any], float]
    restore: Callable[[Any], Any]


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


_LENGTH: Final = _Form(timedelta.total_seconds, _span)
_TIME: Final = _Form(datetime.timestamp, _moment)
_FLAG: Final = _Form(bool, bool)

_KEPT: Final[Mapping[str, _Form]] = {
    "length": _LENGTH,
    "refused": _LENGTH,
    "refused_at": _TIME,
    "depth": _TIME,
    "depth_at": _TIME,
    "earliest": _TIME,
    "moves": _FLAG,
    "is_silent": _FLAG,
    "whole": _Form(int, int),
}
"""The fields that are kept, where something is known."""


def whole_hours(length: timedelta) -> timedelta:
    """Return whole hours, or whole quarters of less: as rows begin."""
    unit = timedelta(hours=1) if length >= timedelta(hours=1) else timedelta(minutes=15)
    return length // unit * unit
