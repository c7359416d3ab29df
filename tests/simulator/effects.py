"""What befalls measured values afterwards: outages, late meters, revisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import override

from .local_time import quarter_at_or_after


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Something that touches the quarters from start (aware) to end, exclusive."""

    start: datetime
    end: datetime
    meters: tuple[str, ...] | None = None
    """The ids of the meters that it concerns; None is all of the site."""

    @property
    def quarters(self) -> tuple[int, int]:
        """Return the quarters that it touches: first, and the one after the last."""
        return quarter_at_or_after(self.start), quarter_at_or_after(self.end)

    def overlaps(self, first: int, last: int) -> bool:
        """Return whether it touches a quarter of first <= quarter < last."""
        start, end = self.quarters
        return start < last and first < end

    def concerns(self, meter_id: str) -> bool:
        """Return whether it touches this meter."""
        return self.meters is None or meter_id in self.meters

    def is_past(self, at: datetime | None) -> bool:
        """Return whether at this moment it has turned out already (None: for good)."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Outage(Effect):
    """No reading until a moment; afterwards the index runs in a straight line."""

    until: datetime

    @override
    def is_past(self, at: datetime | None) -> bool:
        """Return whether the gap is filled."""
        return at is None or at >= self.until

    @property
    def hides_rows(self) -> bool:
        """Return whether rows are absent meanwhile: the whole site is out."""
        return self.meters is None


@dataclass(frozen=True, kw_only=True)
class Late(Effect):
    """A single meter comes in later than the others; then its values are true."""

    until: datetime
    value: float = nan
    """What its column shows meanwhile: NaN (null on the wire) or 0."""

    @override
    def is_past(self, at: datetime | None) -> bool:
        """Return whether the true values have come in."""
        return at is None or at >= self.until


@dataclass(frozen=True, kw_only=True)
class Revision(Effect):
    """Values are something else from a moment on."""

    factor: float = 1.0
    add: float = 0.0
    """Per quarter hour, in the unit of the meter."""
    at: datetime | None = None

    @override
    def is_past(self, at: datetime | None) -> bool:
        """Return whether the new values hold."""
        return at is None or self.at is None or at >= self.at


def as_ids(meters: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the ids as a tuple, None staying None."""
    return None if meters is None else tuple(meters)
