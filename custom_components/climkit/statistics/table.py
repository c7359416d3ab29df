"""Writes the recorder's table as a task of our own: all that is private of the recorder.

Home Assistant's own import function writes rows, but a correction of last year must move
every later sum in the same transaction. So rows are read, compared and written at once
here. Any of it may move with any version: `transactions` alone imports this module, which
`writer` does late, and it asks `probe` first; `official` is the way without it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import batched, pairwise
import time
from typing import Any, Final, NamedTuple, override

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.db_schema import Statistics
from homeassistant.components.recorder.table_managers.statistics_meta import (
    StatisticsMetaManager,
)
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.components.recorder.util import retryable_database_job
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import (
    Connection,
    CursorResult,
    Executable,
    Row,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from ..metering.hours import HOUR
from ..metering.reconcile import (
    TAIL,
    Plan,
    StatisticRow,
    StoredWindow,
    plan,
    stored_row,
)
from ..metering.spans import Span
from .interfaces import missing_names, other_arguments
from .updates import Derived, Hours, SeriesUpdate, WriteResult, pending_derivations

LOOK_UPS: Final = 500
"""So many rows are looked up, each of which may take two pages of 4 kB, and forgotten."""

_NAMES: Final[dict[type, tuple[str, ...]]] = {
    Recorder: ("queue_task", "get_session"),
    RecorderTask: ("run", "commit_before"),
    StatisticsMetaManager: ("get_many",),
    Statistics: ("id", "metadata_id", "created_ts", "start_ts", "state", "sum"),
}
_METHODS: Final[dict[tuple[type, str], set[str]]] = {
    (RecorderTask, "run"): {"self", "instance"},
    (Recorder, "queue_task"): {"self", "task"},
    (Recorder, "get_session"): {"self"},
    (StatisticsMetaManager, "get_many"): {"self", "session", "statistic_ids"},
}
_FUNCTIONS: Final[dict[Callable[..., Any], set[str]]] = {
    session_scope: {"hass", "session", "read_only"},
    retryable_database_job: {"description"},
}


def probe() -> str | None:
    """Return what of the recorder is not as it is used here, or None if all is.

    A name that is gone does not even come so far: then this module can't be imported.
    """
    if missing := next(missing_names(_NAMES), None):
        return missing
    methods = {getattr(owner, name): args for (owner, name), args in _METHODS.items()}
    return next(other_arguments(methods | _FUNCTIONS), None)


def queue(
    hass: HomeAssistant, work: Callable[[Tables], Any], finish: Callable[[Any], None]
) -> None:
    """Have some work done in the recorder's thread; `finish` is told what comes of it."""
    get_instance(hass).queue_task(WriteTask(work, finish))


def amounts_by_sums(
    hass: HomeAssistant, ids: Sequence[str], bounds: Sequence[datetime]
) -> dict[str, dict[datetime, float]]:
    """Return what is stored for the periods that `bounds` delimits, by statistic.

    By the sums before the bounds: some sixty look-ups for five years of months instead
    of 43,800 rows. In the recorder's pool of readers.
    """
    amounts = {id_: dict.fromkeys(bounds[:-1], 0.0) for id_ in ids}
    with session_scope(hass=hass, read_only=True) as session:
        found = _numbers(get_instance(hass), session, ids).items()
        for some in batched(found, max(LOOK_UPS // len(bounds), 1), strict=False):
            for id_, number in some:
                amounts[id_] = _Series(session.connection(), number).amounts(bounds)
            _forget_pages(session.connection())
    return amounts


def _forget_pages(database: Connection) -> None:
    """Let SQLite keep none of the pages that were read, which hardly anybody will need.

    Each connection of the recorder would keep 16 MB of them for ever.
    """
    if database.dialect.name == "sqlite":
        database.execute(_SHRINK)


@dataclass(slots=True)
class WriteTask(RecorderTask):
    """Does some work on the table in one transaction."""

    work: Callable[[Tables], Any] = field(repr=False)  # the recorder logs its tasks
    finish: Callable[[Any], None] = field(repr=False)

    @override
    def run(self, instance: Recorder) -> None:
        """Do it; tell the waiting coroutine what came of it, or None if nothing did."""
        results: list[Any] = []
        finished = True
        try:
            finished = _in_transaction(instance, self.work, results)
        finally:
            if finished:
                self.finish(results[0] if results else None)
        if not finished:  # the database was busy: once more, behind the others
            instance.queue_task(self)


@retryable_database_job("climkit statistics")
def _in_transaction(
    instance: Recorder, work: Callable[[Tables], Any], results: list[Any]
) -> bool:
    """Add what comes of the work to `results`, which stays empty if it fails."""
    with session_scope(session=instance.get_session()) as session:
        tables = Tables(session.connection(), partial(_numbers, instance, session))
        result = work(tables)
    results.append(result)
    return True


def _numbers(
    instance: Recorder, session: Session, ids: Iterable[str]
) -> dict[str, int]:
    found = instance.statistics_meta_manager.get_many(session, statistic_ids=set(ids))
    return {id_: number for id_, (number, _) in found.items()}


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
_SHRINK: Final = text("PRAGMA shrink_memory")
_CORRECT: Final = (
    update(Statistics)
    .where(Statistics.id == bindparam("row"))
    .values(state=bindparam("amount"), sum=bindparam("total"))
)
_DELETE: Final = delete(Statistics).where(Statistics.id == bindparam("row"))
_SHIFT: Final = (
    update(Statistics)
    .where(Statistics.metadata_id == bindparam("statistic"))
    .where(Statistics.start_ts >= bindparam("first"))
    .values(sum=Statistics.sum + bindparam("delta"))
)


@dataclass(frozen=True, slots=True)
class Tables:
    """The statistics in the database, within one transaction."""

    database: Connection
    find: Callable[[Iterable[str]], dict[str, int]]
    """Gives the numbers of statistics by their ids; none of those that do not exist."""

    def write(
        self, updates: Mapping[str, SeriesUpdate], tolerance: float
    ) -> dict[str, WriteResult]:
        """Bring statistics in line with the updates, and with them what is derived."""
        _forget_pages(self.database)  # of what was written before
        results = dict.fromkeys(updates, WriteResult((), rows_missing=True))
        revised: dict[str, frozenset[datetime]] = {}
        for id_, series in self._series(updates).items():
            results[id_], hours = series.write(updates[id_], tolerance)
            if not results[id_].rows_missing:
                revised[id_] = hours
        missing = self._derive_pending(pending_derivations(updates, revised))
        return {id_: one.without(updates[id_], missing) for id_, one in results.items()}

    def oldest(self, ids: Sequence[str], span: Span) -> datetime:
        """Return the oldest hour of a span that some statistic has; its end if none."""
        found = (each.rows_from(span[0], 1) for each in self._series(ids).values())
        return min([span[1], *(_row_of(row).start for rows in found for row in rows)])

    def _series(self, ids: Collection[str]) -> dict[str, _Series]:
        found = self.find(ids)
        return {id_: _Series(self.database, found[id_]) for id_ in ids if id_ in found}

    def _derive_pending(
        self, pending: Mapping[str, tuple[Derived, Hours]]
    ) -> frozenset[str]:
        """Derive what is pending; return the ids of statistics that do not exist."""
        there = self.find(pending).keys()
        for id_ in there:
            self.derive(*pending[id_])
        return frozenset(pending.keys() - there)

    def derive(self, derived: Derived, hours: Hours) -> int:
        """Derive some hours anew; return how many rows changed."""
        known = self._series((derived.id, *derived.sources))
        if derived.id not in known:
            return 0
        sources = [
            known[id_].amounts_in(hours.span) if id_ in known else {}
            for id_ in derived.sources
        ]
        series = known[derived.id]
        window = series.window(*hours.span)
        what = derived.plan(hours, sources, window.stored, window.following)
        series.execute(what, window.ids)
        return len(what.changed) + len(what.gone)


class _Window(NamedTuple):
    """What a statistic has in a window, and the row behind it."""

    stored: StoredWindow
    following: StatisticRow | None
    ids: Mapping[datetime, int]


@dataclass(frozen=True, slots=True)
class _Series:
    """One statistic's rows in the database, within one transaction."""

    database: Connection
    number: int

    def write(
        self, some: SeriesUpdate, tolerance: float
    ) -> tuple[WriteResult, frozenset[datetime]]:
        """Bring the rows in line with an update; tell which hours it revised."""
        if some.after and not self.amounts_in((some.after, some.after + HOUR)):
            return WriteResult(self._tail(), rows_missing=True), frozenset()
        if not some.hours:
            return WriteResult(self._tail()), frozenset()
        first, last = some.hours.span
        window = self.window(first, last + HOUR)
        what = plan(window.stored, window.following, some.hours, tolerance)
        self.execute(what, window.ids)
        tail = None if what or window.following else window.stored.tail
        return WriteResult(tail or self._tail(), len(what.changed)), what.revised

    def window(self, start: datetime, end: datetime) -> _Window:
        """Return the rows in [start, end)."""
        found = self.rows_from(start, (end - start) // HOUR + 1)
        hours = list(map(_row_of, found))
        rows = [hour for hour in hours if hour.start < end]
        ids = {hour.start: row.id for hour, row in zip(rows, found, strict=False)}
        stored = StoredWindow(self._sum_before(start) or 0.0, rows)
        return _Window(stored, next(iter(hours[len(rows) :]), None), ids)

    def execute(self, what: Plan, ids: Mapping[datetime, int]) -> None:
        """Do what is planned; `ids` has the numbers of the rows that are there."""
        self._each(_DELETE, ({"row": ids[hour]} for hour in what.gone))
        self._insert(what, ids)
        self._correct(what, ids)
        if what.shift:
            first, delta = what.shift
            self._run(_SHIFT, first=first.timestamp(), delta=delta)

    def _insert(self, what: Plan, ids: Mapping[datetime, int]) -> None:
        common = {"metadata_id": self.number, "created_ts": time.time()}
        new = (
            {
                **common,
                "start_ts": row.start.timestamp(),
                "state": row.state,
                "sum": row.sum,
            }
            for row in what.changed
            if row.start not in ids
        )
        self._each(_INSERT, new)

    def _correct(self, what: Plan, ids: Mapping[datetime, int]) -> None:
        old = (
            {"row": ids[row.start], "amount": row.state, "total": row.sum}
            for row in what.changed
            if row.start in ids
        )
        self._each(_CORRECT, old)

    def _each(self, statement: Executable, rows: Iterable[Mapping[str, float]]) -> None:
        for some in batched(rows, 500, strict=False):
            self.database.execute(statement, some)

    def amounts_in(self, span: Span) -> dict[datetime, float]:
        """Return the amounts of the hours of a span."""
        start, end = span
        rows = map(_row_of, self.rows_from(start, (end - start) // HOUR))
        return {row.start: row.state for row in rows if row.start < end}

    def amounts(self, bounds: Sequence[datetime]) -> dict[datetime, float]:
        """Return the amounts of the periods that `bounds` delimits, oldest first."""
        sums = dict.fromkeys(bounds, 0.0)
        for bound in reversed(bounds):
            if (sum_ := self._sum_before(bound)) is None:
                break  # nor is there any row before earlier ones
            sums[bound] = sum_
        return {start: sums[end] - sums[start] for start, end in pairwise(bounds)}

    def rows_from(self, first: datetime, number: int) -> Sequence[Row[Any]]:
        return self._run(_ROWS_FROM, first=first.timestamp(), number=number).all()

    def _sum_before(self, first: datetime) -> float | None:
        row = self._run(_LAST_BEFORE, first=first.timestamp()).first()
        return _row_of(row).sum if row else None

    def _tail(self) -> tuple[StatisticRow, ...]:
        return tuple(map(_row_of, reversed(self._run(_NEWEST).all())))

    def _run(self, statement: Executable, **values: float) -> CursorResult[Any]:
        return self.database.execute(statement, {"statistic": self.number, **values})


def _row_of(row: Row[Any]) -> StatisticRow:
    return stored_row(*row[1:])
