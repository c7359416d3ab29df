"""Writes statistics by the recorder's public functions: the way without private names.

They can only set rows, one statistic at a time. So whatever moves a sum has every later
row imported again, in one call: each statistic is right as soon as anybody sees any of
it. Rows can't be deleted: where some must go, all are cleared and imported anew.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_update_statistics_metadata,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance

from ..metering.hours import HOUR, HourlyAmounts
from ..metering.reconcile import EXACT, Plan, StatisticRow, StoredWindow, plan
from ..metering.spans import Span
from .queries import amounts_during, async_read, newest_rows, rows_from, stored_metadata
from .turn import RecorderTurn
from .updates import (
    Derived,
    Hours,
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
    """Return when the recorder has done all that was queued before."""
    await turn.async_run(partial(_call_behind, hass, id_))


@callback
def _call_behind(
    hass: HomeAssistant, id_: str, finish: Callable[[bool | None], None]
) -> None:
    """Have `finish` called behind all that is queued.

    By an update of a statistic's metadata that changes nothing.
    """
    async_update_statistics_metadata(hass, id_, on_done=lambda: finish(True))


@dataclass(frozen=True, slots=True)
class _Import:
    """The rows of one statistic that are to be set."""

    metadata: StatisticMetaData
    rows: Sequence[StatisticRow]
    anew: bool = False
    """Whether all of its rows are cleared first."""

    @property
    def id(self) -> str:
        """Return the id of the statistic."""
        return self.metadata["statistic_id"]


@dataclass(frozen=True, slots=True)
class _Planned:
    """By what one statistic must change, and how it is done."""

    metadata: StatisticMetaData
    stored: StoredWindow
    """What is there within the hours that may change."""
    later: Sequence[StatisticRow]
    """What is there behind them."""
    what: Plan

    @property
    def amounts(self) -> dict[datetime, float]:
        """Return the amounts of its hours, as they will be."""
        return {row.start: row.state for row in (*self.stored.rows, *self.what.changed)}

    @property
    def written(self) -> int:
        """Return how many rows were wrong, missing, or too many."""
        return len(self.what.changed) + len(self.what.gone)

    @property
    def rows(self) -> list[StatisticRow]:
        """Return the rows by which it is done where rows can only be set."""
        if not self.what.shift:
            return list(self.what.changed)
        _, delta = self.what.shift
        moved = (
            StatisticRow(row.start, row.state, row.sum + delta) for row in self.later
        )
        return [*self.what.changed, *moved]


@dataclass(frozen=True, slots=True)
class _Work:
    """What an update comes to: what to import, in which order, and what to say."""

    imports: Sequence[_Import]
    planned: Mapping[str, _Planned]
    """Not of statistics that do not exist, or lack rows that should be there."""
    derived_missing: frozenset[str]

    def result(
        self, id_: str, update: SeriesUpdate, tail: tuple[StatisticRow, ...]
    ) -> WriteResult:
        """Return what became of a statistic whose newest rows are now those of `tail`."""
        if id_ not in self.planned:
            result = WriteResult(tail, rows_missing=True)
        else:
            result = WriteResult(tail, self.planned[id_].written)
        return result.without(update, self.derived_missing)


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
        async with self._lock:
            # What was announced or imported before must be seen when reading.
            await async_barrier(self._hass, turn, next(iter(updates)))
            work = await async_read(self._hass, _work_of, updates, tolerance)
            await self._async_import(turn, work.imports)
        tails = await async_read(self._hass, newest_rows, tuple(updates))
        return {
            id_: work.result(id_, update, tails[id_]) for id_, update in updates.items()
        }

    async def async_derive(
        self, turn: RecorderTurn, derived: Derived, spans: Sequence[Span]
    ) -> int:
        """Make the rows of a derived statistic in some spans new, at once."""
        async with self._lock:
            await async_barrier(self._hass, turn, derived.id)
            work = await async_read(self._hass, _work_anew, derived, spans)
            await self._async_import(turn, work.imports)
        return sum(planned.written for planned in work.planned.values())

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
            _call_behind(self._hass, imports[-1].id, finish)

        await turn.async_run(queue)
        if not await async_read(self._hass, _are_stored, imports):
            raise RecorderError

    @callback
    def _queue(self, some: _Import) -> None:
        if some.anew:
            get_instance(self._hass).async_clear_statistics([some.id])
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
    planned = _all_planned(hass, updates, tolerance)
    pending = pending_derivations(
        updates, {id_: each.what.revised for id_, each in planned.items()}
    )
    coming = {id_: each.amounts for id_, each in planned.items()}
    known = stored_metadata(hass, tuple(pending))
    following = [_planned_derived(hass, *pending[id_], coming) for id_ in known]
    # What is derived comes first: cut short between the two, the next update finds the
    # source as it was, and does both again.
    imports = _imports(hass, [*following, *planned.values()])
    return _Work(imports, planned, frozenset(pending.keys() - known.keys()))


def _work_anew(hass: HomeAssistant, derived: Derived, spans: Sequence[Span]) -> _Work:
    if derived.id not in stored_metadata(hass, (derived.id,)):
        # Cleared a moment ago: more than these spans is missing.
        return _Work((), {}, frozenset({derived.id}))
    hours = hours_within(spans, spans[0][0], spans[-1][1])
    planned = _planned_derived(hass, derived, hours, {})
    return _Work(_imports(hass, [planned]), {derived.id: planned}, frozenset())


def _all_planned(
    hass: HomeAssistant, updates: Mapping[str, SeriesUpdate], tolerance: float
) -> dict[str, _Planned]:
    """Return what is to be done of each update that can be; by id, in their order."""
    known = stored_metadata(hass, tuple(updates))
    return {
        id_: _planned(hass, known[id_], update.hours, tolerance)
        for id_, update in updates.items()
        if id_ in known and _goes_on(hass, id_, update)
    }


def _goes_on(hass: HomeAssistant, id_: str, update: SeriesUpdate) -> bool:
    """Return whether the row is there that an update follows."""
    return update.after is None or _has(hass, id_, update.after)


def _planned(
    hass: HomeAssistant,
    metadata: StatisticMetaData,
    hours: HourlyAmounts,
    tolerance: float,
) -> _Planned:
    """Return what is stored within some hours and behind them, and what must change."""
    if not hours:
        return _Planned(metadata, StoredWindow(0.0, ()), (), Plan())
    first, last = hours.span
    rows = rows_from(hass, metadata["statistic_id"], first)
    stored, later = _divided(rows, last + HOUR)
    what = plan(stored, next(iter(later), None), hours, tolerance)
    return _Planned(metadata, stored, later, what)


def _planned_derived(
    hass: HomeAssistant,
    derived: Derived,
    hours: Hours,
    coming: Mapping[str, Mapping[datetime, float]],
) -> _Planned:
    """Return the same for hours of a derived statistic.

    `coming` has amounts of sources that are imported in the same go.
    """
    start, end = hours.span
    sources = [
        _amounts(hass, id_, hours.span, coming.get(id_, {})) for id_ in derived.sources
    ]
    stored, later = _divided(rows_from(hass, derived.id, start), end)
    what = derived.plan(hours, sources, stored, next(iter(later), None))
    return _Planned(derived.metadata, stored, later, what)


def _amounts(
    hass: HomeAssistant, id_: str, span: Span, coming: Mapping[datetime, float]
) -> dict[datetime, float]:
    """Return the amounts of a span by hour: what is stored, and what is coming."""
    start, end = span
    stored = {row.start: row.state for row in rows_from(hass, id_, start, end).rows}
    return stored | {h: value for h, value in coming.items() if start <= h < end}


def _divided(
    stored: StoredWindow, end: datetime
) -> tuple[StoredWindow, list[StatisticRow]]:
    """Divide rows into those of a window that ends at `end`, and those behind it."""
    rows = [row for row in stored.rows if row.start < end]
    return StoredWindow(stored.base, rows), list(stored.rows[len(rows) :])


def _imports(hass: HomeAssistant, planned: Sequence[_Planned]) -> list[_Import]:
    """Return what to import so that all that is planned is done."""
    return [_import_of(hass, each) for each in planned if each.what]


def _import_of(hass: HomeAssistant, planned: _Planned) -> _Import:
    """Return the rows to set: all there are if some must go, as none can go alone."""
    metadata, rows = planned.metadata, planned.rows
    if not planned.what.gone:
        return _Import(metadata, rows)
    kept = rows_from(hass, metadata["statistic_id"], BEGINNING).rows
    by_hour = {row.start: row for row in (*kept, *rows)}
    hours = sorted(by_hour.keys() - planned.what.gone)
    return _Import(metadata, [by_hour[hour] for hour in hours], anew=True)


def _are_stored(hass: HomeAssistant, imports: Sequence[_Import]) -> bool:
    """Return whether the first and the last row of each import is in the database."""
    return all(
        _is_stored(hass, some.id, row)
        for some in imports
        for row in (*some.rows[:1], *some.rows[-1:])
    )


def _is_stored(hass: HomeAssistant, id_: str, row: StatisticRow) -> bool:
    found = rows_from(hass, id_, row.start, row.start + HOUR).rows
    return bool(found) and abs(found[0].sum - row.sum) <= EXACT


def _has(hass: HomeAssistant, id_: str, hour: datetime) -> bool:
    return bool(rows_from(hass, id_, hour, hour + HOUR).rows)
