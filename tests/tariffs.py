"""Tariffs as the flow stores them."""

from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

DAY: Final = {"price": 0.30, "from": "07:00:00", "to": "20:00:00"}
"""From seven to eight at a high price, which is 0.30."""


def add_tariff(
    hass: HomeAssistant, entry: MockConfigEntry, component: str, **data: Any
) -> ConfigSubentry:
    """Add a version: fixed at `price` from the day on which the sites begin."""
    known = {"component": component, "meters": [], "valid_from": "2026-06-16"}
    subentry = ConfigSubentry(
        data=MappingProxyType(known | {"pricing": "fixed"} | data),
        subentry_type="tariff",
        title=component,
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    return subentry


async def take_away(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Delete all versions, and let everything follow: the next case begins with none."""
    for subentry_id in list(entry.subentries):
        hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
