"""The nightly check: whatever the cloud has corrected, however old, is found and mended.

By the hour for the last 35 days, where corrections are common. Beyond, monthly rows of
the whole history against the stored sums, which is one request; and one old window by
the hour in turn, which finds what has moved within a month.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from ..api import ClimkitAuthenticationError, ClimkitError, Resolution
from ..const import LOGGER
from ..metering.flows import Flow, Medium
from ..metering.hours import LIVE_WINDOW, hour_of
from ..reading.answers import Question
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.updates import RecorderError
from .comparison import turn_of
from .reconciler import OVERLAP, HistoryReconciler

RECENT: Final = timedelta(days=35)
"""Checked by the hour every night: a month, and the days until its bill is made."""

TURNS: Final = 21
"""Nights in which every older hour has its turn: three weeks."""

WEEK: Final = 7
"""Nights between two looks beyond the depth of the cloud."""

FIRST_MINUTE: Final = 60
LAST_MINUTE: Final = 300
"""Between 01:00 and 05:00, each entry at a minute of its own."""


class HistoryAudit:
    """Checks the statistics of one site against the cloud, once a night."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        reconciler: HistoryReconciler,
    ) -> None:
        """Check a site by the reconciler that has imported it."""
        self._hass = hass
        self._entry = entry
        self._site = site
        self._reader = reconciler.reader
        self._statistics = reconciler.statistics
        self._reconciler = reconciler

    @callback
    def async_schedule(self) -> None:
        """Run every night, at a time of this entry's own."""
        minute, second = _time_of(self._entry.entry_id)

        @callback
        def start(_: datetime) -> None:
            self._entry.async_create_background_task(
                self._hass, self.async_run(), f"{self._entry.title} (audit)"
            )

        self._entry.async_on_unload(
            async_track_time_change(
                self._hass, start, hour=minute // 60, minute=minute % 60, second=second
            )
        )

    async def async_run(self) -> None:
        """Check everything once; what cannot be checked tonight waits for the next."""
        for medium in self._site.data.media:
            try:
                async with self._reconciler.lock:
                    await self._async_check(medium)
            except ClimkitAuthenticationError:
                self._entry.async_start_reauth(self._hass)
                return
            except (ClimkitError, RecorderError) as err:
                LOGGER.debug("No audit of %s tonight: %s", medium, err)

    async def _async_check(self, medium: Medium) -> None:
        """Check one medium: what is recent, what is old, what was left out."""
        now = dt_util.utcnow()
        flows = self._complete(medium, now)
        if not flows:
            return
        beginning = self._site.data.beginning
        recent = hour_of(now - RECENT)
        await self._async_look_further_back(medium, flows, now)
        span = max(recent, beginning), hour_of(now - OVERLAP)
        await self._reconciler.async_by_hours(medium, flows, span)
        await self._reconciler.async_check_months(medium, flows, (beginning, recent))
        first = self._reconciler.first.get(medium, beginning)
        if old := turn_of((first, recent), now.toordinal(), TURNS):
            await self._reconciler.async_by_hours(medium, flows, old)
        await self._async_fill(medium, now)

    async def _async_look_further_back(
        self, medium: Medium, flows: Sequence[Flow], now: datetime
    ) -> None:
        """Once a week, import in front what the cloud did not give before."""
        if now.toordinal() % WEEK:
            return
        span = self._site.data.beginning, hour_of(now - RECENT)
        question = Question(medium, tuple(flows), Resolution.HOUR, *span)
        if await self._reader.async_look_further_back(question):
            await self._reconciler.async_by_hours(medium, flows, span)

    async def _async_fill(self, medium: Medium, now: datetime) -> None:
        """Look once more for what could not be had."""
        left_out = self._reconciler.left_out
        for hole in left_out.due(medium, now):
            flows = tuple(hole.flows)
            unknown = await self._reconciler.async_by_hours(medium, flows, hole.span)
            left_out.filled(hole, set(unknown))

    def _complete(self, medium: Medium, now: datetime) -> tuple[Flow, ...]:
        """Return the flows whose history is in: the others are imported first."""
        start = hour_of(now - LIVE_WINDOW)
        return tuple(
            flow
            for flow in self._site.data.flows_in(medium)
            if self._statistics.is_complete(flow, start)
        )


def _time_of(entry_id: str) -> tuple[int, int]:
    """Return the minute of the day and the second at which an entry has its turn."""
    digest = int.from_bytes(sha256(entry_id.encode()).digest()[:4])
    return FIRST_MINUTE + digest % (LAST_MINUTE - FIRST_MINUTE), digest // 997 % 60
