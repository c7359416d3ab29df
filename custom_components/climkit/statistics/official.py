"""Writes statistics by the recorder's public functions: the way without private names.

They can only set rows, one statistic at a time. So whatever moves a sum has every later
row imported again, in one call: each statistic is right as soon as anybody sees any of
it. Rows can't be deleted: where some must go, all are cleared and imported anew.
"""

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


@dataclass(slots=True)
class _Work:
    """What an update comes to: what to import, in which order, and what to say."""

    imports: list[_Import]
    written: dict[str, int]
    missing: frozenset[str]
    """Statistics that do not exist, or lack rows that should be there."""
    derived_missing: frozenset[str] = frozenset()


class OfficialBackend:
    """Reads, compares, and has the recorder import what differs and all behind it."""

    name = NAME

    def __init__(self, hass: HomeAssistant) -> None:
        """Use the recorder of this Home Assistant."""
        self._hass = hass

    async def async_write(
        self,
        turn: RecorderTurn,
        updates: Mapping[str, SeriesUpdate],
        tolerance: float,
    ) -> dict[str, WriteResult]:
        """Bring statistics in line with the updates, by id."""
        if not updates:
            return {}
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
    there = {
        id_: update
        for id_, update in updates.items()
        if id_ in known and (not update.after or _has(hass, id_, update.after))
    }
    work = _Work([], {}, frozenset(updates.keys() - there.keys()))
    revised: dict[str, frozenset[datetime]] = dict.fromkeys(there, frozenset())
    amounts: dict[str, dict[datetime, float]] = {}
    for id_, update in there.items():
        if not update.hours:
            continue
        stored, later, what = _planned(hass, id_, update.hours, tolerance)
        revised[id_] = what.revised
        work.written[id_] = len(what.changed)
        amounts[id_] = {row.start: row.state for row in (*stored.rows, *what.changed)}
        if what:
            work.imports.append(_Import(known[id_], _rows_to_set(what, later)))
    derive = pending_derivations(updates, revised)
    known = stored_metadata(hass, tuple(derive))
    work.derived_missing = frozenset(derive.keys() - known.keys())
    follow = [
        _derived(hass, derived, (min(hours), max(hours) + HOUR), hours, amounts)[0]
        for id_, (derived, hours) in derive.items()
        if id_ in known
    ]
    # What is derived comes first: cut short between the two, the next update finds the
    # source as it was, and does both again.
    work.imports = [some for some in follow if some] + work.imports
    return work


def _planned(
    hass: HomeAssistant, id_: str, hours: HourlyAmounts, tolerance: float
) -> tuple[StoredWindow, list[StatisticRow], Plan]:
    """Return what is stored within some hours and behind them, and what must change."""
    first, last = hours.span
    stored, later = _divided(rows_from(hass, id_, first), last + HOUR)
    return stored, later, plan(stored, next(iter(later), None), hours, tolerance)


def _derived_anew(
    hass: HomeAssistant, derived: Derived, spans: Sequence[Span]
) -> tuple[_Import | None, int]:
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
