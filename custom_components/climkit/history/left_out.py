"""What could not be had, and is looked for again at night. Pure, but for its memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ..metering.flows import Flow, Medium
from ..metering.spans import Span

AT_MOST: Final = 200
"""So many spans are remembered; the oldest are forgotten, months find them again."""

NIGHTS: Final = 3
"""After so many nights in vain it is looked for once a week."""

WEEK: Final = timedelta(days=7)


@dataclass(slots=True)
class Hole:
    """A span of which some flows are not known."""

    medium: Medium
    span: Span
    flows: set[Flow]
    nights: int = 0
    again: datetime | None = None
    """Not before this; None: tonight."""


@dataclass(slots=True)
class LeftOut:
    """The holes of a site."""

    holes: dict[tuple[Medium, Span], Hole] = field(default_factory=dict)

    def add(self, medium: Medium, span: Span, flows: set[Flow]) -> bool:
        """Remember a hole; return whether it is a new one."""
        key = medium, span
        known = self.holes.get(key)
        if known:
            known.flows |= flows
            return False
        self.holes[key] = Hole(medium, span, set(flows))
        while len(self.holes) > AT_MOST:
            del self.holes[next(iter(self.holes))]
        return True

    def due(self, medium: Medium, now: datetime) -> Iterator[Hole]:
        """Yield the holes that are looked for tonight; note that they are."""
        for hole in list(self.holes.values()):
            if hole.medium == medium and (hole.again is None or hole.again <= now):
                hole.nights += 1
                hole.again = now + WEEK if hole.nights >= NIGHTS else None
                yield hole

    def filled(self, hole: Hole, unknown: set[Flow]) -> None:
        """Forget a hole, as far as it is none any longer."""
        hole.flows &= unknown
        if not hole.flows:
            self.holes.pop((hole.medium, hole.span), None)
