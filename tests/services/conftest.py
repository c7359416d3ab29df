"""A community that meters heat and water too, set up with a meter of each kind."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import entry_for, set_up
from ..simulator import SimulatedSite, Simulator, sites
from .calls import FLAT


@pytest.fixture
def site() -> SimulatedSite:
    """Return a community that meters heat and water too, and is old enough."""
    created = datetime(2025, 9, 30, 22, tzinfo=UTC)
    return sites.with_few(sites.community(created=created, heat=True, water=True), FLAT)


@pytest.fixture
async def loaded(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> MockConfigEntry:
    """Return the entry of the site, with a meter of each kind."""
    names = [FLAT, f"{FLAT} Chauffage", f"{FLAT} Eau froide"]
    entry = entry_for(site, meters=[site.meter(name).id for name in names])
    await set_up(hass, entry)
    return entry
