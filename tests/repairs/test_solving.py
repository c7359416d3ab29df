"""What is counted twice goes if the user wants it, and nothing else."""

from collections.abc import Callable
import json
from typing import Any

from homeassistant.components.energy.data import EnergyManager
from homeassistant.components.energy.validate import async_validate
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from ..conftest import NOW
from .counted_twice import Ids, battery, device, fix, grid, issues, save, solar

pytestmark = pytest.mark.freeze_time(NOW)
type Made = tuple[list[Any], list[Any]]
FIXES: dict[str, tuple[str, Callable[[Ids], tuple[Made, Made]]]] = {
    "grid": (
        "grid_import",
        lambda ids: (
            ([grid(ids.sensor("grid_import")), grid(ids.statistic("grid_import"))], []),
            ([grid(ids.statistic("grid_import"))], []),
        ),
    ),
    "grid with a price": (
        "grid_import",
        lambda ids: (
            (
                [
                    grid(ids.statistic("grid_import")),
                    grid(ids.sensor("grid_import"), number_energy_price=0.27),
                    grid("sensor.other", number_energy_price=0.3),
                ],
                [],
            ),
            (
                [
                    grid(ids.statistic("grid_import")),
                    grid("sensor.other", number_energy_price=0.3),
                ],
                [],
            ),
        ),
    ),
    "grid with another export": (
        "grid_import",
        lambda ids: (
            (
                [
                    grid(
                        ids.sensor("grid_import"),
                        "sensor.feed_in",
                        stat_rate="sensor.power",
                        name="Haus",
                    ),
                    grid(ids.statistic("grid_import")),
                ],
                [],
            ),
            (
                [
                    grid(None, "sensor.feed_in", stat_rate="sensor.power", name="Haus"),
                    grid(ids.statistic("grid_import")),
                ],
                [],
            ),
        ),
    ),
    "grid with another import": (
        "grid_export",
        lambda ids: (
            (
                [
                    grid("sensor.import", ids.sensor("grid_export")),
                    grid(ids.statistic("grid_import"), ids.statistic("grid_export")),
                ],
                [],
            ),
            (
                [
                    grid("sensor.import"),
                    grid(ids.statistic("grid_import"), ids.statistic("grid_export")),
                ],
                [],
            ),
        ),
    ),
    "grid with both": (
        "grid_export",
        lambda ids: (
            (
                [
                    grid(ids.sensor("grid_import"), ids.sensor("grid_export")),
                    grid(ids.statistic("grid_import"), ids.statistic("grid_export")),
                ],
                [],
            ),
            ([grid(ids.statistic("grid_import"), ids.statistic("grid_export"))], []),
        ),
    ),
    "solar": (
        "production",
        lambda ids: (
            (
                [
                    solar(
                        ids.sensor("production"),
                        config_entry_solar_forecast=[],
                        name="Dach",
                    ),
                    solar(ids.statistic("production")),
                    solar("sensor.balcony", stat_rate="sensor.balcony_w"),
                ],
                [],
            ),
            (
                [
                    solar(ids.statistic("production")),
                    solar("sensor.balcony", stat_rate="sensor.balcony_w"),
                ],
                [],
            ),
        ),
    ),
    "battery": (
        "battery_charge",
        lambda ids: (
            (
                [
                    battery(
                        ids.sensor("battery_discharge"), ids.sensor("battery_charge")
                    ),
                    battery(
                        ids.statistic("battery_discharge"),
                        ids.statistic("battery_charge"),
                    ),
                ],
                [],
            ),
            (
                [
                    battery(
                        ids.statistic("battery_discharge"),
                        ids.statistic("battery_charge"),
                    ),
                ],
                [],
            ),
        ),
    ),
    "device": (
        "consumption",
        lambda ids: (
            (
                [solar("sensor.roof")],
                [
                    device("sensor.a"),
                    device(ids.sensor("consumption"), name="Alles"),
                    device(ids.statistic("consumption")),
                    device("sensor.b", included_in_stat="sensor.a"),
                ],
            ),
            (
                [solar("sensor.roof")],
                [
                    device("sensor.a"),
                    device(ids.statistic("consumption")),
                    device("sensor.b", included_in_stat="sensor.a"),
                ],
            ),
        ),
    ),
}


@pytest.mark.parametrize(("flow", "made"), FIXES.values(), ids=FIXES)
async def test_fix(
    hass: HomeAssistant,
    energy: EnergyManager,
    ids: Ids,
    flow: str,
    made: Callable[[Ids], tuple[Made, Made]],
) -> None:
    """The sensor goes after the confirmation, all the rest stays byte for byte."""
    before, after = made(ids)
    await save(hass, energy, *before)
    assert await fix(hass, ids.sensor(flow)) is FlowResultType.CREATE_ENTRY
    sources, devices = after
    data: Any = energy.data
    assert json.dumps(data["energy_sources"]) == json.dumps(sources)
    assert json.dumps(data["device_consumption"]) == json.dumps(devices)
    assert data["device_consumption_water"] == []
    assert not issues(hass)


BY_HAND: dict[str, tuple[str, Callable[[Ids], Made]]] = {
    "solar with a forecast": (
        "production",
        lambda ids: (
            [
                solar(ids.sensor("production"), config_entry_solar_forecast=["a"]),
                solar(ids.statistic("production")),
            ],
            [],
        ),
    ),
    "battery with another charge": (
        "battery_discharge",
        lambda ids: (
            [
                battery(ids.sensor("battery_discharge"), "sensor.charge"),
                battery(ids.statistic("battery_discharge"), "sensor.other_charge"),
            ],
            [],
        ),
    ),
    "a device that others are part of": (
        "consumption",
        lambda ids: (
            [],
            [
                device(ids.sensor("consumption")),
                device(ids.statistic("consumption")),
                device("sensor.a", included_in_stat=ids.sensor("consumption")),
            ],
        ),
    ),
    "a source of the future": (
        "production",
        lambda ids: (
            [
                solar(ids.sensor("production")),
                solar(ids.statistic("production")),
                {"type": "heat", "stat_energy_from": "sensor.heat"},
            ],
            [],
        ),
    ),
}


@pytest.mark.parametrize(("flow", "made"), BY_HAND.values(), ids=BY_HAND)
async def test_by_hand(
    hass: HomeAssistant,
    energy: EnergyManager,
    ids: Ids,
    flow: str,
    made: Callable[[Ids], Made],
) -> None:
    """Where something of others would go too, nothing does, and the issue stays."""
    await save(hass, energy, *made(ids))
    sensor = ids.sensor(flow)
    assert await fix(hass, sensor) is FlowResultType.ABORT
    assert list(issues(hass)) == [sensor]


async def test_after_the_fix_all_is_valid(
    hass: HomeAssistant, energy: EnergyManager, ids: Ids
) -> None:
    """Home Assistant has nothing to say against what is left."""
    imported, exported = ids.sensor("grid_import"), ids.sensor("grid_export")
    await save(
        hass,
        energy,
        [grid(imported, exported), grid(ids.statistic("grid_import"))],
    )
    assert await fix(hass, imported) is FlowResultType.CREATE_ENTRY
    state = hass.states.get(exported)
    assert state
    assert state.state not in (STATE_UNKNOWN, STATE_UNAVAILABLE)
    data: Any = energy.data
    assert data["energy_sources"][0] == grid(None, exported)
    found = (await async_validate(hass)).as_dict()["energy_sources"]
    assert not [
        problem
        for problems in found
        for problem in problems
        if problem["type"] != "statistics_not_defined"  # of the sensor: it is too young
    ]
