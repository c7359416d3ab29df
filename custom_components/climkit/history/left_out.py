"""What could not be had, and is looked for again at night. Pure, but for its memory.

Not kept over a restart: the months, and the old windows in turn, find it again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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


@dataclass(slots=True)
class Hole:
    """A span of which some flows of one medium are not known."""

    medium: Medium
    span: Span
    flows: set[Flow]
    nights: int = 0
    """How many nights it was looked for."""
    again: datetime | None = None
    """Not before this; None: tonight."""


@dataclass(slots=True)
class LeftOut:
    """The holes of a site."""

    holes: list[Hole] = field(default_factory=list)

    def add(self, medium: Medium, span: Span, flows: Iterable[Flow]) -> bool:
        """Remember a hole; return whether there was none before, of one of the flows.

        What of it was known to be a hole waits as long as before.
        """
        flows = set(flows)
        known = [
            hole
            for hole in self.holes
            if hole.flows & flows and clipped(hole.span, *span)
        ]
        is_new = bool(flows.difference(*(hole.flows for hole in known)))
        self.settle(span, flows)
        oldest = max(known, key=lambda hole: hole.nights, default=None)
        if oldest and not is_new:
            self.holes.append(replace(oldest, span=span, flows=flows))
        else:
            self.holes.append(Hole(medium, span, flows))
        del self.holes[:-AT_MOST]
        return is_new

    def settle(self, span: Span, flows: Iterable[Flow]) -> None:
        """Note that a span of some flows is known, and no hole any longer."""
        flows = set(flows)
        kept: list[Hole] = []
        for hole in self.holes:
            touched = hole.flows & flows if clipped(hole.span, *span) else set()
            if left := hole.flows - touched:
                kept.append(replace(hole, flows=left))
            if touched:
                kept += [
                    replace(hole, span=rest, flows=touched)
                    for rest in without([hole.span], [span])
                ]
        self.holes = kept

    def of(self, medium: Medium) -> list[Hole]:
        """Return the holes of a medium."""
        return [hole for hole in self.holes if hole.medium == medium]

    def touches(self, span: Span, flow: Flow) -> bool:
        """Return whether something of a flow is missing within a span."""
        return any(
            flow in hole.flows and clipped(hole.span, *span) for hole in self.holes
        )

    def due(self, medium: Medium, now: datetime) -> list[Hole]:
        """Return the holes that are looked for tonight, and note that they are."""
        due = [
            hole
            for hole in self.holes
            if hole.medium == medium and (hole.again is None or hole.again <= now)
        ][:A_NIGHT]
        for hole in due:
            hole.nights += 1
            hole.again = now + WEEK - _LESS if hole.nights >= NIGHTS else None
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
