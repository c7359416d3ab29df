"""Fixtures of the lives on all kinds of clouds."""

import asyncio
from collections.abc import AsyncIterator, Mapping
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import WITHOUT_STATES, entry_for
from tests.fast_clock import fast_clock
from tests.simulator import SimulatedSite, Simulator

from .life import FLAT, PLANT, CloudLife, house


@pytest.fixture
def site() -> SimulatedSite:
    return house()


@pytest.fixture
def recorder_config() -> Mapping[str, Any]:
    return WITHOUT_STATES


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[site.meter(name).id for name in (FLAT, PLANT)])


@pytest.fixture
async def life(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[CloudLife]:
    """Return a life that has not begun; the clock jumps from now on."""
    await hass.config.async_set_time_zone("Europe/Zurich")
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.WARNING, "homeassistant.components.recorder")
    caplog.set_level(logging.INFO, "homeassistant")
    caplog.set_level(logging.INFO, "custom_components.climkit")
    asyncio.get_running_loop().set_debug(False)
    with fast_clock(freezer) as sleep:
        yield CloudLife(hass, cloud, entry, caplog, sleep)
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)
