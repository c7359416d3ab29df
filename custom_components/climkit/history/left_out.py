"""What could not be had, and is looked for again at night. Pure, but for its memory.

Not kept over a restart: the months, and the old windows in turn, find it again.
"""

from collections.abc import Iterable, Iterator, Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ..metering.flows import Flow, Medium
from ..metering.spans import Span, clipped, without

AT_MOST: Final = 200
"""So many holes are remembered; the oldest are forgotten first."""

A_NIGHT: Final = 10
"""So many holes of a medium are looked for in one night."""

NIGHTS: Final = 3
"""After so many nights in vain it is looked for once a week."""

WEEK: Final = timedelta(days=7)
_LESS: Final = timedelta(hours=6)
"""Nights are not always quite a day, or a week, apart."""


_ANY_NIGHT: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Hole:
    """A span of which some flows of one medium are not known."""

    medium: Medium
    span: Span
    flows: set[Flow]
    nights: int = 0
    """How many nights it was looked for."""
    again: datetime = _ANY_NIGHT
    """Not before this."""

    def touched(self, span: Span, flows: AbstractSet[Flow]) -> set[Flow]:
        """Return of which of some flows something is missing within a span."""
        return self.flows & flows if clipped(self.span, *span) else set()

    def without(self, span: Span, flows: AbstractSet[Flow]) -> Iterator[Hole]:
        """Yield what is left of it when a span of some flows is known."""
        touched = self.touched(span, flows)
        if left := self.flows - touched:
            yield replace(self, flows=left)
        for rest in without([self.span], [span]) if touched else ():
            yield replace(self, span=rest, flows=touched)

    def is_due(self, now: datetime) -> bool:
        """Return whether it may be looked for."""
        return self.again <= now

    def note_night(self, now: datetime) -> None:
        """Note that it is looked for tonight."""
        self.nights += 1
        if self.nights >= NIGHTS:
            self.again = now + WEEK - _LESS


@dataclass(slots=True)
class LeftOut:
    """The holes of a site."""

    holes: list[Hole] = field(default_factory=list)

    def add(self, medium: Medium, span: Span, flows: Iterable[Flow]) -> bool:
        """Remember a hole of some flows; return whether one of them had none there before.

        What of it was known to be a hole waits as long as before.
        """
        hole = Hole(medium, span, set(flows))
        known = self._touched(span, hole.flows)
        is_new = bool(hole.flows.difference(*(old.flows for old in known)))
        self.settle(span, hole.flows)
        if not is_new:
            oldest = max(known, key=lambda old: old.nights)
            hole = replace(oldest, span=span, flows=hole.flows)
        self.holes.append(hole)
        del self.holes[:-AT_MOST]
        return is_new

    def settle(self, span: Span, flows: Iterable[Flow]) -> None:
        """Note that a span of some flows is known, and no hole any longer."""
        flows = set(flows)
        self.holes = [rest for hole in self.holes for rest in hole.without(span, flows)]

    def of(self, medium: Medium) -> list[Hole]:
        """Return the holes of a medium."""
        return [hole for hole in self.holes if hole.medium == medium]

    def touches(self, span: Span, flow: Flow) -> bool:
        """Return whether something of a flow is missing within a span."""
        return bool(self._touched(span, {flow}))

    def _touched(self, span: Span, flows: AbstractSet[Flow]) -> list[Hole]:
        return [hole for hole in self.holes if hole.touched(span, flows)]

    def due(self, medium: Medium, now: datetime) -> list[Hole]:
        """Return the holes that are looked for tonight, and note that they are."""
        due = [hole for hole in self.of(medium) if hole.is_due(now)][:A_NIGHT]
        for hole in due:
            hole.note_night(now)
        return due

    def report(self) -> list[dict[str, str | int]]:
        """Return what is missing, for diagnostics."""
        return [
            {
                "medium": hole.medium,
                "start": hole.span[0].isoformat(),
                "end": hole.span[1].isoformat(),
                "flows": len(hole.flows),
                "nights": hole.nights,
            }
            for hole in self.holes
        ]
