"""When what is fetched: the site's description once a day, its readings as they come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import uniform
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .access import DESCRIPTION, async_note_access
from .api import (
    ClimkitAccessError,
    ClimkitClient,
    ClimkitError,
    ClimkitResponseError,
    Resolution,
)
from .books import Books
from .const import CONF_SITE, LOGGER
from .errors import is_denied
from .flows import (
    LIVE_MEDIA,
    Flow,
    FlowKind,
    Medium,
    chosen_meters,
    meter_flows,
    site_flows,
)
from .metering import GRACE, HOUR, QUARTER, hour_of, hours_of_quarters
from .names import async_named
from .outage import Outage
from .schedule import RETRY, PublicationSchedule
from .site import SiteInfo
from .source import Readings, Source
from .statistics import RecorderError

DAILY: Final = timedelta(days=1)
HOURLY: Final = timedelta(hours=1)

LIVE_WINDOW: Final = timedelta(hours=48)
"""How far back every poll looks: quarter hours come late, and are corrected."""

JITTER: Final = 15.0
"""Seconds over which the polls of many homes are spread, so as not to come at once."""


@dataclass(frozen=True, slots=True)
class LiveData:
    """The present of some media: the newest quarter hours and the running totals."""

    quarters: Mapping[Flow, Mapping[datetime, float]] = field(default_factory=dict)
    """Amounts by the start of the quarter hour (UTC), of the last 48 hours."""
    totals: Mapping[Flow, float] = field(default_factory=dict)
    """Running totals; a flow whose history is not yet in has none."""
    newest: datetime | None = None
    """End of the newest quarter hour, in UTC, if there was one since the start."""


class SiteCoordinator(DataUpdateCoordinator[SiteInfo]):
    """Keeps the site's description up to date: its name, its meters, their names."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: ClimkitClient,
        outage: Outage,
    ) -> None:
        """Describe the site of a config entry."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{entry.title} (site)",
            update_interval=DAILY,
        )
        self.outage = outage
        self._client = client

    @override
    async def _async_update_data(self) -> SiteInfo:
        site_id = self.config_entry.data[CONF_SITE]
        self.update_interval = HOURLY  # until it succeeds
        with self.outage.told_once(self):
            site = await self._client.site(site_id)
            meters = await self._client.meters(site_id)
        meters = await async_named(self.hass, meters)
        self.update_interval = DAILY
        return SiteInfo(
            site,
            meters,
            tuple(chosen_meters(meters, self.config_entry.options)),
            await dt_util.async_get_time_zone(site.time_zone) or UTC,
        )

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        async_note_access(
            self.hass, self.config_entry, DESCRIPTION, denied=is_denied(self)
        )


class ReadingsCoordinator(DataUpdateCoordinator[LiveData]):
    """Fetches the newest quarter hours of some media, books them and shows them."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        source: Source,
        books: Books,
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
        self.books = books
        self.data = LiveData()
        self.failing: frozenset[Medium] = frozenset()
        """Media that the cloud does not give, though it gives others."""
        self.missing: frozenset[str] = frozenset()
        """Meters that are asked by themselves and did not answer the last poll."""
        self._described: SiteInfo | None = None
        self._media = media
        self._source = source
        self._schedule = PublicationSchedule() if media else None
        self._seen: frozenset[FlowKind] = frozenset()

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
        info = self.site.data
        media = self.media
        flows = [
            *site_flows(info.site.id, info.meters, self._seen),
            *(flow for meter in info.chosen for flow in meter_flows(meter)),
        ]
        return tuple(flow for flow in flows if flow.medium in media)

    def gives(self, flow: Flow) -> bool:
        """Return whether the cloud gives a flow at present."""
        failing = flow.medium in self.failing or flow.meter_id in self.missing
        return not failing and self._source.gives(flow)

    @property
    def last_reading(self) -> datetime | None:
        """Return the end of the newest reading, in UTC, however long ago it was."""
        rows = filter(None, map(self.books.newest, self.flows))
        return self.data.newest or max((row + HOUR for row in rows), default=None)

    @property
    def publication_delay(self) -> timedelta | None:
        """Return how late the cloud was seen to publish a quarter hour."""
        return self._schedule.delay if self._schedule else None

    @override
    async def _async_setup(self) -> None:
        """Learn from the statistics which optional flows the site was seen to have."""
        optional = [
            flow
            for flow in site_flows(self.site.data.site.id, (), frozenset(FlowKind))
            if flow.kind in (FlowKind.PRODUCTION, FlowKind.BATTERY_CHARGE)
        ]
        try:
            existing = await self.books.async_existing(optional)
        except RecorderError:
            return
        self._seen = frozenset(flow.kind for flow in existing)

    @override
    async def _async_update_data(self) -> LiveData:
        self.update_interval = RETRY if self._schedule else HOURLY
        with self.site.outage.told_once(self):
            readings = await self._async_read()
        self._seen |= frozenset().union(*(r.seen for r in readings.values()))
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
        await self._async_open_books()
        data = LiveData(quarters, {}, newest + QUARTER if newest else self.data.newest)
        await self._async_book(data, polled=True)
        return self._with_totals(data)

    async def _async_read(self) -> dict[Medium, Readings]:
        """Read each medium; one that the cloud does not give costs the others nothing.

        Raises ClimkitError if the cloud is away, or gives none.
        """
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        readings: dict[Medium, Readings] = {}
        errors: dict[Medium, ClimkitError] = {}
        for medium in self.media:
            try:
                readings[medium] = await self._source.async_read(
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
            if self.site.data != self._described:
                self.config_entry.async_create_background_task(
                    self.hass, self.async_request_refresh(), self.name
                )

        self.config_entry.async_on_unload(self.site.async_add_listener(look))

    async def async_history_advanced(self) -> None:
        """Book what is at hand: the history of some flows has come up to it."""
        await self._async_book(self.data, polled=False)
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

    async def _async_open_books(self) -> None:
        """Name the statistics as the cloud does; find out how far new ones have come."""
        info = self.site.data
        if info == self._described and all(map(self.books.is_open, self.flows)):
            return
        try:
            await self.books.async_open(info, self.flows)
        except RecorderError:
            return
        self._described = info

    async def _async_book(self, data: LiveData, *, polled: bool) -> None:
        """Book the hours that are over, of a poll or of what is at hand from the last.

        What is known already stays then: that poll may be older than a correction.
        """
        now = dt_util.utcnow()
        start = hour_of(now - LIVE_WINDOW)
        hours = {
            flow: hours_of_quarters(quarters, now).since(
                start if polled else max(start, self.books.until(flow))
            )
            for flow, quarters in data.quarters.items()
            if self.books.is_complete(flow, start)
        }
        try:
            booked = await self.books.async_book(hours)
        except RecorderError as err:
            # The readings are good; the statistics get theirs at a later poll.
            LOGGER.debug("%s: %s", self.name, err)
            return
        for flow, some in hours.items():
            if booked[flow].lost:
                continue
            if some:
                self.books.advance(flow, some.span[1] + HOUR)
            if polled and self.gives(flow):
                # Hours that leave the window empty are known to be empty.
                self.books.advance(flow, start + GRACE)

    def _with_totals(self, data: LiveData) -> LiveData:
        """Return the data with the totals of the flows whose history is in."""
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        totals = {
            flow: total
            for flow, quarters in data.quarters.items()
            if self.books.is_complete(flow, start)
            and (total := self.books.total(flow, quarters)) is not None
        }
        return replace(data, totals=totals)
