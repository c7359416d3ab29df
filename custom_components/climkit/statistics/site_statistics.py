"""The books of one site: its statistics, and how far the history of each has come.

Whoever has amounts to book comes here: the polls, the import, the nightly audit. So it
is said once what follows when rows have disappeared, or when the newest one has moved.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from homeassistant.core import HomeAssistant, callback

from ..metering.flows import Flow
from ..metering.hours import HourlyAmounts
from ..metering.reconcile import EXACT, StatisticRow, total_at_live_edge
from ..metering.site import SiteInfo
from .metadata import async_statistic_names
from .progress import HistoryProgress
from .updates import SeriesUpdate, WriteResult
from .writer import StatisticsWriter


class SiteStatistics:
    """Books amounts, and remembers. Raises RecorderError when the recorder can't serve."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Keep the books of the site of one config entry."""
        self._hass = hass
        self._ledger = StatisticsWriter(hass)
        self._progress = HistoryProgress(hass, entry_id)
        self.newest_rows: dict[Flow, tuple[StatisticRow, ...]] = {}

    async def async_load(self) -> None:
        """Remember how far the histories had come when Home Assistant last ran."""
        await self._progress.async_load()

    async def async_close(self) -> None:
        """Save how far they have come, for the last time."""
        await self._progress.async_close()

    async def async_announce(self, info: SiteInfo, flows: Iterable[Flow]) -> None:
        """Give each flow a statistic under its name of today, be it still empty."""
        names = await async_statistic_names(self._hass, info, flows)
        await self._ledger.async_announce(names)

    async def async_ensure(self, info: SiteInfo, flows: Iterable[Flow]) -> None:
        """Announce the flows, and return when the database has their statistics."""
        names = await async_statistic_names(self._hass, info, flows)
        await self._ledger.async_ensure(names)

    async def async_open(self, info: SiteInfo, flows: Iterable[Flow]) -> None:
        """Announce the flows, and find out how far those that are new have come."""
        flows = tuple(flows)
        new = [flow for flow in flows if not self.is_open(flow)]
        tails = await self._ledger.async_newest_rows(new)
        await self.async_announce(info, flows)
        for flow, tail in tails.items():
            self._progress.open(flow, info.first_hour, tail[-1] if tail else None)
            self.newest_rows[flow] = tail

    async def async_write(
        self, hours: Mapping[Flow, HourlyAmounts], tolerance: float = EXACT
    ) -> dict[Flow, WriteResult]:
        """Bring statistics in line with `hours`; see `metering.reconcile`.

        A flow whose rows have disappeared gets none, and its history begins anew.
        """
        updates = {
            flow: SeriesUpdate(some, self._progress.newest(flow))
            for flow, some in hours.items()
        }
        written = await self._ledger.async_write(updates, tolerance)
        for flow, result in written.items():
            self.newest_rows[flow] = result.tail
            if result.rows_missing:
                self._progress.rewind(flow, result.newest)
            else:
                self._progress.note(flow, result.newest)
        return written

    async def async_existing(self, flows: Sequence[Flow]) -> frozenset[Flow]:
        """Return the flows that have rows."""
        tails = await self._ledger.async_newest_rows(flows)
        return frozenset(flow for flow, tail in tails.items() if tail)

    async def async_amounts(
        self, flow: Flow, bounds: Sequence[datetime]
    ) -> dict[datetime, float]:
        """Return what is stored for each of the periods that `bounds` delimits."""
        return await self._ledger.async_amounts(flow, bounds)

    @callback
    def advance(self, flow: Flow, until: datetime) -> None:
        """Note that the history of a flow is known before `until`."""
        self._progress.advance(flow, until)

    def is_open(self, flow: Flow) -> bool:
        """Return whether it is known how far a flow has come."""
        return self._progress.is_open(flow)

    def until(self, flow: Flow) -> datetime:
        """Return the hour from which on the flow's history is not known, in UTC."""
        return self._progress.until(flow)

    def is_complete(self, flow: Flow, until: datetime) -> bool:
        """Return whether the history of a flow is known up to `until`."""
        return self._progress.is_complete(flow, until)

    def newest(self, flow: Flow) -> datetime | None:
        """Return the hour of the newest row, in UTC."""
        return self._progress.newest(flow)

    def total(self, flow: Flow, quarters: Mapping[datetime, float]) -> float | None:
        """Return the running total: the newest sum, and the quarters that no row has."""
        return total_at_live_edge(self.newest_rows.get(flow, ()), quarters)
