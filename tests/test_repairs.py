"""The same energy counted twice: said so, and solved only if the user wants it."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
import json
from typing import Any

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.components.energy.validate import async_validate
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, set_up
from .simulator import SimulatedSite, Simulator, sites

CREATED = datetime(2026, 6, 15, 22, tzinfo=UTC)
"""Midnight in Zurich: a site so young that it has no history to import."""

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a house with everything that a source can be."""
    return sites.with_battery(created=CREATED)


@pytest.fixture
async def energy(cloud: Simulator, hass: HomeAssistant) -> EnergyManager:
    """Return Home Assistant's own manager of the preferences."""
    assert await async_setup_component(hass, "energy", {})
    assert await async_setup_component(hass, "repairs", {})
    await hass.async_block_till_done()
    return await async_get_manager(hass)


@pytest.fixture
async def loaded(
    hass: HomeAssistant, energy: EnergyManager, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the site's entry, set up."""
    await set_up(hass, entry)
    await settle(hass)
    return entry


async def settle(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


class Ids:
    """The two names of each flow: its sensor and its statistic."""

    def __init__(self, hass: HomeAssistant, site: SimulatedSite) -> None:
        self._registry = er.async_get(hass)
        self._site = site

    def sensor(self, flow: str, meter: str | None = None) -> str:
        """Return the entity id of the sensor of the total."""
        owner = self._site.meter(meter).id if meter else self._site.id
        found = self._registry.async_get_entity_id("sensor", DOMAIN, f"{owner}_{flow}")
        assert found
        return found

    def statistic(self, flow: str, meter: str | None = None) -> str:
        """Return the id of the statistic."""
        owner = self._site.meter(meter).id if meter else self._site.id
        return f"{DOMAIN}:{owner}_{flow}"


@pytest.fixture
def ids(hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite) -> Ids:
    return Ids(hass, site)


def grid(imported: str | None, exported: str | None = None, **more: Any) -> Any:
    return {
        "type": "grid",
        "stat_energy_from": imported,
        "stat_energy_to": exported,
        "cost_adjustment_day": 0,
        **more,
    }


def solar(produced: str, **more: Any) -> Any:
    return {"type": "solar", "stat_energy_from": produced, **more}


def battery(discharged: str, charged: str, **more: Any) -> Any:
    return {
        "type": "battery",
        "stat_energy_from": discharged,
        "stat_energy_to": charged,
        **more,
    }


def device(consumed: str, **more: Any) -> Any:
    return {"stat_consumption": consumed, **more}


async def save(
    hass: HomeAssistant, energy: EnergyManager, sources: Any = (), devices: Any = ()
) -> None:
    """Save preferences as the page of the settings does."""
    changes: Any = {
        "energy_sources": deepcopy(list(sources)),
        "device_consumption": deepcopy(list(devices)),
    }
    await energy.async_update(changes)
    await settle(hass)


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the issues by the sensor that they are about."""
    return {
        str(issue.data["sensor"]): issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.data and issue.active
    }


async def fix(hass: HomeAssistant, sensor: str) -> FlowResultType:
    """Open the dialog of an issue, read it, and confirm."""
    flows = repairs_flow_manager(hass)
    assert flows
    issue = issues(hass)[sensor]
    before = json.dumps((await async_get_manager(hass)).data)
    shown = await flows.async_init(DOMAIN, context={"issue_id": issue.issue_id})
    assert shown["type"] is FlowResultType.FORM
    assert shown["step_id"] == "confirm"
    placeholders = shown["description_placeholders"] or {}
    assert placeholders["sensor"] == sensor
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    prefix = f"component.{DOMAIN}.issues.{issue.translation_key}"
    texts[f"{prefix}.title"].format(**placeholders)
    step = f"{prefix}.fix_flow.step.confirm"
    assert sensor in texts[f"{step}.description"].format(**placeholders)
    assert json.dumps((await async_get_manager(hass)).data) == before
    result = await flows.async_configure(shown["flow_id"], {})
    await settle(hass)
    if result["type"] is FlowResultType.ABORT:
        assert result["reason"] == "by_hand"
        placeholders = result["description_placeholders"] or {}
        assert sensor in texts[f"{prefix}.fix_flow.abort.by_hand"].format(
            **placeholders
        )
        assert json.dumps((await async_get_manager(hass)).data) == before
    return result["type"]


# --- Noticing it ----------------------------------------------------------------------


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


# --- Solving it -----------------------------------------------------------------------

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
