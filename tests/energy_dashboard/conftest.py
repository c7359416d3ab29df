"""A small site, and Home Assistant's own manager of the preferences."""

from copy import deepcopy
from typing import Any

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from tests.simulator import SimulatedSite, Simulator, sites

from .dashboard import CREATED


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site: a plant and two flats."""
    return sites.many(1, created=CREATED)[0]


@pytest.fixture
def stored() -> dict[str, Any] | None:
    """Return the preferences that the user has already, if any; tests override it."""
    return None


@pytest.fixture
async def energy(
    cloud: Simulator,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    stored: dict[str, Any] | None,
) -> EnergyManager:
    """Return Home Assistant's own manager of the preferences."""
    if stored is not None:
        hass_storage["energy"] = {
            "version": 1,
            "minor_version": 3,
            "key": "energy",
            "data": deepcopy(stored),
        }
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()
    return await async_get_manager(hass)
