"""Long-term statistics: the only module that touches the recorder.

Every flow has one external statistic. Nothing is ever just appended: what came is
reconciled with what is stored, and each transaction leaves the chain of sums exact
for whoever reads it at whatever moment. Home Assistant's own import function cannot
give that: it writes rows, but a correction of last year must move every later sum in
the same transaction. So metadata goes through Home Assistant's function, and rows
through a task of our own in the recorder's thread, which reads, compares and writes
at once. It relies on the columns `metadata_id`, `start_ts`, `state` and `sum` of
the table of hourly statistics, and on nothing else of it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
import time
from typing import Any, Final, override

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.db_schema import Statistics
from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.components.recorder.util import (
    async_migration_in_progress,
    retryable_database_job,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance, session_scope
from homeassistant.util import slugify
from homeassistant.util.unit_conversion import EnergyConverter, VolumeConverter
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
from sqlalchemy.exc import SQLAlchemyError

from .const import DOMAIN
from .flows import Flow, Quantity
from .metering import (
    EXACT,
    HOUR,
    TAIL,
    HourRow,
    Hours,
    Stored,
    amounts_between,
    reconcile,
)

ROWS_AT_ONCE: Final = 5000
"""Rows compared in one transaction, in which the recorder does nothing else."""

TIMEOUT: Final = 300
"""Seconds after which a recorder that does not answer counts as out of order."""

_UNIT_CLASSES: Final[dict[Quantity, str | None]] = {
    Quantity.ENERGY: EnergyConverter.UNIT_CLASS,
    Quantity.WATER: VolumeConverter.UNIT_CLASS,
    Quantity.UNKNOWN: None,
}


class RecorderError(HomeAssistantError):
    """The recorder can neither be read nor written at the moment."""

    def __init__(self) -> None:
        """Say it in the language of the user."""
        super().__init__(
            translation_domain=DOMAIN, translation_key="recorder_unavailable"
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be booked to one statistic."""

    hours: Hours
    after: datetime | None = None
    """The hour of a row that must still be there, or else nothing is booked.

    Somebody may have cleared the statistic, or restored an older database: then its
    history is to be fetched again first, or the sums would start from nothing.
    """


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of one statistic."""

    tail: tuple[HourRow, ...]
    """Its newest rows, TAIL at most, oldest first."""
    written: int = 0
    """How many rows were wrong or missing."""
    lost: bool = False
    """Whether rows that should be there are not; nothing was booked then."""

    @property
    def newest(self) -> HourRow | None:
        """Return its newest row, or None while it has none."""
        return self.tail[-1] if self.tail else None


def statistic_id(flow: Flow) -> str:
    """Return the id of a flow's statistic; it can never be changed again."""
    return f"{DOMAIN}:{slugify(flow.owner_id)}_{flow.kind}"


def statistic_metadata(flow: Flow, name: str) -> StatisticMetaData:
    """Return the metadata of a flow's statistic, in kWh or m³."""
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=name,
        source=DOMAIN,
        statistic_id=statistic_id(flow),
        unit_class=_UNIT_CLASSES[flow.quantity],
        unit_of_measurement=flow.unit,
    )


class Ledger:
    """The statistics of one site. Raises RecorderError when the recorder can't serve."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Keep the books of one site."""
        self._hass = hass

    async def async_tails(
        self, flows: Sequence[Flow]
    ) -> dict[Flow, tuple[HourRow, ...]]:
        """Return the newest rows of each flow's statistic, TAIL at most, oldest first."""
        return await self._async_read(_tails, tuple(flows))

    async def async_amounts(
        self, flow: Flow, bounds: Sequence[datetime]
    ) -> dict[datetime, float]:
        """Return what is stored for each of the periods that `bounds` delimits."""
        return await self._async_read(
            _amounts_during, statistic_id(flow), tuple(bounds)
        )

    async def async_announce(self, names: Mapping[Flow, str]) -> None:
        """Let each flow have a statistic under its name of today, be it still empty."""
        known = await self._async_read(_names, {statistic_id(flow) for flow in names})
        for flow, name in names.items():
            if known.get(statistic_id(flow)) != name:
                async_add_external_statistics(
                    self._hass, statistic_metadata(flow, name), []
                )

    async def async_ensure(self, names: Mapping[Flow, str]) -> None:
        """Announce, and return when the database has it: then ids may be used."""
        await self.async_announce(names)
        # Booked behind the announcement, so an answer means that it is there.
        nothing = Entry(Hours({}, {}))
        booked = await self.async_book(dict.fromkeys(names, nothing))
        if any(one.lost for one in booked.values()):
            raise RecorderError

    async def async_book(
        self, entries: Mapping[Flow, Entry], tolerance: float = EXACT
    ) -> dict[Flow, Booked]:
        """Bring the statistics in line with the entries; see `metering.reconcile`.

        Returns when the database has it. An interruption at any point leaves each
        statistic as it was before or as it should be.
        """
        if self._hass.state is not CoreState.running:
            # The recorder begins to work off its queue when Home Assistant has started,
            # which waits for those who set up now: waiting here would be for ever.
            raise RecorderError
        booked: dict[Flow, Booked] = {}
        for batch in _batches(entries):
            result = await self._async_run(
                {statistic_id(flow): entry for flow, entry in batch.items()}, tolerance
            )
            booked |= {flow: result[statistic_id(flow)] for flow in batch}
        return booked

    async def _async_run(
        self, entries: Mapping[str, Entry], tolerance: float
    ) -> dict[str, Booked]:
        loop = self._hass.loop
        done: asyncio.Future[dict[str, Booked] | None] = loop.create_future()

        def finish(result: dict[str, Booked] | None) -> None:
            loop.call_soon_threadsafe(_set_result, done, result)

        self._recorder().queue_task(_BookingTask(entries, tolerance, finish))
        try:
            async with asyncio.timeout(TIMEOUT):
                result = await done
        except TimeoutError:
            result = None
        if result is None:
            raise RecorderError
        return result

    async def _async_read[*Ts, T](
        self, read: Callable[[HomeAssistant, *Ts], T], *args: *Ts
    ) -> T:
        recorder = self._recorder()
        try:
            return await recorder.async_add_executor_job(read, self._hass, *args)
        except SQLAlchemyError as err:  # locked, full, or the server is gone
            raise RecorderError from err

    def _recorder(self) -> Recorder:
        recorder = get_instance(self._hass)
        if async_migration_in_progress(self._hass) or not recorder.recording:
            raise RecorderError
        return recorder


def _set_result[T](future: asyncio.Future[T], result: T) -> None:
    if not future.done():  # its waiter may have been cancelled
        future.set_result(result)


def _batches(entries: Mapping[Flow, Entry]) -> Iterator[dict[Flow, Entry]]:
    """Divide entries so that a transaction compares about ROWS_AT_ONCE rows at most."""
    batch: dict[Flow, Entry] = {}
    size = 0
    for flow, entry in entries.items():
        rows = len(entry.hours)
        if batch and size + rows > ROWS_AT_ONCE:
            yield batch
            batch, size = {}, 0
        batch[flow] = entry
        size += rows
    if batch:
        yield batch


# --- In the recorder's pool of readers ----------------------------------------------


def _tails(
    hass: HomeAssistant, flows: Sequence[Flow]
) -> dict[Flow, tuple[HourRow, ...]]:
    tails = {}
    for flow in flows:
        id_ = statistic_id(flow)
        rows = get_last_statistics(hass, TAIL, id_, False, {"state", "sum"})
        tails[flow] = tuple(map(_hour_row, reversed(rows.get(id_, []))))
    return tails


def _amounts_during(
    hass: HomeAssistant, id_: str, bounds: Sequence[datetime]
) -> dict[datetime, float]:
    found = statistics_during_period(
        hass, bounds[0], bounds[-1], {id_}, "hour", None, {"state", "sum"}
    )
    return amounts_between(map(_hour_row, found.get(id_, [])), bounds)


def _hour_row(row: Mapping[str, Any]) -> HourRow:
    return HourRow(
        datetime.fromtimestamp(row["start"], UTC),
        row["state"] or 0.0,
        row["sum"] or 0.0,
    )


def _names(hass: HomeAssistant, ids: set[str]) -> dict[str, str | None]:
    return {
        id_: metadata["name"]
        for id_, (_, metadata) in get_metadata(hass, statistic_ids=ids).items()
    }


# --- In the recorder's thread -------------------------------------------------------


@dataclass(slots=True)
class _BookingTask(RecorderTask):
    """Reads, compares and writes some statistics in one transaction."""

    entries: Mapping[str, Entry] = field(repr=False)  # the recorder logs its tasks
    tolerance: float
    finish: Callable[[dict[str, Booked] | None], None] = field(repr=False)

    @override
    def run(self, instance: Recorder) -> None:
        """Book; tell the waiting coroutine what became of it, or None if nothing did."""
        booked: dict[str, Booked] = {}
        finished = True
        try:
            finished = _book_all(instance, self.entries, self.tolerance, booked)
        finally:
            if finished:
                self.finish(booked or None)
        if not finished:  # the database was busy: once more, behind the others
            instance.queue_task(self)


@retryable_database_job("climkit statistics")
def _book_all(
    instance: Recorder,
    entries: Mapping[str, Entry],
    tolerance: float,
    booked: dict[str, Booked],
) -> bool:
    """Book every entry to `booked`, which stays empty if the transaction fails."""
    result = {}
    with session_scope(session=instance.get_session()) as session:
        known = instance.statistics_meta_manager.get_many(
            session, statistic_ids=set(entries)
        )
        database = session.connection()
        for id_, entry in entries.items():
            if id_ in known:
                result[id_] = _Account(database, known[id_][0]).book(entry, tolerance)
            else:
                result[id_] = Booked((), lost=True)
    booked |= result
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
class _Account:
    """One statistic's rows in the database, within one transaction."""

    database: Connection
    metadata_id: int

    def book(self, entry: Entry, tolerance: float) -> Booked:
        """Bring the rows in line with the entry, and all later sums with them."""
        if entry.after and not self._has(entry.after):
            return Booked(self._tail(), lost=True)
        if not entry.hours:
            return Booked(self._tail())
        first, last = entry.hours.span
        ids: dict[datetime, int] = {}
        rows: list[HourRow] = []
        following: HourRow | None = None
        for row in self._rows_from(first, (last - first) // HOUR + 2):
            hour = _row_of(row)
            if hour.start > last:
                following = hour
                break
            ids[hour.start] = row.id
            rows.append(hour)
        stored = Stored(self._sum_before(first), rows)
        changed = reconcile(stored, entry.hours, tolerance)
        self._write(changed, ids)
        if following:
            self._go_on({row.start: row.sum for row in (*rows, *changed)}, following)
        return Booked(self._tail(), len(changed))

    def _write(self, rows: Sequence[HourRow], ids: Mapping[datetime, int]) -> None:
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

    def _go_on(self, sums: Mapping[datetime, float], following: HourRow) -> None:
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

    def _tail(self) -> tuple[HourRow, ...]:
        rows = self._run(_NEWEST).all()
        return tuple(map(_row_of, reversed(rows)))

    def _run(self, statement: Executable, **values: float) -> CursorResult[Any]:
        return self.database.execute(
            statement, {"statistic": self.metadata_id, **values}
        )


def _row_of(row: Row[Any]) -> HourRow:
    return HourRow(
        datetime.fromtimestamp(row.start_ts, UTC), row.state or 0.0, row.sum or 0.0
    )
