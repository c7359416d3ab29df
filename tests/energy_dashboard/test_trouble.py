"""An Energy dashboard that cannot be set up costs the site nothing."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy import data as energy_data
from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.climkit.energy_dashboard import setup as dashboard_setup
from custom_components.climkit.statistics.updates import RecorderError
from custom_components.climkit.statistics.writer import StatisticsWriter
from tests.simulator import SimulatedSite, Simulator

from ..conftest import NOW
from .dashboard import (
    BY_HAND,
    asked_for,
    assert_valid,
    choose,
    issue,
    set_up_again,
    settle,
)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


def broken(*_: Any) -> Any:
    raise RuntimeError


async def refusing(*_: Any) -> Any:
    raise RecorderError


TROUBLES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "no such function": lambda patch: patch.delattr(energy_data, "async_get_manager"),
    "no such schema": lambda patch: patch.delattr(energy_data, "ENERGY_SOURCE_SCHEMA"),
    "refused": lambda patch: patch.setattr(energy_data, "ENERGY_SOURCE_SCHEMA", broken),
    "no such method": lambda patch: patch.delattr(EnergyManager, "async_update"),
    "not saved": lambda patch: patch.setattr(EnergyManager, "async_update", broken),
    "fault of the recorder": lambda patch: patch.setattr(
        StatisticsWriter, "async_ensure", broken
    ),
    "no such statistic": lambda patch: patch.setattr(
        StatisticsWriter, "async_ensure", refusing
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_trouble(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    caplog: pytest.LogCaptureFixture,
    trouble: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """The site is set up all the same."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        trouble(monkeypatch)
        entry = await choose(hass, site, "site")
        assert entry.state is ConfigEntryState.LOADED
        assert energy.data is None
        assert asked_for(hass) == BY_HAND
    assert "The Energy dashboard was not set up for Immeuble 001" in caplog.text
    await set_up_again(hass, entry)
    assert issue(hass) is None
    await assert_valid(hass, energy)


async def test_without_the_energy_integration(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    entry = await choose(hass, site, "site")
    assert asked_for(hass) == BY_HAND
    await set_up_again(hass, entry)
    assert await async_setup_component(hass, "energy", {})
    await set_up_again(hass, entry)
    assert issue(hass) is None
    await assert_valid(hass, await async_get_manager(hass))


async def test_recorder_comes_back(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nobody has to restart for it."""
    with patch.object(StatisticsWriter, "async_ensure", side_effect=RecorderError):
        await choose(hass, site, "site")
        assert asked_for(hass) == BY_HAND
    freezer.tick(dashboard_setup.RETRY)
    async_fire_time_changed(hass)
    await settle(hass)
    assert issue(hass) is None
    await assert_valid(hass, energy)


async def test_while_home_assistant_starts(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """The recorder does not serve yet: that is no trouble, and no issue."""
    hass.set_state(CoreState.starting)
    await choose(hass, site, "site")
    assert energy.data is None
    assert issue(hass) is None
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)
    await assert_valid(hass, energy)


async def test_fault_of_another_listener(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """What has been added is not asked for by hand."""

    async def fail() -> None:
        raise RuntimeError

    energy.async_listen_updates(fail)
    entry = await choose(hass, site, "site")
    assert issue(hass) is None
    await set_up_again(hass, entry)
    await assert_valid(hass, energy)
