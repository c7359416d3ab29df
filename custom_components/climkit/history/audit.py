"""The nightly audit: whatever the cloud has corrected, however old, is found and mended.

By the hour for the last 35 days, where corrections are common. Beyond, monthly rows of
the whole history against the stored sums, which is one request: only a month that
differs is looked at by the day, and only days that differ by the hour.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from ..api import ClimkitError, Priority, Resolution
from ..const import LOGGER
from ..metering.calendar import local_days, local_months, windows
from ..metering.flows import Flow, Medium
from ..metering.hours import HourlyAmounts, hour_of
from ..metering.reconcile import EXACT, HOUR_ROUNDING, rounding_allowance
from ..metering.site import SiteInfo
from ..reading.live_coordinator import LIVE_WINDOW, LiveCoordinator
from ..reading.reader import Answer, SeriesReader
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import RecorderError
from .importer import OVERLAP, WINDOW

RECENT: Final = timedelta(days=35)
"""Checked by the hour every night: a month, and the days until its bill is made."""

FIRST_MINUTE: Final = 60
LAST_MINUTE: Final = 300
"""Between 01:00 and 05:00, each entry at a minute of its own."""


class HistoryAudit:
    """Checks the statistics of one site against the cloud, once a night."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        reader: SeriesReader,
        statistics: SiteStatistics,
        live: Sequence[LiveCoordinator],
    ) -> None:
        """Check the flows that the live coordinators follow."""
        self._hass = hass
        self._entry = entry
        self._reader = reader
        self._statistics = statistics
        self._live = live
        self._explained: dict[tuple[Flow, datetime], float] = {}

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
        for coordinator in self._live:
            for medium in coordinator.media:
                try:
                    await self._async_check(coordinator, medium)
                except (ClimkitError, RecorderError) as err:
                    LOGGER.debug("No audit of %s tonight: %s", medium, err)
            await coordinator.async_history_advanced()

    async def _async_check(self, coordinator: LiveCoordinator, medium: Medium) -> None:
        """Check one medium: its last weeks by the hour, all of it by the month."""
        info = coordinator.site.data
        now = dt_util.utcnow()
        flows = [
            flow
            for flow in coordinator.flows
            if flow.medium == medium
            and self._statistics.is_complete(flow, hour_of(now - LIVE_WINDOW))
        ]
        if not flows:
            return
        start = max(hour_of(now - RECENT), info.first_hour)
        end = hour_of(now - OVERLAP)
        if start < end:
            await self._async_mend(medium, flows, start, end, HOUR_ROUNDING)
        await self._async_check_months(medium, flows, info, now)

    async def _async_check_months(
        self, medium: Medium, flows: Sequence[Flow], info: SiteInfo, now: datetime
    ) -> None:
        """Compare all months that are over with the stored sums; mend what differs."""
        bounds = [
            bound
            for bound in local_months(info.first_hour, now, info.zone)
            if bound <= now - LIVE_WINDOW
        ]
        if len(bounds) < 2:
            return
        months = await self._async_read(
            medium, flows, Resolution.MONTH, bounds[0], bounds[-1]
        )
        wrong: dict[datetime, list[Flow]] = {}
        for flow in flows:
            for month in await self._async_differing(flow, months, bounds):
                wrong.setdefault(month, []).append(flow)
        for first, last, differing in _runs(bounds, wrong):
            await self._async_mend_months(medium, differing, info, first, last)
            for flow in differing:
                # What still differs, though every hour is as the cloud has it, would
                # be looked for again, in vain, every night.
                rest = await self._async_differing(flow, months, bounds)
                self._explained |= {
                    (flow, month): rest[month]
                    for month in rest
                    if first <= month < last
                }

    async def _async_mend_months(
        self,
        medium: Medium,
        flows: Sequence[Flow],
        info: SiteInfo,
        first: datetime,
        last: datetime,
    ) -> None:
        """Look at some months by the day, and at the days that differ by the hour."""
        bounds = local_days(first, last, info.zone)
        days = await self._async_read(medium, flows, Resolution.DAY, first, last)
        wrong: set[datetime] = set()
        for flow in flows:
            wrong |= (await self._async_differing(flow, days, bounds)).keys()
        # A difference too small for any one day is somewhere in all of them.
        start = min(wrong, default=first)
        end = next((b for b in bounds if b > max(wrong)), last) if wrong else last
        LOGGER.debug("%s was corrected between %s and %s", medium, start, end)
        for begin, stop in windows(start, end, WINDOW):
            await self._async_mend(medium, flows, begin, stop, EXACT)

    async def _async_mend(
        self,
        medium: Medium,
        flows: Sequence[Flow],
        start: datetime,
        end: datetime,
        tolerance: float,
    ) -> None:
        """Bring a window in line with the cloud's hourly rows."""
        readings = await self._async_read(medium, flows, Resolution.HOUR, start, end)
        for flow in flows:
            hours = {flow: HourlyAmounts(readings.of(flow), {})}
            written = (await self._statistics.async_write(hours, tolerance))[flow]
            if written.written:
                LOGGER.debug("%s: %s hours corrected", flow.key, written.written)

    async def _async_differing(
        self, flow: Flow, readings: Answer, bounds: Sequence[datetime]
    ) -> dict[datetime, float]:
        """Return by how much the cloud's periods differ from the stored sums.

        Only what is more than rounding, and not known to be inexplicable.
        """
        amounts = readings.of(flow)
        if not amounts:
            return {}
        stored = await self._statistics.async_amounts(flow, bounds)
        lengths: Mapping[datetime, timedelta] = {a: b - a for a, b in pairwise(bounds)}
        return {
            start: difference
            for start, amount in amounts.items()
            if start in stored
            and abs(difference := amount - stored[start])
            > rounding_allowance(lengths[start])
            and abs(difference - self._explained.get((flow, start), 0.0))
            > HOUR_ROUNDING
        }

    async def _async_read(
        self,
        medium: Medium,
        flows: Sequence[Flow],
        resolution: Resolution,
        start: datetime,
        end: datetime,
    ) -> Answer:
        return await self._reader.async_read(
            medium, flows, resolution, start, end, priority=Priority.BACKGROUND
        )


def _time_of(entry_id: str) -> tuple[int, int]:
    """Return the minute of the day and the second at which an entry has its turn."""
    digest = int.from_bytes(sha256(entry_id.encode()).digest()[:4])
    return FIRST_MINUTE + digest % (LAST_MINUTE - FIRST_MINUTE), digest // 997 % 60


def _runs(
    bounds: Sequence[datetime], wrong: Mapping[datetime, list[Flow]]
) -> Iterator[tuple[datetime, datetime, list[Flow]]]:
    """Yield runs of consecutive wrong periods, with all flows that differ in them."""
    run: tuple[datetime, datetime] | None = None
    flows: dict[Flow, None] = {}
    for start, end in pairwise(bounds):
        if start in wrong:
            run = (run[0] if run else start, end)
            flows |= dict.fromkeys(wrong[start])
        elif run:
            yield *run, list(flows)
            run, flows = None, {}
    if run:
        yield *run, list(flows)
