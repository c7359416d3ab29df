"""What is asked of the writers of statistics, and what became of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..metering.hours import HOUR, HourlyAmounts
from ..metering.reconcile import Plan, StatisticRow, StoredWindow, plan_derived
from ..metering.spans import Span, clipped


class RecorderError(HomeAssistantError):
    """The recorder can neither be read nor written at the moment."""

    def __init__(self) -> None:
        """Say it in the language of the user."""
        super().__init__(
            translation_domain=DOMAIN, translation_key="recorder_unavailable"
        )


type Amounts = Mapping[datetime, float]
"""By the start of the hour, in UTC."""


@dataclass(frozen=True, slots=True)
class Hours:
    """All hours of a span, or some."""

    span: Span
    some: frozenset[datetime] | None = None
    """None is all of them."""

    @classmethod
    def these(cls, hours: frozenset[datetime]) -> Hours:
        """Return these hours, of which there must be one at least."""
        return cls((min(hours), max(hours) + HOUR), hours)

    def only(self, amounts: Amounts) -> Amounts:
        """Return the amounts of these hours, of amounts within the span."""
        if self.some is None:
            return amounts
        return {hour: amount for hour, amount in amounts.items() if hour in self.some}

    def touched(self, stored: StoredWindow, amounts: Amounts) -> AbstractSet[datetime]:
        """Return these hours, or of a whole span those that have a row, or get one."""
        if self.some is None:
            return amounts.keys() | (row.start for row in stored.rows)
        return self.some


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

    def plan(
        self,
        hours: Hours,
        sources: Sequence[Amounts],
        stored: StoredWindow,
        following: StatisticRow | None,
    ) -> Plan:
        """Return by what its rows of these hours must change.

        `sources` has what is stored of each source in the hours' span, `stored` what is
        of this statistic there, `following` its first row behind. Only of hours that are
        wanted it may be said how they came about.
        """
        amounts = self.amounts(hours.span, [hours.only(some) for some in sources])
        wanted = hours.touched(stored, amounts)
        return plan_derived(stored, following, wanted, amounts)


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
        return replace(self, derived_missing=found)

    @property
    def newest(self) -> StatisticRow | None:
        """Return its newest row, or None while it has none."""
        return newest_of(self.newest_rows)


def newest_of(rows: Sequence[StatisticRow]) -> StatisticRow | None:
    """Return the last of some rows, oldest first; None if there is none."""
    return rows[-1] if rows else None


def hours_within(spans: Sequence[Span], first: datetime, last: datetime) -> Hours:
    """Return what of the spans (of whole hours, oldest first) is in [first, last)."""
    inside = (clipped(span, first, last) for span in spans)
    parts = list(filter(None, inside)) or [(first, first)]
    whole = parts[0][0], parts[-1][1]
    if len(parts) == 1:
        return Hours(whole)
    return Hours(whole, frozenset(chain.from_iterable(map(_hours_of, parts))))


def _hours_of(span: Span) -> Iterator[datetime]:
    start, end = span
    return (start + n * HOUR for n in range((end - start) // HOUR))


def pending_derivations(
    updates: Mapping[str, SeriesUpdate], revised: Mapping[str, frozenset[datetime]]
) -> dict[str, tuple[Derived, Hours]]:
    """Return what is to be derived after an update, and for which hours, by id.

    `revised` has the hours of which each updated statistic has other amounts now. What
    has several sources is derived once, for the hours of them all.
    """
    pending: dict[str, tuple[Derived, frozenset[datetime]]] = {}
    for id_, hours in revised.items():
        for derived in updates[id_].derived:
            _, known = pending.get(derived.id, (derived, frozenset[datetime]()))
            pending[derived.id] = derived, known | hours | derived.hours
    return {
        id_: (derived, Hours.these(hours))
        for id_, (derived, hours) in pending.items()
        if hours
    }
