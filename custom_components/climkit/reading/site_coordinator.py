"""The site's description, looked up once a day: its name, its meters, their names."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import ClimkitClient
from ..const import CONF_METERS, CONF_OFFERED, CONF_SITE, LOGGER
from ..metering.flows import OPTIONAL_COLUMNS, FlowKind, site_flows
from ..metering.site import Choices, SiteInfo, beginning_of
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import RecorderError
from .errors import is_denied
from .meter_names import async_named
from .outage import Outage
from .refusals import DESCRIPTION, async_note_access

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
        statistics: SiteStatistics,
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
        self._statistics = statistics
        self._seen: frozenset[FlowKind] = frozenset()

    @override
    async def _async_setup(self) -> None:
        """Learn from the statistics which optional flows the site was seen to have."""
        site_id = self.config_entry.data[CONF_SITE]
        optional = [
            flow
            for flow in site_flows(site_id, (), frozenset(FlowKind))
            if flow.kind in OPTIONAL_COLUMNS.values()
        ]
        try:
            existing = await self._statistics.async_existing(optional)
        except RecorderError:
            return
        self._seen = frozenset(flow.kind for flow in existing)

    @override
    async def _async_update_data(self) -> SiteInfo:
        site_id = self.config_entry.data[CONF_SITE]
        self.update_interval = HOURLY  # until it succeeds
        with self.outage.told_once(self):
            site = await self._client.site(site_id)
            meters = await self._client.meters(site_id)
        meters = await async_named(self.hass, meters)
        zone = await dt_util.async_get_time_zone(site.time_zone) or UTC
        self.update_interval = DAILY
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
        """Note kinds of flows that the site's values prove to exist."""
        if kinds <= self._seen:
            return
        self._seen |= kinds
        self.async_set_updated_data(self.data.having_seen(self._seen))

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        async_note_access(
            self.hass, self.config_entry, DESCRIPTION, denied=is_denied(self)
        )
