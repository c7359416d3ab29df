"""A building manager: sixty sites of one account, set up through the dialog."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
)
from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.const import DOMAIN
from tests.conftest import NOW
from tests.fast_clock import fast_clock
from tests.simulator import SimulatedSite, Simulator, sites

from .dialog import choices, mode, preselected, start

pytestmark = [
    pytest.mark.rate_limit,
    pytest.mark.slow,
    pytest.mark.statistics_only,
    pytest.mark.freeze_time(NOW),
    pytest.mark.usefixtures("every_text_exists"),
]

SITES = 60


@pytest.fixture
def site() -> SimulatedSite:
    """Return the first of the sites."""
    return sites.many(1, created=dt_util.utcnow() - timedelta(days=2))[0]


@pytest.fixture
def progress(hass: HomeAssistant) -> list[float]:
    """Return what the progress of dialogs will have shown."""
    shown: list[float] = []

    @callback  # or it would be heard in a thread, in any order
    def listen(event: Event) -> None:
        shown.append(event.data["progress"])

    hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, listen)
    return shown


async def send(
    hass: HomeAssistant, shown: ConfigFlowResult, **values: Any
) -> ConfigFlowResult:
    """Fill in a form and wait for the progress, as long as it moves."""
    flows = hass.config_entries.flow
    result = await flows.async_configure(shown["flow_id"], values)
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await asyncio.sleep(10)
        result = await flows.async_configure(shown["flow_id"])
    return result


def discovered(hass: HomeAssistant) -> int:
    """Return how many sites are shown as discovered."""
    return len(hass.config_entries.flow.async_progress())


async def test_sixty_sites(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    progress: list[float],
    site: SimulatedSite,
) -> None:
    """Named and added with progress, a request a second; the few that are left are shown.

    A second time the password is known, and its token still lives.
    """
    asyncio.get_running_loop().set_debug(False)
    cloud.sites[:] = sites.many(SITES, created=site.created)
    ids = [site.id for site in cloud.sites]
    with fast_clock(freezer):
        begun = dt_util.utcnow()
        shown = await log_in_with_progress(hass)
        assert shown["step_id"] == "site"
        assert mode(shown) == "dropdown"
        assert len(choices(shown)) == SITES
        assert len(progress) == SITES
        assert dt_util.utcnow() - begun < timedelta(seconds=1.3 * (SITES + 2) + 10)
        progress.clear()
        shown = await send(hass, await send(hass, shown, site=ids[0]))
        assert shown["step_id"] == "others"
        assert mode(shown) == "dropdown"
        assert preselected(shown) == []
        result = await send(hass, shown, sites=ids[1:5])
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert len(progress) == 4
        await asyncio.sleep(120)
        assert discovered(hass) == 0  # 55 are left

        shown = await send(hass, await start(hass), account="demo")
        shown = await send(hass, await send(hass, shown, site=ids[5]))
        result = await send(hass, shown, sites=ids[6:50])
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await asyncio.sleep(300)
        entries = hass.config_entries.async_entries(DOMAIN)
        assert [entry.state for entry in entries] == [ConfigEntryState.LOADED] * 50
        assert {entry.unique_id for entry in entries} == set(ids[:50])
        assert discovered(hass) == 10
        assert len(cloud.requests.to("all_installations")) == 2
        times = [request.time for request in cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))
        assert {request.status for request in cloud.requests} == {200}
        assert cloud.most_in_flight["demo"] == 1
        for entry in entries:
            await hass.config_entries.async_unload(entry.entry_id)
        await asyncio.sleep(10)  # the queue finds that nobody waits any more


async def log_in_with_progress(hass: HomeAssistant) -> ConfigFlowResult:
    """Type the credentials, and wait for the names."""
    shown = await start(hass)
    return await send(hass, shown, username="demo", password="demo")
