"""A site, and what makes an automation of a blueprint there."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.conftest import WITHOUT_STATES, entry_for
from tests.simulator import SimulatedSite, Simulator, sites

from .running import Running


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Let blueprints be saved where nobody else looks."""
    return hass_tmp_config_dir


@pytest.fixture
def recorder_config() -> Mapping[str, Any]:
    """Spare the recorder states: automations react to those that are."""
    return WITHOUT_STATES


@pytest.fixture
def site() -> SimulatedSite:
    """Return the house that the blueprints are used in."""
    site = sites.many(1, created=datetime(2026, 5, 20, 22, tzinfo=UTC))[0]
    site.name = "My building"
    site.meter("Appartement 1.1").name = "My flat"
    return site


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry of which one meter was chosen: nobody asks for the others."""
    return entry_for(site, meters=[site.meter("My flat").id])


@pytest.fixture
async def running(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    site: SimulatedSite,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    *,
    cloud: Simulator,
) -> AsyncIterator[Running]:
    """Return what starts an automation, and stop it at the end."""
    # Logged in before the clock is set back: a token is of no use before its time.
    websocket = await hass_ws_client(hass)
    running = Running(hass, freezer, site, entry, websocket)
    yield running
    await running.stop()
