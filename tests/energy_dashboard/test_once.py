"""Each choice for the Energy dashboard is carried out once."""

from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy.data import EnergyManager
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.climkit import storage
from custom_components.climkit.const import DOMAIN
from custom_components.climkit.energy_dashboard import setup as dashboard_setup
from tests.simulator import SimulatedSite

from ..conftest import NOW
from .dashboard import (
    as_bytes,
    assert_valid,
    choose,
    choose_again,
    set_up_again,
    settle,
)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


async def test_twice_changes_nothing(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    entry = await choose(hass, site, "site")
    before = as_bytes(energy.data)
    await dashboard_setup.async_forget(hass, entry)
    with patch.object(energy, "async_update", wraps=energy.async_update) as update:
        await set_up_again(hass, entry)
    assert as_bytes(energy.data) == before
    assert not update.called


async def test_removed_by_the_user(
    hass: HomeAssistant,
    energy: EnergyManager,
    hass_storage: dict[str, Any],
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It does not come back at a restart, but when it is chosen again."""
    entry = await choose(hass, site, "site")
    ours = as_bytes(energy.data)
    nothing: Any = EnergyManager.default_preferences()
    await energy.async_update(nothing)
    await set_up_again(hass, entry)
    assert energy.data == nothing
    freezer.tick(dashboard_setup.SAVE_DELAY + 1)
    async_fire_time_changed(hass)
    await settle(hass)
    key = f"{DOMAIN}.{entry.entry_id}.dashboard"
    assert hass_storage[key]["data"] == {"home": "site"}
    hass.data.pop(storage._STORES)  # as after a restart
    await set_up_again(hass, entry)
    assert energy.data == nothing

    await choose_again(hass, entry, "site")
    assert as_bytes(energy.data) == ours


async def test_another_choice(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """It adds; what the first one added stays."""
    entry = await choose(hass, site, "none")
    flat = site.meter("Appartement 1.1").id
    await choose_again(hass, entry, flat)
    await choose_again(hass, entry, "none")
    data: Any = energy.data
    assert [source["type"] for source in data["energy_sources"]] == ["grid", "solar"]
    await choose_again(hass, entry, "site")
    data = energy.data
    assert [source["type"] for source in data["energy_sources"]] == [
        "grid",
        "solar",
    ] * 2
    await assert_valid(hass, energy)
