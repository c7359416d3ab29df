"""Fixtures of the tests of the reader's parts."""

from collections.abc import AsyncIterator

import aiohttp
from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.api import ClimkitClient
from custom_components.climkit.reading.limits import Limits
from custom_components.climkit.reading.questioner import Questioner

from ..simulator import Simulator, sites
from .asker import CREATED, Asker


@pytest.fixture
async def asker(socket_enabled: None) -> AsyncIterator[Asker]:
    """Return who asks a small site, half a year old."""
    site = sites.community(created=CREATED, heat=True, water=True)
    cloud = Simulator([site], clock=dt_util.utcnow, min_interval=0)
    async with cloud, aiohttp.ClientSession() as session:
        client = ClimkitClient(session, "demo", "demo", url=cloud.url)
        limits = Limits()
        yield Asker(Questioner(client, site.id, limits), limits, cloud, site, client)
