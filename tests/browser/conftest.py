"""The journeys of the browser tests, and a home for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.home import Home
from tests.home.cloud import Cloud
from tests.journey import CREATED, Journey

from .journeys import JOURNEYS


@pytest.fixture(params=JOURNEYS, ids=lambda journey: str(journey.language))
def journey(request: pytest.FixtureRequest) -> Journey:
    """Return each of the journeys."""
    found: Journey = request.param
    return found


@pytest.fixture
async def home(journey: Journey, tmp_path: Path) -> AsyncIterator[Home]:
    """Run a home with nothing of Climkit, and a cloud with two sites."""
    options = ("--site=battery", "--site=community", f"--created={CREATED}")
    async with Cloud(tmp_path / "simulator.log", *options) as cloud:
        environment = {"CLIMKIT_API_URL": cloud.url}
        async with Home(
            tmp_path / "home", language=journey.language, environment=environment
        ) as home:
            yield home
