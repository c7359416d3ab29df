"""Sets a site up, and lists what entities and statistics there are, one a line."""

from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from tests.conftest import history_done, set_up
from tests.simulator import Simulator


async def ready(hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry) -> None:
    """Set up, and wait until everything is in."""
    if entry.title == "Immeuble 001":
        cloud.quirks.meter_info = "2022"
    await set_up(hass, entry)
    await history_done(entry)
    await hass.async_block_till_done(wait_background_tasks=True)


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> list[er.RegistryEntry]:
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return sorted(found, key=lambda e: e.entity_id)


def described(e: er.RegistryEntry) -> str:
    """Return all that matters of an entity in one line."""
    words = [
        e.entity_id.removeprefix("sensor."),
        f"class {e.original_device_class}" if e.original_device_class else "",
        e.unit_of_measurement or "",
        str((e.capabilities or {}).get("state_class") or ""),
        str(e.entity_category or ""),
        "disabled" if e.disabled_by else "",
    ]
    return " | ".join(word for word in words if word)


async def statistics(hass: HomeAssistant) -> list[str]:
    """Return the metadata of the statistics, one in a line."""
    return sorted(
        f"{some['name']} | {some['statistics_unit_of_measurement']}"
        f" | {some['unit_class']} | {'sum' if some['has_sum'] else 'no sum'}"
        f" | {some['mean_type'].name.lower()}"
        for some in await async_list_statistic_ids(hass)
        if some["source"] == DOMAIN
    )
