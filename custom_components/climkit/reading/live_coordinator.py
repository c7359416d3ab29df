"""When what is fetched: the site's description once a day, its readings as they come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import uniform
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import ClimkitAccessError, ClimkitError, ClimkitResponseError, Resolution
from ..const import LOGGER
from ..metering.flows import LIVE_MEDIA, Flow, Medium
from ..metering.hours import GRACE, HOUR, QUARTER, hour_of, hours_of_quarters
from ..metering.present import LiveData
from ..metering.publication import RETRY, PublicationSchedule
from ..metering.site import SiteInfo
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import RecorderError
from .errors import is_denied
from .reader import Answer, SeriesReader
from .refusals import async_note_access
from .site_coordinator import HOURLY, SiteCoordinator

LIVE_WINDOW: Final = timedelta(hours=48)
"""How far back every poll looks: quarter hours come late, and are corrected."""

JITTER: Final = 15.0
"""Seconds over which the polls of many homes are spread, so as not to come at once."""


class LiveCoordinator(DataUpdateCoordinator[LiveData]):
    """Fetches the newest quarter hours of some media, books them and shows them."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        reader: SeriesReader,
        statistics: SiteStatistics,
        *,
        media: Sequence[Medium] | None,
    ) -> None:
        """Follow the `media`, or, if None, all that the site has beside LIVE_MEDIA."""
        self._what = "live readings" if media else "daily readings"
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{entry.title} ({self._what})",
            update_interval=QUARTER if media else HOURLY,
        )
        self.site = site
        self.statistics = statistics
        self.data = LiveData()
        self.failing: frozenset[Medium] = frozenset()
        """Media that the cloud does not give, though it gives others."""
        self.missing: frozenset[str] = frozenset()
        """Meters that are asked by themselves and did not answer the last poll."""
        self._described: SiteInfo | None = None
        self._media = media
        self._reader = reader
        self._schedule = PublicationSchedule() if media else None

    @property
    def media(self) -> tuple[Medium, ...]:
        """Return the media that are followed and that the site has."""
        return tuple(
            medium
            for medium in self.site.data.media
            if (medium in self._media if self._media else medium not in LIVE_MEDIA)
        )

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Return the flows of these media: the site's first, then the chosen meters'."""
        return self.site.data.flows_in(*self.media)

    def gives(self, flow: Flow) -> bool:
        """Return whether the cloud gives a flow at present."""
        failing = flow.medium in self.failing or flow.meter_id in self.missing
        return not failing and self._reader.gives(flow)

    @property
    def last_reading(self) -> datetime | None:
        """Return the end of the newest reading, in UTC, however long ago it was."""
        rows = filter(None, map(self.statistics.newest, self.flows))
        return self.data.newest or max((row + HOUR for row in rows), default=None)

    @property
    def publication_delay(self) -> timedelta | None:
        """Return how late the cloud was seen to publish a quarter hour."""
        return self._schedule.delay if self._schedule else None

    @override
    async def _async_update_data(self) -> LiveData:
        self.update_interval = RETRY if self._schedule else HOURLY
        with self.site.outage.told_once(self):
            readings = await self._async_read()
        self.site.async_saw(frozenset().union(*(r.seen for r in readings.values())))
        missing = {id_: e for r in readings.values() for id_, e in r.missing.items()}
        self.missing = frozenset(missing)
        error = next(iter(missing.values()), None)
        self.site.outage.heard(f"{self.name}, in part", error)
        known = self.data.quarters
        quarters = {
            flow: readings[flow.medium].of(flow)
            if flow.medium in readings and flow.meter_id not in missing
            else known.get(flow, {})
            for flow in self.flows
        }
        newest = max((n for r in readings.values() if (n := r.newest)), default=None)
        self._plan_next_poll(newest)
        await self._async_open_statistics()
        data = LiveData(quarters, {}, newest + QUARTER if newest else self.data.newest)
        await self._async_write(data, polled=True)
        return self._with_totals(data)

    async def _async_read(self) -> dict[Medium, Answer]:
        """Read each medium; one that the cloud does not give costs the others nothing.

        Raises ClimkitError if the cloud is away, or gives none.
        """
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        readings: dict[Medium, Answer] = {}
        errors: dict[Medium, ClimkitError] = {}
        for medium in self.media:
            try:
                readings[medium] = await self._reader.async_read(
                    medium, self.flows, Resolution.QUARTER_HOUR, start
                )
            except (ClimkitAccessError, ClimkitResponseError) as err:
                errors[medium] = err
        if errors and not readings:
            raise next(iter(errors.values()))
        for medium in errors.keys() - self.failing:
            LOGGER.warning("%s: no %s: %s", self.name, medium, errors[medium])
        for medium in self.failing - errors.keys():
            back = "back" if medium in readings else "no longer metered"
            LOGGER.info("%s: %s is %s", self.name, medium, back)
        self.failing = frozenset(errors)
        return readings

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        if self.media:
            async_note_access(
                self.hass, self.config_entry, self._what, denied=is_denied(self)
            )

    @callback
    def async_watch_site(self) -> None:
        """Look at once, from now on, when something has changed at the site."""

        @callback
        def look() -> None:
            if not self._is_described():
                self.config_entry.async_create_background_task(
                    self.hass, self.async_request_refresh(), self.name
                )

        self.config_entry.async_on_unload(self.site.async_add_listener(look))

    def _is_described(self) -> bool:
        """Return whether nothing but what the values prove has changed at the site."""
        known, info = self._described, self.site.data
        return known is not None and known == replace(info, seen=known.seen)

    async def async_history_advanced(self) -> None:
        """Book what is at hand: the history of some flows has come up to it."""
        await self._async_write(self.data, polled=False)
        # Not of what was just booked: a poll may have brought more meanwhile. Nor by
        # `async_set_updated_data`, which would put off the next poll.
        self.data = self._with_totals(self.data)
        self.async_update_listeners()

    def _plan_next_poll(self, newest: datetime | None) -> None:
        if self._schedule is None:
            return
        now = dt_util.utcnow()
        self._schedule.polled(newest + QUARTER if newest else None, now)
        wait = self._schedule.next_poll(now) - now
        self.update_interval = wait + timedelta(seconds=uniform(0, JITTER))  # noqa: S311

    async def _async_open_statistics(self) -> None:
        """Name the statistics as the cloud does; find out how far new ones have come."""
        info = self.site.data
        if info == self._described and all(map(self.statistics.is_open, self.flows)):
            return
        try:
            await self.statistics.async_open(info, self.flows)
        except RecorderError:
            return
        self._described = info

    async def _async_write(self, data: LiveData, *, polled: bool) -> None:
        """Book the hours that are over, of a poll or of what is at hand from the last.

        What is known already stays then: that poll may be older than a correction.
        """
        now = dt_util.utcnow()
        start = hour_of(now - LIVE_WINDOW)
        hours = {
            flow: hours_of_quarters(quarters, now).since(
                start if polled else max(start, self.statistics.until(flow))
            )
            for flow, quarters in data.quarters.items()
            if self.statistics.is_complete(flow, start)
        }
        try:
            written = await self.statistics.async_write(hours)
        except RecorderError as err:
            # The readings are good; the statistics get theirs at a later poll.
            LOGGER.debug("%s: %s", self.name, err)
            return
        for flow, some in hours.items():
            if written[flow].rows_missing:
                continue
            if some:
                self.statistics.advance(flow, some.span[1] + HOUR)
            if polled and self.gives(flow):
                # Hours that leave the window empty are known to be empty.
                self.statistics.advance(flow, start + GRACE)

    def _with_totals(self, data: LiveData) -> LiveData:
        """Return the data with the totals of the flows whose history is in."""
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        totals = {
            flow: total
            for flow, quarters in data.quarters.items()
            if self.statistics.is_complete(flow, start)
            and (total := self.statistics.total(flow, quarters)) is not None
        }
        return replace(data, totals=totals)
