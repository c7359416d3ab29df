"""The import of the history: the check of a book that is still empty, or lacks something.

One way serves every case: a new site, a meter that was added, days without Home
Assistant, a statistic that somebody has cleared. Whatever is not known up to the window
of the live polls is brought in line with the cloud, in the background.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import ClimkitAuthenticationError, ClimkitError, Priority, Resolution
from ..const import LOGGER
from ..metering.flows import Flow, Medium
from ..metering.hours import HOUR, LIVE_WINDOW, hour_of
from ..metering.spans import Span
from ..reading.account import async_ask_for_password
from ..reading.answers import Question
from ..reading.limit import NEVER
from ..reading.refusals import patience
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.updates import RecorderError
from .reconciler import OVERLAP, HistoryReconciler

ALMOST: Final = 99.9
"""Percent that are shown while it is still held against its months what came."""


@dataclass(frozen=True, slots=True)
class _Again:
    """Everything from some hour on is being fetched again."""

    since: datetime
    task: asyncio.Task[dict[Flow, ClimkitError]]

    def covers(self, begin: datetime) -> bool:
        """Return whether it is under way, and brings all from a time on."""
        return not self.task.done() and self.since <= begin


class HistoryImporter(DataUpdateCoordinator[float]):
    """Imports what is missing; its data is how much of the history is in, in percent."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        reconciler: HistoryReconciler,
    ) -> None:
        """Import the history of a site's flows."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=f"{entry.title} (history)"
        )
        self.data = 0.0
        self.reconciler = reconciler
        self._reader = reconciler.reader
        self._site = site
        self._statistics = reconciler.statistics
        self._again: _Again | None = None
        self._depths = {
            medium: self._reader.depth(medium, Resolution.HOUR)
            for medium in site.data.media
        }
        self._failed_at = dt_util.utcnow()
        self._failures = 0
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
        recovered = self._site.outage.recovered_at
        if recovered and recovered > self._failed_at:
            self._async_stop_waiting()
        if self._is_idle and any(map(self._is_unfinished, self._site.data.media)):
            self._running = True
            self.config_entry.async_create_background_task(
                self.hass, self._async_run(), self.name
            )

    async def _async_run(self) -> None:
        """Import until nothing is missing; after a failure, go on in a while."""
        try:
            trouble = await self._async_import_all()
            self._async_note(trouble)
        except ClimkitAuthenticationError:
            # Nobody logs in while the user is asked; who answers reloads the entry.
            self.reconciler.refused = True
            async_ask_for_password(self.hass, self.config_entry)
        finally:
            self._running = False
        self._async_look()

    @callback
    def _async_note(self, trouble: Exception | None) -> None:
        """Note how an import went; wait for a while after some trouble, or in doubt."""
        if not (trouble or self._is_in_doubt):
            self._failures = 0
            return
        self._failures += 1
        self._failed_at = dt_util.utcnow()
        pause = patience(self._failures)
        LOGGER.debug("%s: again in %s: %s", self.name, pause, trouble)
        self._waiting = async_call_later(self.hass, pause, self._async_waited)

    async def _async_import_all(self) -> Exception | None:
        """Import every medium; return what kept one of them from being imported."""
        trouble: Exception | None = None
        for medium in self._site.data.media:
            try:
                async with self.reconciler.lock:
                    await self._async_import(medium)
            except ClimkitAuthenticationError:
                raise
            except (ClimkitError, RecorderError) as err:
                trouble = err
            self._tell_depth(medium)
        return trouble

    async def _async_import(self, medium: Medium) -> None:
        """Import what is missing of a medium, oldest first."""
        flows = self._behind(medium)
        if not flows:
            await self._async_look_again(medium)
            return
        span = min(map(self._statistics.until, flows)), self._end()
        await self.reconciler.async_bring_in_line(medium, flows, span)
        if len(self._behind(medium)) >= len(flows):
            raise RecorderError  # rows have disappeared: from the beginning, in a while

    async def _async_look_again(self, medium: Medium) -> None:
        """Hold a medium against its months again, if there may be more than came."""
        if not self.reconciler.doubts.remain(medium):
            return
        flows = [*filter(self._can_be_read, self._site.data.flows_in(medium))]
        span = self._site.data.beginning, self._end()
        await self.reconciler.async_look_again(medium, flows, span)

    @property
    def _is_idle(self) -> bool:
        return not (self._running or self._waiting or self.reconciler.refused)

    @property
    def _is_in_doubt(self) -> bool:
        return any(map(self.reconciler.doubts.remain, self._site.data.media))

    def _is_unfinished(self, medium: Medium) -> bool:
        return bool(self._behind(medium)) or self.reconciler.doubts.remain(medium)

    def _tell_depth(self, medium: Medium) -> None:
        """Say once from when on the cloud has something, when that was found out.

        Not when it moves on: the history still begins where it did.
        """
        depth = self._reader.depth(medium, Resolution.HOUR)
        if depth and depth < (self._depths.get(medium) or NEVER):
            LOGGER.info(
                "%s: the cloud gives no %s before %s: the history begins there",
                self.name,
                medium,
                depth.date(),
            )
        self._depths[medium] = depth

    def _behind(self, medium: Medium) -> list[Flow]:
        """Return the flows whose history ends before the window of the live polls.

        None of what the cloud does not give even now: the others come first.
        """
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        return [
            flow
            for flow in filter(self._can_be_read, self._site.data.flows_in(medium))
            if not self._statistics.is_complete(flow, start)
        ]

    def _can_be_read(self, flow: Flow) -> bool:
        return self._statistics.is_open(flow) and self._reader.gives(flow)

    def _end(self) -> datetime:
        return hour_of(dt_util.utcnow() - OVERLAP)

    # --- The action ------------------------------------------------------------------

    async def async_import_again(
        self, start: datetime | None = None
    ) -> dict[Flow, ClimkitError]:
        """Fetch everything from `start` again, and return what could not be had, and why.

        Also what lies before the creation of the site, or before what the cloud gave
        until now. Raises asyncio.CancelledError when the entry is unloaded; RecorderError
        or ClimkitAuthenticationError if it cannot go on. What was fetched until then
        stays. Who asks for no more than what is being fetched gets the answer to that.
        """
        begin = hour_of(start) if start else self._site.data.beginning
        again = self._again
        if again is None or not again.covers(begin):
            task = self.config_entry.async_create_background_task(
                self.hass, self._async_again(begin), f"{self.name} (again)"
            )
            again = self._again = _Again(begin, task)
        return await asyncio.shield(again.task)

    def _own_flows(self, medium: Medium) -> tuple[Flow, ...]:
        """Return what is written of a medium. Raises RecorderError if it can't be yet."""
        flows = tuple(filter(self._statistics.owns, self._site.data.flows_in(medium)))
        if not all(map(self._statistics.is_open, flows)):
            raise RecorderError
        return flows

    async def _async_again(self, start: datetime) -> dict[Flow, ClimkitError]:
        missing: dict[Flow, ClimkitError] = {}
        for medium in self._site.data.media:
            flows = self._own_flows(medium)
            span = start, self._end()
            if flows and span[0] < span[1]:
                missing |= await self._async_fetch(medium, flows, span)
                self._tell_depth(medium)
        return missing

    async def _async_fetch(
        self, medium: Medium, flows: tuple[Flow, ...], span: Span
    ) -> dict[Flow, ClimkitError]:
        """Fetch a span of a medium again; all is missing of one that can't be had now."""
        question = Question(medium, flows, Resolution.HOUR, *span, Priority.BACKGROUND)
        try:
            async with self.reconciler.lock:
                await self._reader.async_look_further_back(question)
                return await self.reconciler.async_fetch_again(medium, flows, span)
        except ClimkitAuthenticationError:
            raise
        except ClimkitError as err:
            return dict.fromkeys(flows, err)

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
            for flow in filter(self._can_be_read, self._site.data.flows)
        ]
        percent = round(100 * sum(known) / max(len(known), 1), 1)
        return min(percent, ALMOST) if self._running or self._is_in_doubt else percent

    def _known(self, flow: Flow, stop: datetime) -> float:
        """Return which share of a flow's hours is known, since the cloud has any."""
        if self._statistics.is_complete(flow, stop):
            return 1.0
        first = max(
            filter(
                None,
                (
                    self._site.data.beginning,
                    self._reader.depth(flow.medium, Resolution.HOUR),
                    self.reconciler.months.first.get(flow.medium),
                ),
            )
        )
        whole = max((stop - first) / HOUR, 1)
        return min(max((self._statistics.until(flow) - first) / HOUR, 0) / whole, 1)
