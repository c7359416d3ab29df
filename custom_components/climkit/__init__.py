"""Climkit: the energy of a metered building in Home Assistant."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .devices import async_keep_devices, is_present
from .energy_dashboard.cost_setup import DashboardCosts
from .energy_dashboard.setup import DashboardSetup, async_forget
from .reading.account import async_leave
from .repairs import async_forget_issues, async_watch
from .runtime import ClimkitConfigEntry, async_build
from .services import async_setup_services
from .setup_flow.discovery import async_offer_sites
from .storage import async_remove_all

PLATFORMS = [Platform.SENSOR]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what outlives the config entries: the actions, the offers of sites."""
    async_setup_services(hass)
    async_offer_sites(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ClimkitConfigEntry) -> bool:
    """Set up a site: its description, its newest readings; then, behind, its history."""
    entry.runtime_data = await async_build(hass, entry)
    await async_keep_devices(hass, entry)
    for coordinator in entry.runtime_data.live:
        coordinator.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    _async_start(hass, entry)
    return True


@callback
def _async_start(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Start what goes on behind: books, history, audit, dashboard, rare readings."""
    data = entry.runtime_data
    data.environment.async_start()
    data.registers.async_start()
    data.pricing.async_start()

    @callback
    def started(_: HomeAssistant) -> None:
        data.history.async_start()
        entry.async_create_background_task(
            hass, data.async_learn_kinds(), f"{entry.title} (start)"
        )

    entry.async_on_unload(async_at_started(hass, started))
    dashboard = DashboardSetup(hass, entry)
    async_watch(hass, entry, dashboard)
    dashboard.async_start()
    DashboardCosts(hass, entry).async_start()
    data.audit.async_schedule()


async def async_unload_entry(hass: HomeAssistant, entry: ClimkitConfigEntry) -> bool:
    """Unload a site."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.async_close()
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
    await async_forget(hass, entry)
    await async_remove_all(hass, entry.entry_id)
    async_forget_issues(hass, entry.entry_id)
