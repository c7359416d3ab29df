"""Fixtures of the lives on all kinds of clouds."""

import asyncio
from collections.abc import AsyncIterator
import logging
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import entry_for
from tests.fast_clock import fast_clock
from tests.simulator import SimulatedSite, Simulator

from .life import FLAT, PLANT, CloudLife, house


@pytest.fixture
def site() -> SimulatedSite:
    return house()


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
    with fast_clock(freezer):
        yield CloudLife(hass, cloud, entry, caplog)
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)


GAPS: Final[dict[str, str]] = {
    "test_a_changed_password[": "not seen to pass yet",
    "test_a_password_that_changes_while_importing[": "not seen to pass yet",
    "test_what_is_odd_for_longer_than_a_day_asks_the_user": "the day is not counted",
}
"""What the product does not do yet, and why: the next work to be done. Whoever mends one
takes it out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect of the known gaps that they fail, so that all others must not."""
    for item in items:
        for name, reason in GAPS.items():
            if "clouds" in item.path.parts and item.name.startswith(name):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))
