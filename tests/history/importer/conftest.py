"""A young site, of which an entry has some meters; its history takes several requests."""

from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import Resolution
from custom_components.climkit.reading import limits
from tests.conftest import entry_for
from tests.simulator import SimulatedSite, sites

from .whole_history import CREATED

FLATS = ("Appartement 1.1", "Appartement 2.1", "Appartement 3.2")


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site that is 47 days old, without meters that nobody looks at."""
    site = sites.community(created=CREATED)
    site.meters = [
        meter
        for meter in site.meters
        if meter.mode != "consumption" or meter.name in FLATS
    ]
    return site


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry with two flats and the plant."""
    return entry_for(
        site,
        meters=[
            site.meter(name).id
            for name in ("Appartement 1.1", "Appartement 2.1", "Installation solaire")
        ],
    )


@pytest.fixture(autouse=True)
def _short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the import take several requests although the site is young."""
    monkeypatch.setitem(limits.LONGEST, Resolution.HOUR, timedelta(days=10))
