"""The site's description, looked up once a day: its name, its meters, their names."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from random import uniform
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import ClimkitClient, ClimkitError, Meter, Site
from ..const import CONF_METERS, CONF_OFFERED, CONF_SITE
from ..metering.flows import FlowKind
from ..metering.site import Choices, SiteInfo, beginning_of
from ..storage import entry_store
from .memory import Description
from .meter_names import async_named
from .outage import QUIET, Outage
from .refusals import DESCRIPTION, Refusals, patience, together
from .roster import Roster

DAILY: Final = timedelta(days=1)
HOURLY: Final = timedelta(hours=1)


def choices_of(options: Mapping[str, Any]) -> Choices:
    """Return which meters are wanted, by the options of an entry."""
    return Choices(options.get(CONF_METERS), options.get(CONF_OFFERED))


class SiteCoordinator(DataUpdateCoordinator[SiteInfo]):
    """Keeps the site's description up to date: its name, its meters, their names."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: ClimkitClient,
        refusals: Refusals,
        outage: Outage,
    ) -> None:
        """Describe the site of a config entry."""
        super().__init__(
            hass,
            QUIET,
            config_entry=entry,
            name=f"{entry.title} (site)",
            update_interval=DAILY,
        )
        self._client = client
        self._failures = 0
        self.outage = outage
        self._refusals = refusals
        self._roster: Roster[Meter] = Roster()
        self._seen: frozenset[FlowKind] = frozenset()
        self._store = entry_store(hass, entry.entry_id, "description")

    async def async_recall(self) -> bool:
        """Take the description that was kept, if there is one; look within the hour."""
        try:
            known = Description.from_dict(await self._store.async_load() or {})
        except ValueError, HomeAssistantError:
            return False
        self._seen = known.seen
        self._roster.listed(known.meters, dt_util.utcnow())
        self.data = await self._async_describe(known.site, known.meters)
        self.update_interval = HOURLY * uniform(0.2, 0.9)  # noqa: S311
        return True

    @override
    async def _async_update_data(self) -> SiteInfo:
        self._failures += 1
        self.update_interval = patience(self._failures)
        with self.outage.told_once(self):
            site, meters = await self._async_look()
        self._failures = 0
        now = dt_util.utcnow()
        meters = self._roster.listed(await async_named(self.hass, meters), now)
        self.update_interval = self._roster.again_after(DAILY)
        media = {meter.type for meter in meters}
        self._refusals.keep(
            {DESCRIPTION, *(m.id for m in meters), *media, *map(together, media)}
        )
        await self._async_keep(site, meters)
        return await self._async_describe(site, meters)

    async def _async_look(self) -> tuple[Site, tuple[Meter, ...]]:
        """Ask for the site and its meters, and note who may not."""
        site_id = self.config_entry.data[CONF_SITE]
        try:
            site = await self._client.site(site_id)
            meters = await self._client.meters(site_id)
        except ClimkitError as err:
            self._refusals.failed(DESCRIPTION, err, dt_util.utcnow())
            raise
        self._refusals.worked(DESCRIPTION)
        return site, meters

    async def _async_keep(self, site: Site, meters: tuple[Meter, ...]) -> None:
        await self._store.async_save(Description(site, meters, self._seen).as_dict())

    async def _async_describe(self, site: Site, meters: tuple[Meter, ...]) -> SiteInfo:
        zone = await dt_util.async_get_time_zone(site.time_zone) or UTC
        return SiteInfo(
            site,
            meters,
            tuple(choices_of(self.config_entry.options).of(meters)),
            zone,
            beginning_of(site, zone, dt_util.utcnow()),
            self._seen,
        )

    @callback
    def async_saw(self, kinds: frozenset[FlowKind]) -> None:
        """Note kinds of flows that the site's values, or statistics, prove to exist."""
        if kinds <= self._seen:
            return
        self._seen |= kinds
        self.hass.async_create_task(
            self._async_keep(self.data.site, self.data.meters), self.name
        )
        self.data = self.data.having_seen(self._seen)
        self.async_update_listeners()
