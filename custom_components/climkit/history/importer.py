"""The import of the history: the check of a book that is still empty, or lacks something.

One way serves every case: a new site, a meter that was added, days without Home
Assistant, a statistic that somebody has cleared. Whatever is not known up to the window
of the live polls is brought in line with the cloud, in the background.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import ClimkitAuthenticationError, ClimkitError, Resolution
from ..const import LOGGER
from ..metering.flows import Flow, Medium
from ..metering.hours import HOUR, LIVE_WINDOW, hour_of
from ..reading.answers import Answer, Question
from ..reading.reader import SeriesReader
from ..reading.refusals import patience
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import RecorderError
from .reconciler import OVERLAP, HistoryReconciler


class HistoryImporter(DataUpdateCoordinator[float]):
    """Imports what is missing; its data is how much of the history is in, in percent."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        reader: SeriesReader,
        statistics: SiteStatistics,
    ) -> None:
        """Import the history of a site's flows."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=f"{entry.title} (history)"
        )
        self.data = 0.0
        self.reconciler = HistoryReconciler(site, reader, statistics)
        self._reader = reader
        self._site = site
        self._statistics = statistics
        self._again: asyncio.Task[dict[Flow, ClimkitError]] | None = None
        self._again_from: datetime | None = None
        self._depths: dict[Medium, datetime] = {}
        self._failures = 0
        self._refused = False
        self._running = False
        self._waiting: CALLBACK_TYPE | None = None

    @override
    async def _async_update_data(self) -> float:
        return self._percent()

    @callback
    def async_start(self) -> None:
        """Import what is missing, now and whenever something goes missing later."""
        entry = self.config_entry
        entry.async_on_unload(self._statistics.async_listen(self._async_look))
        entry.async_on_unload(self._site.async_add_listener(self._async_look))
        entry.async_on_unload(self._async_stop_waiting)
        self._async_look()

    @callback
    def _async_stop_waiting(self) -> None:
        if self._waiting:
            self._waiting()
            self._waiting = None

    @callback
    def _async_waited(self, _: datetime) -> None:
        self._waiting = None
        self._async_look()

    @callback
    def _async_look(self) -> None:
        """Start the import unless it runs, waits, or has nothing to do."""
        self._show()
        if self._running or self._waiting or self._refused:
            return
        if any(map(self._behind, self._site.data.media)):
            self._running = True
            self.config_entry.async_create_background_task(
                self.hass, self._async_run(), self.name
            )

    async def _async_run(self) -> None:
        """Import until nothing is missing; after a failure, go on in a while."""
        try:
            trouble = await self._async_import_all()
        except ClimkitAuthenticationError:
            # Nobody logs in while the user is asked; who answers reloads the entry.
            self._refused = True
            self.config_entry.async_start_reauth(self.hass)
        else:
            self._failures = self._failures + 1 if trouble else 0
            if trouble:
                pause = patience(self._failures)
                LOGGER.debug("%s: again in %s: %s", self.name, pause, trouble)
                self._waiting = async_call_later(self.hass, pause, self._async_waited)
        finally:
            self._running = False
            self._show()

    async def _async_import_all(self) -> Exception | None:
        """Import every medium; return what kept one of them from being imported."""
        trouble: Exception | None = None
        for medium in self._site.data.media:
            try:
                await self._async_import(medium)
            except ClimkitAuthenticationError:
                raise
            except (ClimkitError, RecorderError) as err:
                trouble = err
        return trouble

    async def _async_import(self, medium: Medium) -> None:
        """Import what is missing of a medium, oldest first."""
        async with self.reconciler.lock:
            flows = self._behind(medium)
            if not flows:
                return
            start = min(map(self._statistics.until, flows))
            end = hour_of(dt_util.utcnow() - OVERLAP)
            going_on = set(flows)

            @callback
            def settled(answer: Answer) -> None:
                # What is not known of one keeps it, and nobody else, from going on.
                going_on.difference_update(
                    flow for flow in answer.unknown if not answer.of(flow)
                )
                for flow in going_on:
                    self._statistics.advance(flow, answer.end)
                self._show()

            await self.reconciler.async_bring_in_line(
                medium, flows, (start, end), settled
            )
            for flow in going_on:
                self._statistics.advance(flow, end)
        self._tell_depth(medium)

    def _tell_depth(self, medium: Medium) -> None:
        """Say once from when on the cloud has something, if it says so."""
        depth = self._reader.depth(medium, Resolution.HOUR)
        if depth and self._depths.get(medium) != depth:
            self._depths[medium] = depth
            LOGGER.info(
                "%s: the cloud gives no %s before %s: the history begins there",
                self.name,
                medium,
                depth.date(),
            )

    def _behind(self, medium: Medium) -> list[Flow]:
        """Return the flows whose history ends before the window of the live polls.

        None of what the cloud does not give even now: the others come first.
        """
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        return [
            flow
            for flow in self._site.data.flows_in(medium)
            if self._statistics.is_open(flow)
            and self._reader.gives(flow)
            and not self._statistics.is_complete(flow, start)
        ]

    # --- The action ------------------------------------------------------------------

    async def async_import_again(
        self, start: datetime | None = None
    ) -> dict[Flow, ClimkitError]:
        """Fetch everything from `start` again, and return what could not be had.

        Ends with the entry, by CancelledError. Raises ClimkitError or RecorderError if
        it cannot go on; what was fetched until then stays. Who asks for no more than
        what is being fetched gets the answer to that.
        """
        begin = hour_of(start) if start else self._site.data.beginning
        if not (self._again and self._again_from and self._again_from <= begin):
            self._again_from = begin
            self._again = self.config_entry.async_create_background_task(
                self.hass, self._async_again(begin), f"{self.name} (again)"
            )
            self._again.add_done_callback(self._forget_again)
        return await asyncio.shield(self._again)

    @callback
    def _forget_again(self, task: asyncio.Task[dict[Flow, ClimkitError]]) -> None:
        if self._again is task:
            self._again = self._again_from = None

    async def _async_again(self, start: datetime) -> dict[Flow, ClimkitError]:
        missing: dict[Flow, ClimkitError] = {}
        for medium in self._site.data.media:
            flows = self._open(medium)
            span = start, hour_of(dt_util.utcnow() - OVERLAP)
            if not flows or span[0] >= span[1]:
                continue
            question = Question(medium, tuple(flows), Resolution.HOUR, *span)
            async with self.reconciler.lock:
                try:
                    await self._reader.async_look_further_back(question)
                    missing |= await self.reconciler.async_by_hours(medium, flows, span)
                except ClimkitAuthenticationError:
                    raise
                except ClimkitError as err:
                    missing |= dict.fromkeys(flows, err)
        return missing

    def _open(self, medium: Medium) -> Sequence[Flow]:
        return [
            flow
            for flow in self._site.data.flows_in(medium)
            if self._statistics.is_open(flow)
        ]

    # --- How much is in --------------------------------------------------------------

    @callback
    def _show(self) -> None:
        """Tell how much is in."""
        percent = self._percent()
        if percent != self.data:
            self.async_set_updated_data(percent)

    def _percent(self) -> float:
        """Return how many percent of the hours of all flows are known."""
        stop = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        known = [
            self._known(flow, stop)
            for flow in self._site.data.flows
            if self._statistics.is_open(flow) and self._reader.gives(flow)
        ]
        return round(100 * sum(known) / len(known), 1) if known else 0.0

    def _known(self, flow: Flow, stop: datetime) -> float:
        """Return which share of a flow's hours is known."""
        if self._statistics.is_complete(flow, stop):
            return 1.0
        first = self._site.data.beginning
        depth = self._reader.depth(flow.medium, Resolution.HOUR)
        first = max(first, depth) if depth else first
        whole = max((stop - first) / HOUR, 1)
        return min(max((self._statistics.until(flow) - first) / HOUR, 0) / whole, 1)
