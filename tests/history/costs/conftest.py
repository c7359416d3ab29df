"""A site of some days, with one flat chosen: each row is written in both ways."""

from datetime import UTC, datetime

import pytest

from tests.simulator import SimulatedSite, sites

CREATED = datetime(2026, 6, 11, 22, tzinfo=UTC)


@pytest.fixture
def site() -> SimulatedSite:
    return sites.many(1, created=CREATED)[0]
