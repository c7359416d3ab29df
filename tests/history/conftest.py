"""A site with one flat chosen."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import entry_for
from tests.simulator import SimulatedSite, sites

from .pricing import CREATED, flat


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=CREATED)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[flat(site)])
