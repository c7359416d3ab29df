"""Calls the action that reads, and takes its answer apart."""

from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

FLAT = "Appartement 1.1"


async def read(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> Any:
    """Call climkit.get_readings."""
    return await hass.services.async_call(
        DOMAIN,
        "get_readings",
        {"config_entry_id": entry.entry_id, **data},
        blocking=True,
        return_response=True,
    )


def by_start(series: dict[str, Any]) -> dict[datetime, float]:
    return {
        datetime.fromisoformat(interval["start"]): interval["value"]
        for interval in series["intervals"]
    }


def device(hass: HomeAssistant, entry: MockConfigEntry, id_: str) -> dr.DeviceEntry:
    found = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, id_), entry.entry_id
    )
    assert found is not None
    return found
