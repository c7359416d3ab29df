"""Writes statistics by the recorder's public functions: the way without private names.

They can only set rows, one statistic at a time. So whatever moves a sum has every later
row imported again, in one call: each statistic is right as soon as anybody sees any of
it. Rows can't be deleted: where some must go, all are cleared and imported anew.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_update_statistics_metadata,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance

from ..metering.hours import HOUR, HourlyAmounts
from ..metering.reconcile import (
    EXACT,
    Plan,
    StatisticRow,
    StoredWindow,
    plan,
    plan_derived,
)
from ..metering.spans import Span
from .queries import amounts_during, async_read, newest_rows, rows_from, stored_metadata
from .turn import RecorderTurn
from .updates import (
    Derived,
    RecorderError,
    SeriesUpdate,
    WriteResult,
    hours_within,
    pending_derivations,
)

NAME: Final = "official"

BEGINNING: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
"""Older than any row of ours."""


async def async_barrier(hass: HomeAssistant, turn: RecorderTurn, id_: str) -> None:
    """Return when the recorder has done all that was queued before.

    An update of a statistic's metadata that changes nothing is queued behind it.
    """

    def queue(finish: Callable[[bool | None], None]) -> None:
        async_update_statistics_metadata(hass, id_, on_done=lambda: finish(True))

    await turn.async_run(queue)


@dataclass(frozen=True, slots=True)
class _Import:
    """The rows of one statistic that are to be set."""

    metadata: StatisticMetaData
    rows: Sequence[StatisticRow]
    anew: bool = False
    """Whether all of its rows are cleared first."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What an update comes to: what to import, in which order, and what to say."""

    imports: Sequence[_Import]
    written: Mapping[str, int]
    missing: frozenset[str]
    """Statistics that do not exist, or lack rows that should be there."""
    derived_missing: frozenset[str]


class OfficialBackend:
    """Reads, compares, and has the recorder import what differs and all behind it."""

    name = NAME

    def __init__(self, hass: HomeAssistant) -> None:
        """Use the recorder of this Home Assistant."""
        self._hass = hass
        # Who reads what another is about to move would import sums that are no longer so.
        self._lock = asyncio.Lock()

    async def async_write(
        self,
        turn: RecorderTurn,
        updates: Mapping[str, SeriesUpdate],
        tolerance: float,
    ) -> dict[str, WriteResult]:
        """Bring statistics in line with the updates, by id."""
        if not updates:
            return {}
        async with self._lock:
            # What was announced or imported before must be seen when reading.
            await async_barrier(self._hass, turn, next(iter(updates)))
            work = await async_read(self._hass, _work_of, updates, tolerance)
            await self._async_import(turn, work.imports)
        tails = await async_read(self._hass, newest_rows, tuple(updates))
        return {
            id_: WriteResult(
                tails[id_], work.written.get(id_, 0), rows_missing=id_ in work.missing
            ).without(update, work.derived_missing)
            for id_, update in updates.items()
        }

    async def async_derive(
        self, turn: RecorderTurn, derived: Derived, spans: Sequence[Span]
    ) -> int:
        """Make the rows of a derived statistic in some spans new, at once."""
        async with self._lock:
            await async_barrier(self._hass, turn, derived.id)
            some, written = await async_read(self._hass, _derived_anew, derived, spans)
            await self._async_import(turn, [some] if some else [])
        return written

    def amounts(
        self, hass: HomeAssistant, ids: Sequence[str], bounds: Sequence[datetime]
    ) -> dict[str, dict[datetime, float]]:
        """Return what is stored for the periods that `bounds` delimits, by statistic."""
        return amounts_during(hass, ids, bounds)

    async def _async_import(
        self, turn: RecorderTurn, imports: Sequence[_Import]
    ) -> None:
        """Have rows imported; return when the database has them.

        A database that is locked or full makes the recorder drop them, or do it later
        without a word: so it is looked whether they are there.
        """
        if not imports:
            return

        def queue(finish: Callable[[bool | None], None]) -> None:
            for some in imports:
                self._queue(some)
            id_ = imports[-1].metadata["statistic_id"]
            async_update_statistics_metadata(
                self._hass, id_, on_done=lambda: finish(True)
            )

        await turn.async_run(queue)
        if not await async_read(self._hass, _are_stored, imports):
            raise RecorderError

    @callback
    def _queue(self, some: _Import) -> None:
        if some.anew:
            get_instance(self._hass).async_clear_statistics(
                [some.metadata["statistic_id"]]
            )
        async_add_external_statistics(
            self._hass,
            some.metadata,
            [
                StatisticData(start=row.start, state=row.state, sum=row.sum)
                for row in some.rows
            ],
        )


# --- In the recorder's pool of readers ----------------------------------------------


def _work_of(
    hass: HomeAssistant, updates: Mapping[str, SeriesUpdate], tolerance: float
) -> _Work:
    known = stored_metadata(hass, tuple(updates))
    planned = {
        id_: _planned(hass, id_, updates[id_].hours, tolerance)
        for id_ in filter(known.__contains__, updates)
        if _goes_on(hass, id_, updates[id_])
    }
    derive = pending_derivations(
        updates, {id_: each.what.revised for id_, each in planned.items()}
    )
    follow, derived_missing = _following(
        hass, derive, {id_: each.amounts for id_, each in planned.items()}
    )
    imports = [
        _Import(known[id_], _rows_to_set(each.what, each.later))
        for id_, each in planned.items()
        if each.what
    ]
    return _Work(
        # What is derived comes first: cut short between the two, the next update finds
        # the source as it was, and does both again.
        [*follow, *imports],
        {id_: len(each.what.changed) for id_, each in planned.items()},
        frozenset(updates.keys() - planned.keys()),
        derived_missing,
    )


@dataclass(frozen=True, slots=True)
class _Planned:
    """What an update of one statistic comes to."""

    stored: StoredWindow
    """What is there within its hours."""
    later: Sequence[StatisticRow]
    """What is there behind them."""
    what: Plan

    @property
    def amounts(self) -> dict[datetime, float]:
        """Return the amounts of its hours, as they will be."""
        return {row.start: row.state for row in (*self.stored.rows, *self.what.changed)}


def _goes_on(hass: HomeAssistant, id_: str, update: SeriesUpdate) -> bool:
    """Return whether the row is there that an update follows."""
    return update.after is None or _has(hass, id_, update.after)


def _planned(
    hass: HomeAssistant, id_: str, hours: HourlyAmounts, tolerance: float
) -> _Planned:
    """Return what is stored within some hours and behind them, and what must change."""
    if not hours:
        return _Planned(StoredWindow(0.0, ()), (), Plan())
    first, last = hours.span
    stored, later = _divided(rows_from(hass, id_, first), last + HOUR)
    what = plan(stored, next(iter(later), None), hours, tolerance)
    return _Planned(stored, later, what)


def _following(
    hass: HomeAssistant,
    derive: Mapping[str, tuple[Derived, frozenset[datetime]]],
    coming: Mapping[str, Mapping[datetime, float]],
) -> tuple[list[_Import], frozenset[str]]:
    """Return what to import of derived statistics, and which of them do not exist."""
    known = stored_metadata(hass, tuple(derive))
    imports = []
    for id_ in filter(known.__contains__, derive):
        derived, hours = derive[id_]
        span = min(hours), max(hours) + HOUR
        some, _ = _derived(hass, derived, span, hours, coming)
        if some:
            imports.append(some)
    return imports, frozenset(derive.keys() - known.keys())


def _derived_anew(
    hass: HomeAssistant, derived: Derived, spans: Sequence[Span]
) -> tuple[_Import | None, int]:
    if derived.id not in stored_metadata(hass, (derived.id,)):
        return None, 0  # cleared a moment ago: more than these spans is missing
    span, hours = hours_within(spans, spans[0][0], spans[-1][1])
    return _derived(hass, derived, span, hours, {})


def _derived(
    hass: HomeAssistant,
    derived: Derived,
    span: Span,
    hours: frozenset[datetime] | None,
    coming: Mapping[str, Mapping[datetime, float]],
) -> tuple[_Import | None, int]:
    """Return what to import for these hours of a span, or all of it, and its extent.

    `coming` has amounts of sources that are imported in the same go.
    """
    start, end = span
    sources = [
        _amounts(hass, id_, span, coming.get(id_, {})) for id_ in derived.sources
    ]
    amounts = derived.amounts_of(hours, span, sources)
    stored, later = _divided(rows_from(hass, derived.id, start), end)
    if hours is None:
        hours = frozenset(row.start for row in stored.rows) | amounts.keys()
    what = plan_derived(stored, next(iter(later), None), hours, amounts)
    if not what:
        return None, 0
    rows = _rows_to_set(what, later)
    if what.gone:
        rows = _all_but(hass, derived.id, what.gone, rows)
    written = len(what.changed) + len(what.gone)
    return _Import(derived.metadata, rows, anew=bool(what.gone)), written


def _amounts(
    hass: HomeAssistant, id_: str, span: Span, coming: Mapping[datetime, float]
) -> dict[datetime, float]:
    """Return the amounts of a span by hour: what is stored, and what is coming."""
    start, end = span
    stored = {row.start: row.state for row in rows_from(hass, id_, start, end).rows}
    return stored | {h: value for h, value in coming.items() if start <= h < end}


def _all_but(
    hass: HomeAssistant,
    id_: str,
    gone: frozenset[datetime],
    rows: Sequence[StatisticRow],
) -> list[StatisticRow]:
    """Return all rows of a statistic as they must be, since none can be deleted alone."""
    kept = {row.start: row for row in rows_from(hass, id_, BEGINNING).rows}
    kept |= {row.start: row for row in rows}
    return [kept[hour] for hour in sorted(kept.keys() - gone)]


def _divided(
    stored: StoredWindow, end: datetime
) -> tuple[StoredWindow, list[StatisticRow]]:
    """Divide rows into those of a window that ends at `end`, and those behind it."""
    rows = [row for row in stored.rows if row.start < end]
    return StoredWindow(stored.base, rows), list(stored.rows[len(rows) :])


def _rows_to_set(what: Plan, later: Sequence[StatisticRow]) -> list[StatisticRow]:
    """Return the rows by which a plan is done where rows can only be set."""
    if not what.shift:
        return list(what.changed)
    _, delta = what.shift
    moved = [StatisticRow(row.start, row.state, row.sum + delta) for row in later]
    return [*what.changed, *moved]


def _are_stored(hass: HomeAssistant, imports: Sequence[_Import]) -> bool:
    """Return whether the first and the last row of each import is in the database."""
    for some in imports:
        for row in (*some.rows[:1], *some.rows[-1:]):
            id_ = some.metadata["statistic_id"]
            found = rows_from(hass, id_, row.start, row.start + HOUR).rows
            if not found or abs(found[0].sum - row.sum) > EXACT:
                return False
    return True


def _has(hass: HomeAssistant, id_: str, hour: datetime) -> bool:
    return bool(rows_from(hass, id_, hour, hour + HOUR).rows)
