"""The same energy counted twice: said so as soon as it is."""

from collections.abc import Callable
from typing import Any

from homeassistant.components.energy.data import EnergyManager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import NOW
from ..simulator import SimulatedSite
from .counted_twice import Ids, device, fix, grid, issues, save, settle, solar

pytestmark = pytest.mark.freeze_time(NOW)


async def test_sensor_and_statistic(
    hass: HomeAssistant,
    energy: EnergyManager,
    loaded: MockConfigEntry,
    ids: Ids,
    site: SimulatedSite,
) -> None:
    """It is said as soon as both are there, and no more once one of them has gone."""
    sensor, statistic = ids.sensor("grid_import"), ids.statistic("grid_import")
    await save(hass, energy, [grid(sensor)])
    assert not issues(hass)
    await save(hass, energy, [grid(sensor), grid(statistic)])
    (issue,) = issues(hass).values()
    assert issue.is_fixable
    assert issue.translation_placeholders == {
        "site": site.name,
        "sensor": sensor,
        "statistic": f"{site.name} Grid import",
    }
    await save(hass, energy, [grid(statistic)])
    assert not issues(hass)


@pytest.mark.parametrize(
    "made",
    [
        lambda ids: ([solar(ids.sensor("production"))], []),
        lambda ids: ([solar(ids.statistic("production"))], []),
        lambda ids: ([grid(ids.sensor("grid_import")), solar("sensor.roof")], []),
        lambda ids: (
            [grid(ids.sensor("grid_import"), ids.statistic("grid_export"))],
            [],
        ),
        # a source, and a device that shows what it is used for
        lambda ids: (
            [grid(ids.statistic("consumption"))],
            [device(ids.sensor("consumption"))],
        ),
        # a relation, not an amount
        lambda ids: (
            [],
            [
                device("sensor.a", included_in_stat=ids.sensor("consumption", "Haus")),
                device(ids.statistic("consumption", "Haus")),
            ],
        ),
    ],
    ids=[
        "sensor alone",
        "statistic alone",
        "other entries",
        "two flows",
        "source and device",
        "relation",
    ],
)
async def test_once_is_fine(
    hass: HomeAssistant,
    energy: EnergyManager,
    ids: Ids,
    made: Callable[[Ids], tuple[list[Any], list[Any]]],
) -> None:
    await save(hass, energy, *made(ids))
    assert not issues(hass)


async def test_at_set_up(
    hass: HomeAssistant, energy: EnergyManager, loaded: MockConfigEntry, ids: Ids
) -> None:
    """What was there before is noticed, again and again but once."""
    sensor = ids.sensor("consumption", "Haus")
    await hass.config_entries.async_unload(loaded.entry_id)
    await save(
        hass, energy, [], [device(sensor), device(ids.statistic("consumption", "Haus"))]
    )
    assert not issues(hass)
    for _ in range(3):
        assert await hass.config_entries.async_setup(loaded.entry_id)
        await settle(hass)
        assert list(issues(hass)) == [sensor]
        await hass.config_entries.async_unload(loaded.entry_id)
    assert len(energy._update_listeners) <= 2  # the energy platform's, and one of ours


async def test_odd_preferences(
    hass: HomeAssistant, energy: EnergyManager, loaded: MockConfigEntry, ids: Ids
) -> None:
    """Entries that nobody understands hide nothing, and break nothing."""
    sensor, statistic = ids.sensor("production"), ids.statistic("production")
    odd: Any = {
        "energy_sources": [
            "text",
            {"type": "heat", "stat_energy_from": 5},
            solar(sensor),
            solar(statistic),
        ],
        "device_consumption": {"a": "b"},
    }
    energy.data = odd
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert list(issues(hass)) == [sensor]
    assert await fix(hass, sensor) is FlowResultType.ABORT
