"""What the system information page tells of Climkit; no names, it is made to be shared."""

from collections.abc import Sequence
from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback

from .api import ClimkitClient
from .const import DOMAIN
from .reading.account import async_get_client
from .runtime import ClimkitConfigEntry, SiteRuntime


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what this integration tells."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the state of all sites together, be they loaded or not."""
    entries: list[ClimkitConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    loaded = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
    return {
        "sites": f"{len(loaded)}/{len(entries)}",
        **_of_accounts(hass, entries),
        **_of_sites([entry.runtime_data for entry in loaded]),
    }


def _of_accounts(
    hass: HomeAssistant, entries: Sequence[ClimkitConfigEntry]
) -> dict[str, Any]:
    """Return what is asked of the cloud, and whether it can be reached."""
    clients = [_client_of(hass, entry) for entry in entries]
    queues = {client.queue for client in clients}
    requests = sum(queue.requests_last_hour for queue in queues)
    told: dict[str, Any] = {"requests_last_hour": requests}
    if clients:
        told["can_reach_server"] = system_health.async_check_can_reach_url(
            hass, clients[0].url
        )
    return told


def _client_of(hass: HomeAssistant, entry: ClimkitConfigEntry) -> ClimkitClient:
    data = entry.data
    return async_get_client(hass, data[CONF_USERNAME], data[CONF_PASSWORD])


def _of_sites(sites: Sequence[SiteRuntime]) -> dict[str, Any]:
    """Return how far the readings and histories of loaded sites have come."""
    if not sites:
        return {}
    times = [live.last_reading for site in sites for live in site.live]
    return {
        "last_reading": max(filter(None, times), default=None),
        "statistics_backend": sites[0].statistics.backend,
        "history_import": f"{min(site.history.data for site in sites):g} %",
    }
