"""What is asked of the reader, and what it answers. Times are aware, in UTC."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from operator import attrgetter
from typing import Final

from ..api import ClimkitError, Column, Priority, Resolution, Series
from ..metering.flows import OPTIONAL_COLUMNS, Flow, FlowKind, Medium
from ..metering.spans import Span

PROOF: Final = 0.001
"""kWh in one interval that prove that something produces: less may be an artefact."""


@dataclass(frozen=True, slots=True)
class Question:
    """Amounts of some flows of one medium, of a span of time."""

    medium: Medium
    flows: tuple[Flow, ...]
    resolution: Resolution
    start: datetime
    end: datetime | None = None
    """None: up to the present, which is then read first."""
    priority: Priority = Priority.LIVE
    zone: tzinfo = UTC
    """The site's time zone: its days and months begin by it."""

    def span(self, present: datetime) -> Span:
        """Return the time that it is about."""
        return self.start, self.end or present


@dataclass(frozen=True, slots=True)
class Answer:
    """What the cloud says of a question, or of one piece of it."""

    start: datetime
    end: datetime
    """The span that it is about."""
    asked: datetime
    """When it was asked: what was asked later knows better."""
    replies: Sequence[Series] = field(repr=False)
    unknown: Mapping[Flow, ClimkitError] = field(default_factory=dict)
    """Flows of which this span is not known, at least not wholly, and why. Of all
    others it is: what has no row did not flow."""

    def of(self, flow: Flow) -> dict[datetime, float]:
        """Return the amounts of a flow by the start of the interval."""
        if len(self.replies) == 1:  # as nearly always
            return self.replies[0].values(flow.column)
        amounts: dict[datetime, float] = {}
        for series in self.replies:
            amounts |= series.values(flow.column)
        return amounts

    def has_gaps(self, flow: Flow) -> bool:
        """Return whether rows without a value of a flow lie between such that have one."""
        return any(_has_gap(one.columns.get(flow.column, ())) for one in self.replies)

    @property
    def newest(self) -> datetime | None:
        """Return the start of the newest interval with a value."""
        return max(filter(None, map(newest_value, self.replies)), default=None)

    @property
    def seen(self) -> frozenset[FlowKind]:
        """Return the kinds of flows that these values prove to exist at the site."""
        return frozenset(
            kind
            for column, kind in OPTIONAL_COLUMNS.items()
            if any(_proves(series, column) for series in self.replies)
        )


def _proves(series: Series, column: Column) -> bool:
    """Return whether a column has a value that is no dust."""
    return any((amount or 0.0) > PROOF for amount in series.columns.get(column, ()))


def newest_value(series: Series) -> datetime | None:
    """Return the start of the newest interval of a series that has a value.

    Rows without any may be there before what they stand for is published.
    """
    return next(_valued(series, reversed(range(len(series.starts)))), None)


def oldest_value(series: Series) -> datetime | None:
    """Return the start of the oldest interval of a series that has a value."""
    return next(_valued(series, range(len(series.starts))), None)


def _has_gap(values: Sequence[float | None]) -> bool:
    if None not in values:
        return False
    some = [index for index, value in enumerate(values) if value is not None]
    return bool(some) and some[-1] - some[0] >= len(some)


def _valued(series: Series, indices: Iterable[int]) -> Iterator[datetime]:
    return (
        series.starts[index]
        for index in indices
        if any(values[index] is not None for values in series.columns.values())
    )


def joined(answers: Sequence[Answer]) -> Answer:
    """Return several answers, of at least one piece, as one."""
    replies: list[Series] = []
    unknown: dict[Flow, ClimkitError] = {}
    for answer in answers:
        replies += answer.replies
        unknown |= answer.unknown
    return Answer(
        min(map(attrgetter("start"), answers)),
        max(map(attrgetter("end"), answers)),
        min(map(attrgetter("asked"), answers)),
        replies,
        unknown,
    )
