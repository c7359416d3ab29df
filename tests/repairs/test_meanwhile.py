"""Between the issue and its solution the world goes on."""

from typing import Any

from homeassistant.components.energy.data import EnergyManager
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from ..conftest import NOW
from .counted_twice import Ids, fix, issues, save, settle, solar

pytestmark = pytest.mark.freeze_time(NOW)


async def test_solved_meanwhile(
    hass: HomeAssistant, energy: EnergyManager, ids: Ids
) -> None:
    """Whoever removes the statistic in another window keeps the sensor."""
    sensor = ids.sensor("production")
    await save(hass, energy, [solar(sensor), solar(ids.statistic("production"))])
    flows = repairs_flow_manager(hass)
    assert flows
    shown = await flows.async_init(
        DOMAIN, context={"issue_id": issues(hass)[sensor].issue_id}
    )
    await save(hass, energy, [solar(sensor)])
    result = await flows.async_configure(shown["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    data: Any = energy.data
    assert data["energy_sources"] == [solar(sensor)]


async def test_entry_not_loaded(
    hass: HomeAssistant, energy: EnergyManager, loaded: MockConfigEntry, ids: Ids
) -> None:
    """The dialog works while the cloud is away."""
    sensor, statistic = ids.sensor("production"), ids.statistic("production")
    await save(hass, energy, [solar(sensor), solar(statistic)])
    await hass.config_entries.async_unload(loaded.entry_id)
    assert await fix(hass, sensor) is FlowResultType.CREATE_ENTRY
    data: Any = energy.data
    assert data["energy_sources"] == [solar(statistic)]
    assert not issues(hass)


async def test_without_the_energy_integration(
    hass: HomeAssistant, energy: EnergyManager, loaded: MockConfigEntry, ids: Ids
) -> None:
    """Nothing is counted where nothing counts."""
    sensor = ids.sensor("production")
    await save(hass, energy, [solar(sensor), solar(ids.statistic("production"))])
    hass.config.components.remove("energy")
    assert await fix(hass, sensor) is FlowResultType.ABORT
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert not issues(hass)


async def test_issue_goes_with_the_entry(
    hass: HomeAssistant, energy: EnergyManager, loaded: MockConfigEntry, ids: Ids
) -> None:
    sensor = ids.sensor("production")
    await save(hass, energy, [solar(sensor), solar(ids.statistic("production"))])
    assert issues(hass)
    await hass.config_entries.async_remove(loaded.entry_id)
    assert not issues(hass)
