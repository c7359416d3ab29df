"""The import of the history: oldest first, in the background, wherever it stopped.

One way serves every case: a new site, a meter that was added, days without Home
Assistant, a statistic that somebody has cleared. Whatever is not known up to the window
of the live polls is fetched by the hour and booked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import (
    ClimkitAccessError,
    ClimkitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
    Priority,
    Resolution,
)
from ..const import LOGGER
from ..metering.calendar import windows
from ..metering.flows import Flow, Medium
from ..metering.hours import HOUR, HourlyAmounts, hour_of
from ..metering.reconcile import HOUR_ROUNDING
from ..reading.live_coordinator import LIVE_WINDOW, LiveCoordinator
from ..reading.reader import SeriesReader
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import RecorderError

WINDOW: Final = timedelta(days=120)
"""Hourly rows of this time in one request; halved where the cloud refuses."""
SHORTEST: Final = timedelta(days=1)

OVERLAP: Final = timedelta(hours=24)
"""The import ends this long ago: newer hours may still be incomplete in the cloud."""

PATIENCE: Final = (60, 120, 300, 900)
"""Seconds between attempts while the cloud or the recorder is out of order."""


class HistoryImporter(DataUpdateCoordinator[float]):
    """Imports what is missing; its data is how much of the history is in, in percent."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        reader: SeriesReader,
        statistics: SiteStatistics,
        live: Sequence[LiveCoordinator],
    ) -> None:
        """Import the history of the flows that the live coordinators follow."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=f"{entry.title} (history)"
        )
        self.data = 0.0
        self.skipped: list[tuple[Medium, datetime, datetime]] = []
        self._reader = reader
        self._statistics = statistics
        self._live = live
        self._running = False
        self._waiting: CALLBACK_TYPE | None = None
        self._failures = 0
        self._length: dict[Medium, timedelta] = {}
        self._refused_at: dict[tuple[Medium, datetime], datetime] = {}

    @callback
    def async_start(self) -> None:
        """Import what is missing, now and whenever something goes missing later."""
        for coordinator in self._live:
            self.config_entry.async_on_unload(
                coordinator.async_add_listener(self._async_import_if_needed)
            )
        self.config_entry.async_on_unload(self._async_stop_waiting)
        self._async_import_if_needed()

    @callback
    def _async_stop_waiting(self) -> None:
        if self._waiting:
            self._waiting()
            self._waiting = None

    @callback
    def _async_waited(self, _: datetime) -> None:
        self._waiting = None
        self._async_import_if_needed()

    @callback
    def _async_import_if_needed(self) -> None:
        """Start the import unless it runs, waits, or has nothing to do."""
        if self._running or self._waiting:
            return
        if any(
            self._behind(coordinator, medium)
            for coordinator in self._live
            for medium in coordinator.media
        ):
            self._running = True
            self.config_entry.async_create_background_task(
                self.hass, self._async_run(), self.name
            )
        else:
            self._show()

    async def _async_run(self) -> None:
        """Import until nothing is missing; after a failure, go on in a while."""
        try:
            await self._async_import_all()
        except (ClimkitError, RecorderError) as err:
            pause = PATIENCE[min(self._failures, len(PATIENCE) - 1)]
            self._failures += 1
            LOGGER.debug("%s: again in %s s: %s", self.name, pause, err)
            self._waiting = async_call_later(self.hass, pause, self._async_waited)
        else:
            self._failures = 0
        finally:
            self._running = False

    async def _async_import_all(self) -> None:
        """Import window by window until nothing is missing."""
        for coordinator in self._live:
            # Who clears a statistic deletes its name and unit as well.
            await self._statistics.async_announce(
                coordinator.site.data, coordinator.flows
            )
            for medium in coordinator.media:
                while behind := self._behind(coordinator, medium):
                    await self._async_import_window(medium, behind)
                    if not self._behind(coordinator, medium):
                        await coordinator.async_history_advanced()
                    self._show()
        self._show()

    async def async_import_again(self, start: datetime | None = None) -> None:
        """Fetch everything from `start` again and reconcile.

        Raises ClimkitError or RecorderError; what was reconciled until then stays.
        """
        for coordinator in self._live:
            first = coordinator.site.data.first_hour
            begin = max(hour_of(start), first) if start else first
            for medium in coordinator.media:
                flows = [
                    flow
                    for flow in coordinator.flows
                    if flow.medium == medium and self._statistics.is_open(flow)
                ]
                stop = hour_of(dt_util.utcnow() - OVERLAP)
                for window in windows(begin, stop, self._length.get(medium, WINDOW)):
                    await self._async_reconcile_window(medium, flows, *window)
            await coordinator.async_history_advanced()

    async def _async_reconcile_window(
        self, medium: Medium, flows: Sequence[Flow], start: datetime, end: datetime
    ) -> None:
        """Bring a window that has been imported before in line with the cloud."""
        readings = await self._reader.async_read(
            medium, flows, Resolution.HOUR, start, end, priority=Priority.BACKGROUND
        )
        for flow in flows:
            known = {
                hour: amount
                for hour, amount in readings.of(flow).items()
                if hour < self._statistics.until(flow)
            }
            await self._statistics.async_write(
                {flow: HourlyAmounts(known, {})}, HOUR_ROUNDING
            )

    def _behind(self, coordinator: LiveCoordinator, medium: Medium) -> list[Flow]:
        """Return the flows whose history ends before the window of the live polls.

        None of what the cloud does not give even now: the others come first.
        """
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        return [
            flow
            for flow in coordinator.flows
            if flow.medium == medium
            and self._statistics.is_open(flow)
            and coordinator.gives(flow)
            and not self._statistics.is_complete(flow, start)
        ]

    async def _async_import_window(self, medium: Medium, flows: Sequence[Flow]) -> None:
        """Import the next window of the flows, the site's flows first."""
        start = min(self._statistics.until(flow) for flow in flows)
        length = self._length.get(medium, WINDOW)
        end = min(start + length, hour_of(dt_util.utcnow() - OVERLAP))
        try:
            readings = await self._reader.async_read(
                medium, flows, Resolution.HOUR, start, end, priority=Priority.BACKGROUND
            )
        except (ClimkitTimeoutError, ClimkitResponseError, ClimkitAccessError) as err:
            self._refused(medium, start, end, err)
            return
        if missing := len(readings.missing):
            LOGGER.debug(
                "%s: no %s of %s meters at %s", self.name, medium, missing, start
            )
            self.skipped.append((medium, start, end))
        for flow in flows:
            known = self._statistics.until(flow)
            if known >= end or not self._reader.gives(flow):
                continue
            hours = HourlyAmounts(readings.of(flow), {}).since(known)
            if (await self._statistics.async_write({flow: hours}))[flow].rows_missing:
                raise RecorderError  # from the beginning, but not at once
            self._statistics.advance(flow, end)

    def _refused(
        self, medium: Medium, start: datetime, end: datetime, err: ClimkitError
    ) -> None:
        """Try a shorter window next; leave out a day that is refused for good.

        Only if the cloud answers otherwise, that is: raises the error while it does not.
        """
        if not all(coordinator.last_update_success for coordinator in self._live):
            raise err
        if end - start > SHORTEST:
            self._length[medium] = max((end - start) / 2, SHORTEST)
            LOGGER.debug("%s: refused %s days: %s", self.name, (end - start).days, err)
            return
        now = dt_util.utcnow()
        first = self._refused_at.setdefault((medium, start), now)
        if now - first < timedelta(minutes=10):
            raise err
        LOGGER.warning(
            "%s: the cloud does not give the %s of %s; it will be looked for again at"
            " night: %s",
            self.name,
            medium,
            start.date(),
            err,
        )
        self.skipped.append((medium, start, end))
        # What lies behind it may come in long windows again.
        self._length.pop(medium, None)
        for coordinator in self._live:
            for flow in self._behind(coordinator, medium):
                if self._statistics.until(flow) < end:
                    self._statistics.advance(flow, end)

    @callback
    def _show(self) -> None:
        """Tell how much is in."""
        percent = self._percent()
        if percent != self.data:
            self.async_set_updated_data(percent)

    def _percent(self) -> float:
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        done = total = 0.0
        for coordinator in self._live:
            first = coordinator.site.data.first_hour
            for flow in coordinator.flows:
                if self._statistics.is_open(flow) and coordinator.gives(flow):
                    whole = max((start - first) / HOUR, 1)
                    known = max((self._statistics.until(flow) - first) / HOUR, 0)
                    complete = self._statistics.is_complete(flow, start)
                    done += whole if complete else min(known, whole)
                    total += whole
        return round(100 * done / total, 1) if total else 0.0
