"""Costs in the Energy dashboard: only where nothing is, valid, and once."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy import data as energy_data
from homeassistant.components.energy.data import EnergyManager
from homeassistant.components.energy.validate import async_validate
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.climkit.const import CONF_METERS
from custom_components.climkit.energy_dashboard.costs import (
    CostOffer,
    shown,
    with_costs,
)
from custom_components.climkit.metering.tariff import Component

from ..conftest import NOW, later
from ..simulator import SimulatedSite
from ..tariffs import add_tariff
from .dashboard import choose, settle

GRID = CostOffer(Component.GRID, "climkit:a_grid_import", "climkit:a_grid_import_cost")
EXPORT = CostOffer(
    Component.FEED_IN, "climkit:a_grid_export", "climkit:a_grid_export_compensation"
)
WATER = CostOffer(
    Component.COLD_WATER, "climkit:a_cold_water", "climkit:a_cold_water_cost"
)
SUN = CostOffer(Component.SOLAR, "climkit:a_production", "climkit:a_production_cost")

pytestmark = pytest.mark.freeze_time(NOW)


# --- As plain data --------------------------------------------------------------------


def row(kind: str, energy: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "stat_energy_from": energy, **more}


def filled(*rows: Any, offers: Sequence[CostOffer] = (GRID, EXPORT, WATER, SUN)) -> Any:
    """Return the rows as they would be saved, or None if nothing would."""
    before = {"energy_sources": list(rows), "device_consumption": []}
    kept = deepcopy(before)
    changes = with_costs(before, offers)
    assert before == kept
    assert changes.keys() <= {"energy_sources"}
    return changes.get("energy_sources")


def test_each_row_gets_the_cost_of_its_energy() -> None:
    grid = row("grid", GRID.energy, stat_energy_to=EXPORT.energy, stat_cost=None)
    water, solar = row("water", WATER.energy), row("solar", SUN.energy)
    other = row("grid", "sensor.other", stat_cost=None)
    assert filled(grid, water, solar, other) == [
        grid | {"stat_cost": GRID.cost, "stat_compensation": EXPORT.cost},
        water | {"stat_cost": WATER.cost},
        solar,
        other,
    ]


@pytest.mark.parametrize(
    "own",
    [
        {"stat_cost": "sensor.mine"},
        {"entity_energy_price": "sensor.price"},
        {"number_energy_price": 0.3},
        {"number_energy_price": 0},
        {"stat_cost": ""},
    ],
)
def test_what_the_user_has_set_stays(own: dict[str, Any]) -> None:
    assert filled(row("grid", GRID.energy, **own)) is None
    assert filled(row("water", WATER.energy, **own)) is None


@pytest.mark.parametrize(
    "own",
    [
        {"stat_compensation": "sensor.mine"},
        {"entity_energy_price_export": "sensor.price"},
        {"number_energy_price_export": 0.0},
    ],
)
def test_price_of_export_stays(own: dict[str, Any]) -> None:
    """And does not keep the import from its cost."""
    grid = row("grid", GRID.energy, stat_energy_to=EXPORT.energy, **own)
    assert filled(grid) == [grid | {"stat_cost": GRID.cost}]


@pytest.mark.parametrize(
    "other",
    [
        row("gas", GRID.energy),
        row("solar", GRID.energy),
        row("grid", EXPORT.energy),
        {"type": "grid", "stat_energy_to": GRID.energy},
    ],
)
def test_no_other_row_gets_it(other: dict[str, Any]) -> None:
    assert filled(other) is None
    assert not shown({"energy_sources": [other]}, [GRID, EXPORT])


@pytest.mark.parametrize("content", [None, "x", ["x"], [None], {}])
def test_what_is_not_as_expected_is_left_alone(content: Any) -> None:
    assert with_costs({"energy_sources": content}, [GRID]) == {}
    assert with_costs({}, [GRID]) == {}


def test_nothing_is_lost_with_a_row_that_is_none() -> None:
    assert filled(row("grid", GRID.energy), "x") is None


# --- In Home Assistant ----------------------------------------------------------------


async def grid_row(hass: HomeAssistant, energy: EnergyManager) -> dict[str, Any]:
    """Return the one grid connection; Home Assistant finds nothing wrong with any."""
    await settle(hass)
    await async_wait_recording_done(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await settle(hass)
    found = (await async_validate(hass)).as_dict()
    assert not [p for entries in found.values() for p in entries if p]
    data: Any = energy.data
    energy_data.ENERGY_SOURCE_SCHEMA(deepcopy(data["energy_sources"]))
    (grid,) = [each for each in data["energy_sources"] if each["type"] == "grid"]
    return dict(grid)


async def save(energy: EnergyManager, *sources: Any) -> None:
    """Save sources as the page of the settings does."""
    changes: Any = {"energy_sources": deepcopy(list(sources))}
    await energy.async_update(changes)


async def test_site(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """Nothing without the tick; with it, cost and compensation, and nothing else."""
    entry = await choose(hass, site, "site")
    before = await grid_row(hass, energy)
    add_tariff(hass, entry, "feed_in", price=0.10, dashboard=False)
    assert await grid_row(hass, energy) == before
    add_tariff(hass, entry, "grid", price=0.30, dashboard=True)
    with_cost = before | {"stat_cost": f"climkit:{site.id}_grid_import_cost"}
    assert await grid_row(hass, energy) == with_cost
    add_tariff(
        hass, entry, "feed_in", price=0.08, valid_from="2026-06-20", dashboard=True
    )
    compensation = f"climkit:{site.id}_grid_export_compensation"
    assert await grid_row(hass, energy) == with_cost | {
        "stat_compensation": compensation
    }


async def test_flat(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """What it takes from the grid, by the grid's price alone; the sun has no field."""
    flat = site.meter("Appartement 1.1")
    entry = await choose(hass, site, flat.id)
    add_tariff(hass, entry, "grid", price=0.30, dashboard=True)
    add_tariff(hass, entry, "solar", price=0.18, dashboard=True)
    grid = await grid_row(hass, energy)
    assert grid["stat_cost"] == f"climkit:{flat.id}_grid_consumption_cost"
    assert grid["stat_compensation"] is None


async def test_undone_by_the_user(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What is taken out stays out, over a restart too; another tariff brings it again."""
    entry = await choose(hass, site, "site")
    add_tariff(hass, entry, "grid", price=0.30, dashboard=True)
    grid = await grid_row(hass, energy)
    assert grid["stat_cost"]
    without = grid | {"stat_cost": None}
    await save(energy, without)
    assert await grid_row(hass, energy) == without
    await later(hass, freezer, timedelta(minutes=3))
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await grid_row(hass, energy) == without
    add_tariff(hass, entry, "grid", price=0.32, valid_from="2026-07-01", dashboard=True)
    assert (await grid_row(hass, energy))["stat_cost"] == grid["stat_cost"]


async def test_price_of_the_user(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """A cost of the user's own stays, and all that is beside it."""
    entry = await choose(hass, site, "site")
    own = await grid_row(hass, energy) | {"stat_cost": "climkit:mine"}
    await save(energy, own)
    add_tariff(hass, entry, "grid", price=0.30, dashboard=True)
    await async_wait_recording_done(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await settle(hass)
    data: Any = energy.data
    assert own in data["energy_sources"]


async def test_row_that_is_added_later(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """The tariff comes first; the row gets its cost when it is there."""
    entry = await choose(hass, site, "none")
    add_tariff(hass, entry, "grid", price=0.30, dashboard=True)
    await settle(hass)
    assert energy.data is None
    meters = entry.options[CONF_METERS]
    hass.config_entries.async_update_entry(
        entry, options={CONF_METERS: meters, "home": "site"}
    )
    await settle(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    grid = await grid_row(hass, energy)
    assert grid["stat_cost"] == f"climkit:{site.id}_grid_import_cost"


async def test_foreign_preferences_are_left_alone(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """What the schema does not know is a doubt: nothing is written."""
    entry = await choose(hass, site, "site")
    data: Any = energy.data
    data["energy_sources"].append({"type": "new", "stat_energy_from": "sensor.a"})
    before = deepcopy(data)
    add_tariff(hass, entry, "grid", price=0.30, dashboard=True)
    await async_wait_recording_done(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await settle(hass)
    assert energy.data == before
