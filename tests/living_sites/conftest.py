"""A small house, so that its history is soon in."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import entry_for
from ..simulator import SimulatedSite, sites
from .changes import CREATED


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small house, so that its history is soon in."""
    site = sites.many(1, created=CREATED)[0]
    site.meters.append(sites.community().meter("Parties communes"))
    return site


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry with two of its meters; the one that changes is the last."""
    names = ("Appartement 1.1", "Parties communes")
    return entry_for(site, meters=[site.meter(name).id for name in names])
