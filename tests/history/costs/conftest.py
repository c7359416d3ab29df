"""A site of some days, with one flat chosen: each row is written in both ways."""

import pytest

from tests.conftest import LATELY
from tests.simulator import SimulatedSite, sites


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=LATELY)
