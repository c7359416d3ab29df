"""Writes what came to the long-term statistics, whatever way the recorder offers.

Every flow has one external statistic. Nothing is ever just appended: what came is
reconciled with what is stored, and each transaction leaves the chain of sums exact for
whoever reads it at whatever moment.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.components.recorder.util import async_migration_in_progress
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.recorder import get_instance
from sqlalchemy.exc import SQLAlchemyError

from ..metering.flows import Flow
from ..metering.hours import HourlyAmounts
from ..metering.reconcile import EXACT, StatisticRow
from .metadata import statistic_id, statistic_metadata
from .queries import amounts_during, newest_rows, stored_names
from .table import WriteTask
from .updates import RecorderError, SeriesUpdate, WriteResult

ROWS_AT_ONCE: Final = 5000
"""Rows compared in one transaction, in which the recorder does nothing else."""

TIMEOUT: Final = 300
"""Seconds after which a recorder that does not answer counts as out of order."""


class StatisticsWriter:
    """The statistics of one site. Raises RecorderError when the recorder can't serve."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Keep the books of one site."""
        self._hass = hass

    async def async_newest_rows(
        self, flows: Sequence[Flow]
    ) -> dict[Flow, tuple[StatisticRow, ...]]:
        """Return the newest rows of each flow's statistic, TAIL at most, oldest first."""
        return await self._async_read(newest_rows, tuple(flows))

    async def async_amounts(
        self, flow: Flow, bounds: Sequence[datetime]
    ) -> dict[datetime, float]:
        """Return what is stored for each of the periods that `bounds` delimits."""
        return await self._async_read(amounts_during, statistic_id(flow), tuple(bounds))

    async def async_announce(self, names: Mapping[Flow, str]) -> None:
        """Let each flow have a statistic under its name of today, be it still empty."""
        known = await self._async_read(
            stored_names, {statistic_id(flow) for flow in names}
        )
        for flow, name in names.items():
            if known.get(statistic_id(flow)) != name:
                async_add_external_statistics(
                    self._hass, statistic_metadata(flow, name), []
                )

    async def async_ensure(self, names: Mapping[Flow, str]) -> None:
        """Announce, and return when the database has it: then ids may be used."""
        await self.async_announce(names)
        # Booked behind the announcement, so an answer means that it is there.
        nothing = SeriesUpdate(HourlyAmounts({}, {}))
        written = await self.async_write(dict.fromkeys(names, nothing))
        if any(one.rows_missing for one in written.values()):
            raise RecorderError

    async def async_write(
        self, updates: Mapping[Flow, SeriesUpdate], tolerance: float = EXACT
    ) -> dict[Flow, WriteResult]:
        """Bring the statistics in line with the entries; see `metering.reconcile`.

        Returns when the database has it. An interruption at any point leaves each
        statistic as it was before or as it should be.
        """
        if self._hass.state is not CoreState.running:
            # The recorder begins to work off its queue when Home Assistant has started,
            # which waits for those who set up now: waiting here would be for ever.
            raise RecorderError
        written: dict[Flow, WriteResult] = {}
        for batch in _batches(updates):
            result = await self._async_run(
                {statistic_id(flow): entry for flow, entry in batch.items()}, tolerance
            )
            written |= {flow: result[statistic_id(flow)] for flow in batch}
        return written

    async def _async_run(
        self, updates: Mapping[str, SeriesUpdate], tolerance: float
    ) -> dict[str, WriteResult]:
        loop = self._hass.loop
        done: asyncio.Future[dict[str, WriteResult] | None] = loop.create_future()

        def finish(result: dict[str, WriteResult] | None) -> None:
            loop.call_soon_threadsafe(_set_result, done, result)

        self._recorder().queue_task(WriteTask(updates, tolerance, finish))
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


def _batches(
    updates: Mapping[Flow, SeriesUpdate],
) -> Iterator[dict[Flow, SeriesUpdate]]:
    """Divide entries so that a transaction compares about ROWS_AT_ONCE rows at most."""
    batch: dict[Flow, SeriesUpdate] = {}
    size = 0
    for flow, entry in updates.items():
        rows = len(entry.hours)
        if batch and size + rows > ROWS_AT_ONCE:
            yield batch
            batch, size = {}, 0
        batch[flow] = entry
        size += rows
    if batch:
        yield batch
