"""What a loaded config entry works with, and how it is put together."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .api import ClimkitClient
from .const import CONF_SITE
from .history.audit import HistoryAudit
from .history.importer import HistoryImporter
from .history.pricing import SitePricing
from .history.reconciler import HistoryReconciler
from .metering.flows import OPTIONAL_COLUMNS, FlowKind, site_flows
from .reading.account import async_get_account, async_join
from .reading.environment import EnvironmentCoordinator
from .reading.limits import Limits
from .reading.live_coordinator import LiveCoordinator
from .reading.outage import Outage
from .reading.pace import AsPublished, ByHour
from .reading.reader import SeriesReader
from .reading.refusals import DESCRIPTION, Refusals
from .reading.registers import RegisterCoordinator
from .reading.site_coordinator import SiteCoordinator
from .statistics.site_statistics import SiteStatistics
from .statistics.updates import RecorderError
from .storage import entry_store

SAVE_DELAY: Final = 60
"""Seconds after which what was learned of the cloud is saved."""


@dataclass(frozen=True, slots=True)
class SiteRuntime:
    """The parts of one site, from what is asked of the cloud to what is stored."""

    client: ClimkitClient
    reader: SeriesReader
    statistics: SiteStatistics
    site: SiteCoordinator
    live: tuple[LiveCoordinator, ...]
    """The coordinator of what is metered by quarter hour, and that of the rest."""
    history: HistoryImporter
    audit: HistoryAudit
    pricing: SitePricing
    environment: EnvironmentCoordinator
    registers: RegisterCoordinator
    limits: Store[dict[str, Any]]

    @property
    def is_withdrawn(self) -> bool:
        """Return whether the description is refused for long, or all measurements."""
        now = dt_util.utcnow()
        if self.reader.refusals.is_withdrawn(DESCRIPTION, now):
            return True
        return self.reader.is_withdrawn(self.site.data.flows, now)

    async def async_learn_kinds(self) -> None:
        """Learn from the statistics which optional flows the site was seen to have."""
        optional = [
            flow
            for flow in site_flows(self.site.data.site.id, (), frozenset(FlowKind))
            if flow.kind in OPTIONAL_COLUMNS.values()
        ]
        with suppress(RecorderError):  # the next sunny quarter hour tells as well
            existing = await self.statistics.async_existing(optional)
            self.site.async_saw(frozenset(flow.kind for flow in existing))

    async def async_close(self) -> None:
        """Save for the last time."""
        await self.limits.async_save(dict(self.reader.limits.as_dict()))
        await self.pricing.async_close()
        await self.statistics.async_close()


type ClimkitConfigEntry = ConfigEntry[SiteRuntime]


async def async_build(hass: HomeAssistant, entry: ClimkitConfigEntry) -> SiteRuntime:
    """Put the parts together, and look at the site and its newest readings.

    Raises ConfigEntryNotReady or ConfigEntryAuthFailed.
    """
    client = async_join(hass, entry)
    account = async_get_account(hass, entry.data[CONF_USERNAME])
    outage, refusals = Outage(account), Refusals()
    statistics = SiteStatistics(hass, entry.entry_id)
    await statistics.async_load()
    entry.async_on_unload(statistics.async_stop)
    site = SiteCoordinator(hass, entry, client, refusals, outage)
    is_known = await site.async_recall()
    if not is_known:
        await site.async_config_entry_first_refresh()

    store: Store[dict[str, Any]] = entry_store(hass, entry.entry_id, "limits")

    def save(limits: Mapping[str, Any]) -> None:
        store.async_delay_save(lambda: dict(limits), SAVE_DELAY)

    limits = Limits.from_dict(await store.async_load())
    reader = SeriesReader(client, entry.data[CONF_SITE], limits, refusals, save)
    reconciler = HistoryReconciler(site, reader, statistics)
    pricing = SitePricing(hass, entry, site, reconciler)
    await pricing.async_load()
    live, daily = (
        LiveCoordinator(hass, entry, site, reader, statistics, pace=pace)
        for pace in (AsPublished(), ByHour())
    )
    await live.async_config_entry_first_refresh()
    if not is_known:  # at a restart, what comes once a day must not hold up the rest
        await daily.async_refresh()
    return SiteRuntime(
        client,
        reader,
        statistics,
        site,
        (live, daily),
        HistoryImporter(hass, entry, site, reconciler),
        HistoryAudit(hass, entry, site, reconciler),
        pricing,
        EnvironmentCoordinator(hass, entry, client, outage),
        RegisterCoordinator(hass, entry, client, outage),
        store,
    )
