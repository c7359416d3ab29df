"""A house whose energy may be counted twice, set up, and its ids."""

from datetime import UTC, datetime

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import set_up
from ..simulator import SimulatedSite, Simulator, sites
from .counted_twice import Ids, settle

CREATED = datetime(2026, 6, 15, 22, tzinfo=UTC)
"""Midnight in Zurich: a site so young that it has no history to import."""


@pytest.fixture
def site() -> SimulatedSite:
    """Return a house with everything that a source can be."""
    return sites.with_battery(created=CREATED)


@pytest.fixture
async def energy(cloud: Simulator, hass: HomeAssistant) -> EnergyManager:
    """Return Home Assistant's own manager of the preferences."""
    assert await async_setup_component(hass, "energy", {})
    assert await async_setup_component(hass, "repairs", {})
    await hass.async_block_till_done()
    return await async_get_manager(hass)


@pytest.fixture
async def loaded(
    hass: HomeAssistant, energy: EnergyManager, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the site's entry, set up."""
    await set_up(hass, entry)
    await settle(hass)
    return entry


@pytest.fixture
def ids(hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite) -> Ids:
    return Ids(hass, site)
