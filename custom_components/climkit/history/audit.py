"""The nightly check: whatever the cloud has corrected, however old, is found and mended.

By the hour for the last 35 days, where corrections are common. Beyond, monthly rows of
the whole history against the stored sums, which is one request; and one old window by
the hour in turn, which finds what has moved within a month.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from ..api import ClimkitAuthenticationError, ClimkitError, Priority, Resolution
from ..const import LOGGER
from ..metering.calendar import local_months
from ..metering.flows import Flow, Medium
from ..metering.hours import LIVE_WINDOW, hour_of
from ..reading.account import async_ask_for_password
from ..reading.answers import Question
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.updates import RecorderError
from .comparison import first_used, turn_of
from .reconciler import OVERLAP, HistoryReconciler

RECENT: Final = timedelta(days=35)
"""Checked by the hour every night: a month, and the days until its bill is made."""

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
        minute, second = time_of(self._entry.entry_id)

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
            if self._reconciler.refused:
                return
            await self._async_try(medium)

    async def _async_try(self, medium: Medium) -> None:
        """Check one medium, unless the cloud or the recorder can't serve now."""
        try:
            async with self._reconciler.lock:
                await self._async_check(medium)
        except ClimkitAuthenticationError:
            self._reconciler.refused = True
            async_ask_for_password(self._hass, self._entry)
        except (ClimkitError, RecorderError) as err:
            LOGGER.debug("No audit of %s tonight: %s", medium, err)

    async def _async_check(self, medium: Medium) -> None:
        """Check one medium: what is recent, what is old, what was left out."""
        now = dt_util.utcnow()
        night = dt_util.as_local(now).toordinal()
        flows = self._complete(medium, now)
        if not flows:
            return
        reconciler = self._reconciler
        recent = max(hour_of(now - RECENT), self._site.data.beginning)
        past = self._site.data.beginning, recent
        await reconciler.async_by_hours(
            medium, flows, [(recent, hour_of(now - OVERLAP))]
        )
        await self._async_look_further_back(medium, flows, night)
        await reconciler.async_check_months(medium, flows, past)
        first = await self._async_first(medium, flows)
        if old := turn_of((first, recent), night):
            await reconciler.async_by_hours(medium, flows, [old])
        await reconciler.async_look_for(reconciler.left_out.due(medium, now), flows)

    async def _async_first(self, medium: Medium, flows: tuple[Flow, ...]) -> datetime:
        """Return the hour from which on there is something, as far as is known.

        By the months of the cloud and by what is stored, but not what it has forgotten.
        """
        info = self._site.data
        bounds = local_months(info.beginning, dt_util.utcnow(), info.zone)
        stored = await self._statistics.async_amounts(flows, bounds)
        known = first_used(stored.values()), self._reconciler.months.first.get(medium)
        first = min(filter(None, known), default=info.beginning)
        depth = self._reader.depth(medium, Resolution.HOUR)
        return max(filter(None, (first, info.beginning, depth)))

    async def _async_look_further_back(
        self, medium: Medium, flows: tuple[Flow, ...], night: int
    ) -> None:
        """Once a week, import in front what the cloud did not give before."""
        depth = self._reader.depth(medium, Resolution.HOUR)
        if depth is None or (night + _number_of(self._entry.entry_id)) % WEEK:
            return
        span = self._site.data.beginning, depth
        question = Question(medium, flows, Resolution.HOUR, *span, Priority.BACKGROUND)
        if await self._reader.async_look_further_back(question):
            await self._reconciler.async_bring_in_line(medium, flows, span)

    def _complete(self, medium: Medium, now: datetime) -> tuple[Flow, ...]:
        """Return the flows whose history is in: the others are imported first."""
        start = hour_of(now - LIVE_WINDOW)
        return tuple(
            flow
            for flow in self._site.data.flows_in(medium)
            if self._statistics.is_complete(flow, start)
        )


def _number_of(entry_id: str) -> int:
    """Return a number by which entries differ, and which is always the same."""
    return int.from_bytes(sha256(entry_id.encode()).digest()[:4])


def time_of(entry_id: str) -> tuple[int, int]:
    """Return the minute of the day and the second at which an entry has its turn."""
    number = _number_of(entry_id)
    return FIRST_MINUTE + number % (LAST_MINUTE - FIRST_MINUTE), number // 997 % 60
