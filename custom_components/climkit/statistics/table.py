"""Writes statistics as a task of our own in the recorder's thread: all that is private.

Home Assistant's own import function writes rows, but a correction of last year must move
every later sum in the same transaction. So rows are read, compared and written at once
here. It relies on the columns `metadata_id`, `start_ts`, `state` and `sum` of the table
of hourly statistics, and on nothing else of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
import time
from typing import Any, Final, override

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.db_schema import Statistics
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.components.recorder.util import retryable_database_job
from homeassistant.helpers.recorder import session_scope
from sqlalchemy import (
    Connection,
    CursorResult,
    Executable,
    Row,
    bindparam,
    insert,
    select,
    update,
)

from ..metering.hours import HOUR
from ..metering.reconcile import EXACT, TAIL, StatisticRow, StoredWindow, reconcile
from .updates import SeriesUpdate, WriteResult

# --- In the recorder's thread -------------------------------------------------------


@dataclass(slots=True)
class WriteTask(RecorderTask):
    """Reads, compares and writes some statistics in one transaction."""

    updates: Mapping[str, SeriesUpdate] = field(
        repr=False
    )  # the recorder logs its tasks
    tolerance: float
    finish: Callable[[dict[str, WriteResult] | None], None] = field(repr=False)

    @override
    def run(self, instance: Recorder) -> None:
        """Book; tell the waiting coroutine what became of it, or None if nothing did."""
        written: dict[str, WriteResult] = {}
        finished = True
        try:
            finished = _write_all(instance, self.updates, self.tolerance, written)
        finally:
            if finished:
                self.finish(written or None)
        if not finished:  # the database was busy: once more, behind the others
            instance.queue_task(self)


@retryable_database_job("climkit statistics")
def _write_all(
    instance: Recorder,
    updates: Mapping[str, SeriesUpdate],
    tolerance: float,
    written: dict[str, WriteResult],
) -> bool:
    """Book every entry to `booked`, which stays empty if the transaction fails."""
    result = {}
    with session_scope(session=instance.get_session()) as session:
        known = instance.statistics_meta_manager.get_many(
            session, statistic_ids=set(updates)
        )
        database = session.connection()
        for id_, entry in updates.items():
            if id_ in known:
                result[id_] = _Series(database, known[id_][0]).book(entry, tolerance)
            else:
                result[id_] = WriteResult((), rows_missing=True)
    written |= result
    return True


# Made once: making them for each flow of each poll would take longer than their work.
_ROWS: Final = select(
    Statistics.id, Statistics.start_ts, Statistics.state, Statistics.sum
).where(Statistics.metadata_id == bindparam("statistic"))
_ROWS_FROM: Final = (
    _ROWS.where(Statistics.start_ts >= bindparam("first"))
    .order_by(Statistics.start_ts)
    .limit(bindparam("number"))
)
_LAST_BEFORE: Final = (
    _ROWS.where(Statistics.start_ts < bindparam("first"))
    .order_by(Statistics.start_ts.desc())
    .limit(1)
)
_NEWEST: Final = _ROWS.order_by(Statistics.start_ts.desc()).limit(TAIL)
_INSERT: Final = insert(Statistics)
_CORRECT: Final = (
    update(Statistics)
    .where(Statistics.id == bindparam("row"))
    .values(state=bindparam("amount"), sum=bindparam("total"))
)
_SHIFT: Final = (
    update(Statistics)
    .where(Statistics.metadata_id == bindparam("statistic"))
    .where(Statistics.start_ts >= bindparam("first"))
    .values(sum=Statistics.sum + bindparam("delta"))
)


@dataclass(frozen=True, slots=True)
class _Series:
    """One statistic's rows in the database, within one transaction."""

    database: Connection
    metadata_id: int

    def book(self, entry: SeriesUpdate, tolerance: float) -> WriteResult:
        """Bring the rows in line with the entry, and all later sums with them."""
        if entry.after and not self._has(entry.after):
            return WriteResult(self._tail(), rows_missing=True)
        if not entry.hours:
            return WriteResult(self._tail())
        first, last = entry.hours.span
        ids: dict[datetime, int] = {}
        rows: list[StatisticRow] = []
        following: StatisticRow | None = None
        for row in self._rows_from(first, (last - first) // HOUR + 2):
            hour = _row_of(row)
            if hour.start > last:
                following = hour
                break
            ids[hour.start] = row.id
            rows.append(hour)
        stored = StoredWindow(self._sum_before(first), rows)
        changed = reconcile(stored, entry.hours, tolerance)
        self._write(changed, ids)
        if following:
            self._go_on({row.start: row.sum for row in (*rows, *changed)}, following)
        return WriteResult(self._tail(), len(changed))

    def _write(self, rows: Sequence[StatisticRow], ids: Mapping[datetime, int]) -> None:
        now = time.time()
        new = [
            {
                "metadata_id": self.metadata_id,
                "created_ts": now,
                "start_ts": row.start.timestamp(),
                "state": row.state,
                "sum": row.sum,
            }
            for row in rows
            if row.start not in ids
        ]
        old = [
            {"row": ids[row.start], "amount": row.state, "total": row.sum}
            for row in rows
            if row.start in ids
        ]
        for some in batched(new, 500, strict=False):
            self.database.execute(_INSERT, some)
        if old:
            self.database.execute(_CORRECT, old)

    def _go_on(self, sums: Mapping[datetime, float], following: StatisticRow) -> None:
        """Move the sums of the following row and of all later ones so that they go on."""
        delta = sums[max(sums)] - (following.sum - following.state)
        if abs(delta) > EXACT:
            self._run(_SHIFT, first=following.start.timestamp(), delta=delta)

    def _has(self, hour: datetime) -> bool:
        return any(row.start_ts == hour.timestamp() for row in self._rows_from(hour, 1))

    def _rows_from(self, first: datetime, number: int) -> Sequence[Row[Any]]:
        return self._run(_ROWS_FROM, first=first.timestamp(), number=number).all()

    def _sum_before(self, first: datetime) -> float:
        row = self._run(_LAST_BEFORE, first=first.timestamp()).first()
        return _row_of(row).sum if row else 0.0

    def _tail(self) -> tuple[StatisticRow, ...]:
        rows = self._run(_NEWEST).all()
        return tuple(map(_row_of, reversed(rows)))

    def _run(self, statement: Executable, **values: float) -> CursorResult[Any]:
        return self.database.execute(
            statement, {"statistic": self.metadata_id, **values}
        )


def _row_of(row: Row[Any]) -> StatisticRow:
    return StatisticRow(
        datetime.fromtimestamp(row.start_ts, UTC), row.state or 0.0, row.sum or 0.0
    )
