"""What the integration adds to the Energy dashboard, and what it never touches."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime
import json
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy import data as energy_data
from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.components.energy.validate import async_validate
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    flush_store,
)

from custom_components.climkit import storage
from custom_components.climkit.const import CONF_METERS, DOMAIN
from custom_components.climkit.energy_dashboard import setup as dashboard_setup
from custom_components.climkit.statistics.updates import RecorderError
from custom_components.climkit.statistics.writer import StatisticsWriter
from tests.simulator import SimulatedSite, Simulator, sites

from ..conftest import NOW, entry_for

CREATED = datetime(2026, 6, 15, 22, tzinfo=UTC)
"""Midnight in Zurich: sites so young that they have no history to import."""

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site: a plant and two flats."""
    return sites.many(1, created=CREATED)[0]


@pytest.fixture
def stored() -> dict[str, Any] | None:
    """Return the preferences that the user has already, if any; tests override it."""
    return None


@pytest.fixture
async def energy(
    cloud: Simulator,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    stored: dict[str, Any] | None,
) -> EnergyManager:
    """Return Home Assistant's own manager of the preferences."""
    if stored is not None:
        hass_storage["energy"] = {
            "version": 1,
            "minor_version": 3,
            "key": "energy",
            "data": deepcopy(stored),
        }
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()
    return await async_get_manager(hass)


async def choose(
    hass: HomeAssistant,
    site: SimulatedSite,
    home: str,
    *,
    meters: Sequence[str] | None = None,
) -> MockConfigEntry:
    """Set up a site with a choice for the dashboard, and wait until that is done."""
    if meters is None:
        meters = [meter.id for meter in site.meters if meter.mode != "introduction"]
    entry = entry_for(site, options={CONF_METERS: meters, "home": home})
    entry.add_to_hass(hass)
    await set_up_again(hass, entry)
    return entry


async def set_up_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Load an entry, as at a restart, and wait for what it does in the background."""
    if entry.state is ConfigEntryState.LOADED:
        assert await hass.config_entries.async_reload(entry.entry_id)
    else:
        assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def settle(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


def issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the issue that asks to add something by hand."""
    found = [
        issue
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue_id.startswith("dashboard_by_hand")
    ]
    assert len(found) <= 1
    return found[0] if found else None


def asked_for(hass: HomeAssistant) -> list[str]:
    """Return the names of the statistics that are to be added by hand."""
    found = issue(hass)
    if found is None:
        return []
    assert found.translation_placeholders
    lines = found.translation_placeholders["statistics"].splitlines()
    assert all(line.startswith("- ") for line in lines)
    return [line.removeprefix("- ") for line in lines]


async def assert_valid(hass: HomeAssistant, energy: EnergyManager) -> None:
    """Let Home Assistant look at all of it, as the page of its settings does."""
    found = (await async_validate(hass)).as_dict()
    assert not [
        problems for entries in found.values() for problems in entries if problems
    ]
    data: Any = energy.data
    energy_data.ENERGY_SOURCE_SCHEMA(deepcopy(data["energy_sources"]))


# --- What is added --------------------------------------------------------------------

NO_PRICE = {
    "stat_cost": None,
    "entity_energy_price": None,
    "number_energy_price": None,
}


def grid(imported: str, exported: str | None = None) -> dict[str, Any]:
    """Return a grid connection as Home Assistant keeps it."""
    return {
        "type": "grid",
        "stat_energy_from": imported,
        "stat_energy_to": exported,
        **NO_PRICE,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0.0,
    }


def solar(produced: str) -> dict[str, Any]:
    return {
        "type": "solar",
        "stat_energy_from": produced,
        "config_entry_solar_forecast": None,
    }


def battery(discharged: str, charged: str) -> dict[str, Any]:
    return {
        "type": "battery",
        "stat_energy_from": discharged,
        "stat_energy_to": charged,
    }


def water(used: str) -> dict[str, Any]:
    return {"type": "water", "stat_energy_from": used, **NO_PRICE}


def devices(site: SimulatedSite, *kinds: str) -> list[dict[str, Any]]:
    """Return the consumption meters of some types as individual devices."""
    return [
        {"stat_consumption": f"climkit:{meter.id}_consumption", "name": meter.name}
        for meter in site.meters
        if meter.type in kinds and meter.mode == "consumption"
    ]


def of_site(site: SimulatedSite) -> Callable[[str], str]:
    return lambda flow: f"climkit:{site.id}_{flow}"


def produced_and_bought(site: SimulatedSite) -> list[dict[str, Any]]:
    own = of_site(site)
    return [grid(own("grid_import"), own("grid_export")), solar(own("production"))]


def with_battery(site: SimulatedSite) -> list[dict[str, Any]]:
    own = of_site(site)
    battery_flows = own("battery_discharge"), own("battery_charge")
    return [*produced_and_bought(site), battery(*battery_flows)]


def with_water(site: SimulatedSite) -> list[dict[str, Any]]:
    own = of_site(site)
    return [
        *produced_and_bought(site),
        water(own("cold_water")),
        water(own("hot_water")),
    ]


def water_alone(site: SimulatedSite) -> list[dict[str, Any]]:
    return with_water(site)[2:]


def bought(site: SimulatedSite) -> list[dict[str, Any]]:
    return [grid(of_site(site)("grid_import"))]


SITES = {
    "community": (sites.community(created=CREATED), produced_and_bought),
    "battery": (sites.with_battery(created=CREATED), with_battery),
    "water and heat": (
        sites.community(created=CREATED, water=True, heat=True, cooling=True),
        with_water,
    ),
    "charge points": (
        sites.community(created=CREATED, charge_points=2),
        produced_and_bought,
    ),
    "nothing that produces": (sites.no_pv(created=CREATED), bought),
    "no electricity": (sites.heat_only(created=CREATED), water_alone),
    "rules": (sites.with_rules(created=CREATED), produced_and_bought),
}


@pytest.mark.parametrize(("site", "sources"), SITES.values(), ids=SITES)
async def test_whole_site(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    sources: Callable[[SimulatedSite], list[dict[str, Any]]],
) -> None:
    await choose(hass, site, "site")
    assert energy.data == {
        "energy_sources": sources(site),
        "device_consumption": devices(site, "electricity", "charge_point"),
        "device_consumption_water": devices(site, "cold_water", "hot_water"),
    }
    await assert_valid(hass, energy)
    assert issue(hass) is None


@pytest.mark.parametrize("site", [sites.community(created=CREATED, charge_points=1)])
@pytest.mark.parametrize("kind", ["electricity", "charge_point"])
async def test_one_meter(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, kind: str
) -> None:
    """Its share of the grid and its share of the sun, without devices."""
    meter = next(
        meter
        for meter in site.meters
        if meter.type == kind and meter.mode == "consumption"
    )
    await choose(hass, site, meter.id)
    assert energy.data == {
        "energy_sources": [
            grid(f"climkit:{meter.id}_grid_consumption"),
            solar(f"climkit:{meter.id}_solar_consumption"),
        ],
        "device_consumption": [],
        "device_consumption_water": [],
    }
    await assert_valid(hass, energy)


async def test_only_chosen_meters(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    flat = site.meter("Appartement 1.2")
    await choose(hass, site, "site", meters=[flat.id])
    data: Any = energy.data
    assert data["device_consumption"] == [
        {"stat_consumption": f"climkit:{flat.id}_consumption", "name": flat.name}
    ]


@pytest.mark.parametrize("chosen", ["none", "no such meter"])
async def test_nothing(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, chosen: str
) -> None:
    await choose(hass, site, chosen)
    assert energy.data is None
    assert issue(hass) is None


async def test_statistics_exist_before_they_are_named(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    seen: list[set[str]] = []
    update = EnergyManager.async_update

    async def look(manager: EnergyManager, changes: Any) -> None:
        known = await get_instance(hass).async_add_executor_job(
            lambda: get_metadata(hass, statistic_source=DOMAIN)
        )
        seen.append(ids_in(changes) - known.keys())
        await update(manager, changes)

    with patch.object(EnergyManager, "async_update", look):
        await choose(hass, site, "site")
    assert seen == [set()]


def ids_in(preferences: Any) -> set[str]:
    """Return the ids of our statistics anywhere in the preferences."""
    parts = json.dumps(preferences).split('"')
    return {part for part in parts if part.startswith(f"{DOMAIN}:")}


# --- What was there -------------------------------------------------------------------

RICH: dict[str, Any] = {
    "energy_sources": [
        grid("sensor.day_tariff", "sensor.feed_in")
        | {
            "number_energy_price": 0.27,
            "entity_energy_price_export": "sensor.spot",
            "cost_adjustment_day": 1.5,
            "name": "Tag",
        },
        grid("sensor.night_tariff") | {"stat_cost": "sensor.night_cost"},
        {
            "type": "grid",
            "cost_adjustment_day": 0,
            "stat_energy_from": None,
            "stat_energy_to": "sensor.second_feed_in",
            "power_config": {"stat_rate_inverted": "sensor.grid_power"},
            "stat_rate": "sensor.grid_power_inverted",
        },
        solar("sensor.roof")
        | {"config_entry_solar_forecast": ["forecast"], "stat_rate": "sensor.roof_w"},
        {
            **battery("sensor.battery_out", "sensor.battery_in"),
            "capacity": 10,
            "stat_soc": "sensor.battery_level",
        },
        {
            "type": "gas",
            "stat_energy_from": "sensor.gas",
            "stat_cost": None,
            "entity_energy_from": None,
            "entity_energy_price": None,
            "number_energy_price": 1.1,
        },
        water("sensor.garden") | {"stat_rate": "sensor.garden_flow"},
    ],
    "device_consumption": [
        {
            "stat_consumption": "sensor.rack",
            "name": "Rack",
            "stat_rate": "sensor.rack_w",
        },
        {"stat_consumption": "sensor.server", "included_in_stat": "sensor.rack"},
    ],
    "device_consumption_water": [{"stat_consumption": "sensor.garden"}],
    "some_future_key": {"nested": [1, 2.50, None, "ä"]},
}


def as_bytes(preferences: Any) -> str:
    """Return the preferences with the order of their keys, for an exact comparison."""
    return json.dumps(preferences)


@pytest.mark.parametrize("stored", [RICH], ids=["rich"])
@pytest.mark.parametrize("name", ["site", "Appartement 1.1"])
async def test_existing_entries_stay(
    hass: HomeAssistant,
    energy: EnergyManager,
    hass_storage: dict[str, Any],
    site: SimulatedSite,
    name: str,
) -> None:
    """Next to ours, each is as it was, in memory and on the disk."""
    await choose(hass, site, name if name == "site" else site.meter(name).id)
    await flush_store(energy._store)
    saved: list[Any] = [energy.data, hass_storage["energy"]["data"]]
    for found in saved:
        assert list(found) == list(RICH)
        assert len(found["energy_sources"]) == len(RICH["energy_sources"]) + 2
        for key, before in RICH.items():
            after = found[key]
            kept = after[: len(before)] if isinstance(before, list) else after
            assert as_bytes(kept) == as_bytes(before)
            ours = after[len(before) :] if isinstance(before, list) else []
            assert all(ids_in(entry) for entry in ours)
    assert issue(hass) is None


@pytest.mark.parametrize("stored", [RICH], ids=["rich"])
async def test_only_what_changes_is_saved(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    with patch.object(energy, "async_update", wraps=energy.async_update) as update:
        await choose(hass, site, site.meter("Appartement 1.1").id)
    assert [list(call.args[0]) for call in update.call_args_list] == [
        ["energy_sources"]
    ]


async def test_older_preferences(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """Those of before water devices were known get that list only with a device."""
    data: Any = {"energy_sources": [], "device_consumption": []}
    energy.data = data
    await choose(hass, site, "site")
    assert list(energy.data or {}) == list(data)
    await assert_valid(hass, energy)


@pytest.mark.parametrize("part", ["grid", "device"])
async def test_ids_that_are_there_are_left_alone(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, part: str
) -> None:
    """Whoever has one of our statistics somewhere has decided what it is."""
    own = of_site(site)
    flat = site.meter("Appartement 1.1")
    grid_import = own("grid_import")
    cost = {"type": "gas", "stat_energy_from": "sensor.gas", "stat_cost": grid_import}
    device = {"stat_consumption": f"climkit:{flat.id}_consumption", "name": "Wohnung"}
    mine: Any = {
        "grid": {"energy_sources": [cost], "device_consumption": []},
        "device": {"energy_sources": [], "device_consumption": [device]},
    }[part]
    energy.data = deepcopy(mine)
    await choose(hass, site, "site")
    data: Any = energy.data
    if part == "grid":
        assert data["energy_sources"] == [cost, solar(own("production"))]
        assert len(data["device_consumption"]) == 2
    else:
        assert data["device_consumption"][0] == device
        assert len(data["device_consumption"]) == 2


# --- Once for each choice -------------------------------------------------------------


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


async def choose_again(hass: HomeAssistant, entry: MockConfigEntry, home: str) -> None:
    """Go through the options as a user does."""
    options = hass.config_entries.options
    shown = await options.async_init(entry.entry_id)
    shown = await options.async_configure(
        shown["flow_id"], {CONF_METERS: entry.options[CONF_METERS]}
    )
    assert shown["step_id"] == "energy"
    await options.async_configure(shown["flow_id"], {"home": home})
    await settle(hass)
    assert entry.options["home"] == home


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


# --- Doubt ----------------------------------------------------------------------------

BY_HAND = [
    "Immeuble 001 Grid import",
    "Immeuble 001 Grid export",
    "Immeuble 001 Production",
    "Immeuble 001 Appartement 1.1 Consumption",
    "Immeuble 001 Appartement 1.2 Consumption",
]

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
