"""Preferences that are not understood: nothing is written, the user is asked."""

from copy import deepcopy
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy.data import EnergyManager
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.climkit.const import DOMAIN
from custom_components.climkit.energy_dashboard import setup as dashboard_setup
from tests.simulator import SimulatedSite, Simulator

from ..conftest import NOW
from .dashboard import (
    BY_HAND,
    as_bytes,
    asked_for,
    assert_valid,
    choose,
    issue,
    set_up_again,
    settle,
)
from .preferences import RICH, battery, devices, produced_and_bought, solar

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]
FOREIGN: dict[str, Any] = {
    "an entry with a key of the future": {
        **RICH,
        "energy_sources": [solar("sensor.roof") | {"orientation": "south"}],
    },
    "a source of the future": {
        **RICH,
        "energy_sources": [{"type": "heat", "stat_energy_from": "sensor.heat"}],
    },
    "a device with a key of the future": {
        **RICH,
        "device_consumption": [{"stat_consumption": "sensor.a", "group": "kitchen"}],
    },
    "a water device with a key of the future": {
        **RICH,
        "device_consumption_water": [{"stat_consumption": "sensor.a", "hot": True}],
    },
    "the grid of the past": {
        **RICH,
        "energy_sources": [{"type": "grid", "flow_from": [], "flow_to": []}],
    },
    "no sources": {"device_consumption": []},
    "other sources": {**RICH, "energy_sources": {"grid": []}},
    "entries that are none": {**RICH, "energy_sources": ["sensor.grid"]},
    "another structure": ["energy_sources"],
    "a power that Home Assistant would name": {
        **RICH,
        "energy_sources": [
            {
                **battery("sensor.out", "sensor.in"),
                "power_config": {"stat_rate_inverted": "sensor.power"},
            }
        ],
    },
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
async def test_foreign_preferences(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, data: Any
) -> None:
    """Nothing is written, and the user learns what to add."""
    energy.data = deepcopy(data)
    before = as_bytes(data)
    with patch.object(energy, "async_update") as update:
        entry = await choose(hass, site, "site")
        await set_up_again(hass, entry)
    assert not update.called
    assert as_bytes(energy.data) == before
    assert asked_for(hass) == BY_HAND

    energy.data = None  # put in order
    await set_up_again(hass, entry)
    assert issue(hass) is None
    await assert_valid(hass, energy)


@pytest.mark.parametrize("data", [FOREIGN["an entry with a key of the future"]])
async def test_added_by_hand(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, data: Any
) -> None:
    """The list gets shorter while the user adds, and the issue goes with the last."""
    energy.data = deepcopy(data)
    entry = await choose(hass, site, "site")
    own = produced_and_bought(site)
    sources = [*data["energy_sources"], own[0]]
    await energy.async_update({"energy_sources": sources})  # type: ignore[typeddict-item]
    await settle(hass)
    assert asked_for(hass) == BY_HAND[2:]
    await energy.async_update({"energy_sources": [*sources, own[1]]})  # type: ignore[typeddict-item]
    await settle(hass)
    assert asked_for(hass) == BY_HAND[3:]
    found: Any = devices(site, "electricity")
    await energy.async_update({"device_consumption": found})  # type: ignore[typeddict-item]
    await settle(hass)
    assert issue(hass) is None

    before = as_bytes(energy.data)
    await energy.async_update({"device_consumption": []})  # type: ignore[typeddict-item]
    await set_up_again(hass, entry)
    data = energy.data
    assert as_bytes(data | {"device_consumption": found}) == before


async def test_energy_disappears_meanwhile(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """The issue stays as it is while nobody can look."""
    energy.data = deepcopy(FOREIGN["an entry with a key of the future"])
    await choose(hass, site, "site")
    hass.config.components.remove("energy")
    await energy.async_update({"device_consumption": []})  # type: ignore[typeddict-item]
    await settle(hass)
    assert asked_for(hass) == BY_HAND


async def test_issue_goes_with_the_choice(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    entry = await choose(hass, site, "site")
    assert issue(hass)
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "home": "none"}
    )
    await set_up_again(hass, entry)
    assert issue(hass) is None


async def test_issue_goes_with_the_entry(
    hass: HomeAssistant,
    energy: EnergyManager,
    hass_storage: dict[str, Any],
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nothing is left but the statistics, and what is in the dashboard."""
    entry = await choose(hass, site, "site")
    data = as_bytes(energy.data)
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"dashboard_by_hand_{entry.entry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="dashboard_by_hand",
    )
    freezer.tick(dashboard_setup.SAVE_DELAY + 1)
    async_fire_time_changed(hass)
    await settle(hass)
    assert [key for key in hass_storage if entry.entry_id in key]
    await hass.config_entries.async_remove(entry.entry_id)
    await settle(hass)
    assert issue(hass) is None
    assert not [key for key in hass_storage if entry.entry_id in key]
    assert as_bytes(energy.data) == data
