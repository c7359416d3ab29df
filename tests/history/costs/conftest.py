"""A site with one flat chosen, whose costs are written in both ways."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.statistics import transactions
from tests.conftest import LATELY, entry_for
from tests.simulator import SimulatedSite, sites

from ..pricing import flat


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=LATELY)


@pytest.fixture(autouse=True, params=["table", "official"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the way of writing that is in use: as if something private had moved."""
    name: str = request.param
    if name == "official":
        monkeypatch.setattr(transactions, "probe", lambda: "something")
    return name


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[flat(site)])
