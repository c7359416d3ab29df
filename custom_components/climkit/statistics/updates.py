"""What is asked of the writers of statistics, and what became of it."""

from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..metering.hours import HOUR, HourlyAmounts
from ..metering.reconcile import StatisticRow
from ..metering.spans import Span, clipped


class RecorderError(HomeAssistantError):
    """The recorder can neither be read nor written at the moment."""

    def __init__(self) -> None:
        """Say it in the language of the user."""
        super().__init__(
            translation_domain=DOMAIN, translation_key="recorder_unavailable"
        )


type Hours = tuple[Span, frozenset[datetime] | None]
"""A span, and which of its hours; None is all of them."""

type Amounts = Mapping[datetime, float]
"""By the start of the hour, in UTC."""

type Derivation = Callable[[Span, Sequence[Amounts]], Amounts]
"""Gives the amounts of a derived statistic for the hours of a span, from what is stored
of its sources there, in their order. Pure. An hour that it leaves out has no row."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A statistic that follows hour by hour from others: what an energy costs, say.

    Whenever a source is written, the hours that were revised are derived again, in the
    same transaction (or, by the official call, right beside it).
    """

    metadata: StatisticMetaData
    sources: tuple[str, ...]
    """Ids of the statistics that it follows from; none if it follows from time alone."""
    amounts: Derivation
    hours: frozenset[datetime] = frozenset()
    """Hours to derive though their sources stay: more is known of their inside, say."""

    @property
    def id(self) -> str:
        """Return the id of the statistic."""
        return self.metadata["statistic_id"]

    def amounts_of(
        self,
        hours: AbstractSet[datetime] | None,
        span: Span,
        sources: Sequence[Amounts],
    ) -> Amounts:
        """Return the amounts of these hours of a span, or of all its hours.

        Only of hours that are wanted it may be said how they came about.
        """
        if hours is not None:
            sources = [
                {hour: amount for hour, amount in some.items() if hour in hours}
                for some in sources
            ]
        return self.amounts(span, sources)


@dataclass(frozen=True, slots=True)
class SeriesUpdate:
    """What is to be written to one statistic."""

    hours: HourlyAmounts
    after: datetime | None = None
    """The hour of a row that must still be there, or else nothing is written.

    Somebody may have cleared the statistic, or restored an older database: then its
    history is to be fetched again first, or the sums would start from nothing.
    """
    derived: tuple[Derived, ...] = ()
    """What follows from it."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one statistic."""

    newest_rows: tuple[StatisticRow, ...]
    """Its newest rows, TAIL at most, oldest first."""
    written: int = 0
    """How many rows were wrong or missing."""
    rows_missing: bool = False
    """Whether rows that should be there are not; nothing was written then."""
    derived_missing: frozenset[str] = frozenset()
    """Derived statistics, by id, that do not exist: to be derived from the beginning."""

    def without(self, update: SeriesUpdate, missing: frozenset[str]) -> WriteResult:
        """Return the same; of what derives from the update, some is `missing`."""
        found = missing.intersection(derived.id for derived in update.derived)
        return replace(self, derived_missing=frozenset(found)) if found else self

    @property
    def newest(self) -> StatisticRow | None:
        """Return its newest row, or None while it has none."""
        return self.newest_rows[-1] if self.newest_rows else None


def hours_within(spans: Sequence[Span], first: datetime, last: datetime) -> Hours:
    """Return what of the spans (of whole hours, oldest first) is in [first, last).

    That is a span and the hours of it that are meant; None if that is all of them.
    """
    parts = [part for span in spans if (part := clipped(span, first, last))]
    if len(parts) < 2:
        return (parts[0] if parts else (first, first)), None
    hours = frozenset(
        start + n * HOUR for start, end in parts for n in range((end - start) // HOUR)
    )
    return (parts[0][0], parts[-1][1]), hours


def pending_derivations(
    updates: Mapping[str, SeriesUpdate], revised: Mapping[str, frozenset[datetime]]
) -> dict[str, tuple[Derived, frozenset[datetime]]]:
    """Return what is to be derived after an update, and for which hours, by id.

    `revised` has the hours of which each updated statistic has other amounts now. What
    has several sources is derived once, for the hours of them all.
    """
    pending: dict[str, tuple[Derived, frozenset[datetime]]] = {}
    for id_, hours in revised.items():
        for derived in updates[id_].derived:
            _, known = pending.get(derived.id, (derived, frozenset[datetime]()))
            pending[derived.id] = derived, known | hours | derived.hours
    return {id_: (derived, hours) for id_, (derived, hours) in pending.items() if hours}
