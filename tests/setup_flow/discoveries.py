"""Reads what is shown as discovered, and clicks at it."""

from collections.abc import Iterable
from typing import Any

from homeassistant.core import HomeAssistant

from tests.simulator import SimulatedSite


def discovered(hass: HomeAssistant) -> dict[str | None, str]:
    """Return the titles of what is shown as discovered, by the ids of the sites."""
    return {
        flow["context"]["unique_id"]: flow["context"]["title_placeholders"]["name"]
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == "integration_discovery"
    }


def ids_of(some: Iterable[SimulatedSite]) -> set[str]:
    """Return the ids of sites."""
    return {site.id for site in some}


async def opened(hass: HomeAssistant, site: SimulatedSite) -> Any:
    """Click at a site that is shown as discovered."""
    (flow,) = (
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"].get("unique_id") == site.id
    )
    shown = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert shown["step_id"] == "discovered"
    return shown
