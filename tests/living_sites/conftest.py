"""A small house, so that its history is soon in."""

import pytest

from ..simulator import SimulatedSite, sites
from .changes import CREATED


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small house, so that its history is soon in."""
    site = sites.many(1, created=CREATED)[0]
    site.meters.append(sites.community().meter("Parties communes"))
    return site
