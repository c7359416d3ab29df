"""What the tests of this room share."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import set_up
from ..simulator import Simulator


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry, set up."""
    await set_up(hass, entry)
    return entry
