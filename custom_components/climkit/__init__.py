"""Climkit: the energy of a metered building in Home Assistant."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .const import CONF_SITE, DOMAIN
from .devices import async_keep_devices, is_present
from .energy_dashboard.setup import DashboardSetup, async_forget
from .history.audit import HistoryAudit
from .history.importer import HistoryImporter
from .metering.flows import LIVE_MEDIA
from .reading.account import async_join, async_leave
from .reading.environment import EnvironmentCoordinator
from .reading.live_coordinator import LiveCoordinator
from .reading.outage import Outage
from .reading.reader import SeriesReader
from .reading.refusals import async_forget_access
from .reading.registers import RegisterCoordinator
from .reading.site_coordinator import SiteCoordinator
from .repairs import async_delete_issues, async_watch
from .runtime import ClimkitConfigEntry, SiteRuntime
from .services import async_setup_services
from .setup_flow.discovery import async_offer_sites
from .statistics.progress import HistoryProgress
from .statistics.site_statistics import SiteStatistics

PLATFORMS = [Platform.SENSOR]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what outlives the config entries: the actions, the offers of sites."""
    async_setup_services(hass)
    async_offer_sites(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ClimkitConfigEntry) -> bool:
    """Set up a site: its description, its newest readings; then, behind, its history."""
    client = async_join(hass, entry)
    outage = Outage()
    statistics = SiteStatistics(hass, entry.entry_id)
    await statistics.async_load()
    site = SiteCoordinator(hass, entry, client, statistics, outage)
    await site.async_config_entry_first_refresh()

    reader = SeriesReader(client, entry.data[CONF_SITE])
    entry.async_on_unload(site.async_add_listener(reader.try_all_again))
    live, daily = (
        LiveCoordinator(hass, entry, site, reader, statistics, media=media)
        for media in (LIVE_MEDIA, None)
    )
    outage.leader = live if live.media else daily
    await live.async_config_entry_first_refresh()
    await daily.async_refresh()  # what comes once a day must not hold up the rest
    entry.runtime_data = SiteRuntime(
        client,
        reader,
        statistics,
        site,
        (live, daily),
        HistoryImporter(hass, entry, reader, statistics, (live, daily)),
        HistoryAudit(hass, entry, reader, statistics, (live, daily)),
        EnvironmentCoordinator(hass, entry, client, outage),
        RegisterCoordinator(hass, entry, client, outage),
    )
    await async_keep_devices(hass, entry)
    for coordinator in (live, daily):
        coordinator.async_watch_site()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    _async_start(hass, entry)
    return True


@callback
def _async_start(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Start what goes on behind: books, history, audit, dashboard, rare readings."""
    data = entry.runtime_data
    data.environment.async_start()
    data.registers.async_start()

    async def start_booking() -> None:
        for coordinator in data.live:
            await coordinator.async_history_advanced()
        data.history.async_start()

    @callback
    def started(_: HomeAssistant) -> None:
        # Ends with the entry: the recorder may let it wait, and would start an import
        # of an entry that is gone.
        entry.async_create_background_task(
            hass, start_booking(), f"{entry.title} (start)"
        )

    entry.async_on_unload(async_at_started(hass, started))
    DashboardSetup(hass, entry).async_start()
    async_watch(hass, entry)
    data.audit.async_schedule()


async def async_unload_entry(hass: HomeAssistant, entry: ClimkitConfigEntry) -> bool:
    """Unload a site."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.statistics.async_close()
    return unloaded


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: ClimkitConfigEntry, device: DeviceEntry
) -> bool:
    """Return whether a device may be deleted by hand: not what would come again."""
    return entry.state is ConfigEntryState.LOADED and not is_present(
        hass, entry, device
    )


async def async_remove_entry(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Forget how far the import came; the statistics stay, they are the user's."""
    async_leave(hass, entry.entry_id)
    await HistoryProgress(hass, entry.entry_id).async_remove()
    async_forget_access(hass, entry)
    await async_forget(hass, entry)
    async_delete_issues(hass, entry.entry_id)
