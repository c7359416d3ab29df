"""Tariffs in the user interface: every form, everything that is refused, every end."""

from http import HTTPStatus
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.climkit.metering.tariff import Tariff
from custom_components.climkit.statistics.tariff_versions import stored_tariffs

from ..conftest import NOW, entry_for, history_done, set_up
from ..simulator import SimulatedMeter, SimulatedSite, Simulator, sites
from .tariff_dialog import Dialog, only_tariff

pytestmark = pytest.mark.freeze_time(NOW)

GRID = {"component": "grid", "valid_from": "2026-01-01"}
WEEK = ["mon", "tue", "wed", "thu", "fri"]


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry, set up."""
    await set_up(hass, entry)
    return entry


def price_entity(hass: HomeAssistant, price: object, unit: str | None) -> None:
    hass.states.async_set("sensor.price", str(price), {"unit_of_measurement": unit})


async def at_times(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    dialog = await Dialog.add(hass, entry)
    await dialog.submit(**GRID, pricing="times")
    assert dialog.step == "times"
    return dialog


async def at_entity(hass: HomeAssistant, entry: MockConfigEntry, **more: Any) -> Dialog:
    dialog = await Dialog.add(hass, entry)
    await dialog.submit(**GRID, pricing="entity", **more)
    assert dialog.step == "entity"
    return dialog


# --- What is kept ---------------------------------------------------------------------


async def test_one_price(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: Simulator
) -> None:
    await history_done(loaded)
    asked = len(cloud.requests)
    dialog = await Dialog.add(hass, loaded)
    assert dialog.step == "user"
    await dialog.submit(**GRID, pricing="fixed", monthly_fee=7.4)
    assert dialog.step == "fixed"
    await dialog.submit(price=0.277)
    assert dialog.step == "confirm"
    assert dialog.facts["title"] == "Grid from 2026-01-01 · 0.277"
    assert dialog.facts["fee"] == "7.40"
    await dialog.submit(dashboard=False)
    assert dialog.shown["type"] is FlowResultType.CREATE_ENTRY
    tariff = only_tariff(loaded)
    assert tariff.title == "Grid from 2026-01-01 · 0.277"
    assert tariff.subentry_type == "tariff"
    assert tariff.data == {
        "component": "grid",
        "meters": [],
        "valid_from": "2026-01-01",
        "pricing": "fixed",
        "price": 0.277,
        "monthly_fee": 7.4,
        "dashboard": False,
    }
    assert loaded.state is ConfigEntryState.LOADED
    assert len(cloud.requests) == asked


async def test_hours_of_our_own(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """With holidays, seasons, and prices of their own; all times of the day covered."""
    hass.states.async_set("binary_sensor.workday", "on")
    dialog = await at_times(hass, loaded)
    summer = ["apr", "may", "jun", "jul", "aug", "sep"]
    await dialog.submit(
        price=0.2,
        zones=[
            {"from": "07:00:00", "to": "20:00:00", "price": 0.3, "days": WEEK},
            {
                "from": "11:00:00",
                "to": "16:00:00",
                "price": -0.01,
                "days": [],
                "months": summer,
            },
        ],
        workday="binary_sensor.workday",
    )
    await dialog.submit()
    tariff = only_tariff(loaded)
    assert tariff.title == "Grid from 2026-01-01 · 0.30/-0.01/0.20"
    assert tariff.data == GRID | {
        "meters": [],
        "pricing": "times",
        "price": 0.2,
        "zones": [
            {"price": 0.3, "from": "07:00:00", "to": "20:00:00", "days": WEEK},
            {"price": -0.01, "from": "11:00:00", "to": "16:00:00", "months": summer},
        ],
        "workday": "binary_sensor.workday",
        "dashboard": True,
    }


PRESETS: dict[str, list[tuple[str, str, list[str] | None]]] = {
    "mon_fri_07_20": [("07:00:00", "20:00:00", WEEK)],
    "mon_sat_06_21": [("06:00:00", "21:00:00", [*WEEK, "sat"])],
    "daily_07_21": [("07:00:00", "21:00:00", None)],
    "mon_fri_06_12_18_24": [
        ("06:00:00", "12:00:00", WEEK),
        ("18:00:00", "00:00:00", WEEK),
    ],
    "daily_07_12_17_23": [
        ("07:00:00", "12:00:00", None),
        ("17:00:00", "23:00:00", None),
    ],
}


@pytest.mark.parametrize("preset", PRESETS)
async def test_two_prices_and_usual_hours(
    hass: HomeAssistant, loaded: MockConfigEntry, preset: str
) -> None:
    dialog = await at_times(hass, loaded)
    await dialog.submit(preset=preset, high_price=0.2921, price=0.1834)
    assert dialog.step == "confirm"
    await dialog.submit()
    tariff = only_tariff(loaded)
    assert tariff.title == "Grid from 2026-01-01 · 0.2921/0.1834"
    assert tariff.data["zones"] == [
        {"price": 0.2921, "from": start, "to": end} | ({"days": days} if days else {})
        for start, end, days in PRESETS[preset]
    ]


async def test_usual_hours_can_be_changed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A preset fills in its hours in place of others; then a person goes on."""
    dialog = await at_times(hass, loaded)
    await dialog.submit(preset="mon_fri_07_20")
    assert dialog.step == "times"
    assert dialog.errors == {}
    hours = [{"from": "07:00:00", "to": "20:00:00", "days": WEEK}]
    assert dialog.filled == {"zones": hours}
    other = [{"from": "05:00:00", "to": "06:00:00", "price": 0.4}]
    await dialog.submit(preset="mon_fri_07_20", high_price=0.3, price=0.2, zones=other)
    assert dialog.filled == {"high_price": 0.3, "price": 0.2, "zones": hours}
    hours[0]["to"] = "19:00:00"
    await dialog.submit(**dialog.filled | {"zones": hours})
    await dialog.submit()
    assert only_tariff(loaded).data["zones"] == [
        {"price": 0.3, "from": "07:00:00", "to": "19:00:00", "days": WEEK}
    ]


@pytest.mark.parametrize(
    ("price", "unit"), [(0.234, "CHF/kWh"), (23.4, "Rp./kWh"), (234, "CHF/MWh")]
)
async def test_price_of_an_entity(
    hass: HomeAssistant, loaded: MockConfigEntry, price: float, unit: str
) -> None:
    price_entity(hass, price, unit)
    dialog = await at_entity(hass, loaded)
    await dialog.submit(entity_id="sensor.price", surcharge=0.0276, vat=8.1)
    assert dialog.facts["title"] == "Grid from 2026-01-01 · price"
    await dialog.submit()
    assert only_tariff(loaded).data == GRID | {
        "meters": [],
        "pricing": "entity",
        "entity_id": "sensor.price",
        "surcharge": 0.0276,
        "vat": 8.1,
        "dashboard": True,
    }


async def test_for_some_meters(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Listed are those whose energy is bought, with their kind; the title has names."""
    flats = [site.meter(f"Appartement {n}").id for n in ("1.1", "2.1")]
    dialog = await Dialog.add(hass, loaded)
    offered = {each["label"] for each in dialog.fields["meters"].config["options"]}
    assert "Appartement 1.1 (Electricity consumption)" in offered
    assert not [label for label in offered if "solaire" in label]
    await dialog.submit(**GRID, meters=flats[::-1], pricing="fixed")
    await dialog.submit(price=0.25)
    await dialog.submit()
    tariff = only_tariff(loaded)
    assert tariff.data["meters"] == sorted(flats)
    names = ", ".join(str(site.meter(id_).name) for id_ in sorted(flats))
    assert tariff.title == f"Grid ({names}) from 2026-01-01 · 0.25"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("de", "Netz ab 2026-01-01 · 0.28"),
        ("fr", "Réseau dès le 2026-01-01 · 0.28"),
        ("it", "Rete dal 2026-01-01 · 0.28"),
    ],
)
async def test_titles_in_the_language_of_the_system(
    hass: HomeAssistant, loaded: MockConfigEntry, language: str, title: str
) -> None:
    hass.config.language = language
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**GRID, pricing="fixed")
    await dialog.submit(price=0.28)
    assert dialog.facts["title"] == title


# --- What is refused ------------------------------------------------------------------


@pytest.mark.parametrize("day", ["1926-01-01", "2226-01-01"])
async def test_an_unlikely_date(
    hass: HomeAssistant, loaded: MockConfigEntry, day: str
) -> None:
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(component="grid", valid_from=day, pricing="fixed")
    assert dialog.errors == {"valid_from": "unlikely_date"}
    assert dialog.filled["valid_from"] == day
    await dialog.submit(**GRID, pricing="fixed")
    assert dialog.step == "fixed"


async def test_what_is_no_date(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    dialog = await Dialog.add(hass, loaded)
    with pytest.raises(InvalidData):
        await dialog.submit(component="grid", valid_from="tomorrow", pricing="fixed")
    await dialog.submit(**GRID, pricing="fixed")
    assert dialog.step == "fixed"


async def test_rappen_typed_for_francs(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**GRID, pricing="fixed")
    assert "confirmed" not in dialog.fields
    await dialog.submit(price=27.7)
    assert dialog.step == "fixed"
    assert dialog.errors == {"base": "in_rappen"}
    assert dialog.filled["price"] == 27.7
    await dialog.submit(price=27.7)
    assert dialog.errors == {"base": "in_rappen"}
    await dialog.submit(price=27.7, confirmed=True)
    await dialog.submit()
    assert only_tariff(loaded).data["price"] == 27.7
    assert "confirmed" not in only_tariff(loaded).data


async def test_rappen_put_right(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Two francs are believed; also a negative price can be too much."""
    dialog = await at_times(hass, loaded)
    hours = [{"from": "07:00:00", "to": "20:00:00"}]
    await dialog.submit(high_price=-2.01, price=0.2, zones=hours)
    assert dialog.errors == {"base": "in_rappen"}
    await dialog.submit(high_price=2.0, price=0.2, zones=hours, confirmed=False)
    assert dialog.step == "confirm"


async def test_an_entity_in_rappen_that_says_francs(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    price_entity(hass, 23.4, "CHF/kWh")
    dialog = await at_entity(hass, loaded)
    await dialog.submit(entity_id="sensor.price")
    assert dialog.errors == {"base": "in_rappen"}
    price_entity(hass, 0.234, "CHF/kWh")
    await dialog.submit(entity_id="sensor.price")
    assert dialog.step == "confirm"


@pytest.mark.parametrize("unit", ["EUR/kWh", "CHF", "CHF/m³", "kWh", None])
async def test_an_entity_that_tells_no_price(
    hass: HomeAssistant, loaded: MockConfigEntry, unit: str | None
) -> None:
    price_entity(hass, 0.2, unit)
    dialog = await at_entity(hass, loaded)
    await dialog.submit(entity_id="sensor.price", vat=8.1)
    assert dialog.errors == {"entity_id": "no_price_per_energy"}
    assert dialog.filled == {"entity_id": "sensor.price", "vat": 8.1}
    await dialog.submit(entity_id="sensor.other")
    assert dialog.errors == {"entity_id": "no_such_entity"}
    price_entity(hass, "unavailable", "CHF/kWh")
    await dialog.submit(entity_id="sensor.price")
    assert dialog.step == "confirm"


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"price": 0.2}, {"zones": "no_zones"}),
        ({"price": 0.2, "zones": []}, {"zones": "no_zones"}),
        (
            {"price": 0.2, "zones": [{"from": "07:00:00", "to": "20:00:00"}]},
            {"high_price": "zone_without_price"},
        ),
        (
            {"high_price": 0.3, "zones": [{"from": "07:00:00", "to": "20:00:00"}]},
            {"price": "hole"},
        ),
        (
            {
                "high_price": 0.3,
                "zones": [
                    {"from": "00:00:00", "to": "00:00:00", "days": WEEK},
                    {"from": "00:00:00", "to": "23:59:00", "days": ["sat", "sun"]},
                ],
            },
            {"price": "hole"},
        ),
    ],
)
async def test_times_without_a_price(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    typed: dict[str, Any],
    errors: dict[str, str],
) -> None:
    dialog = await at_times(hass, loaded)
    await dialog.submit(**typed)
    assert dialog.step == "times"
    assert dialog.errors == errors
    assert dialog.filled == typed
    whole = [{"from": "00:00:00", "to": "00:00:00"}]
    await dialog.submit(high_price=0.3, zones=whole)
    assert dialog.step == "confirm"


async def test_two_versions_of_one_day(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """For the same component and meters; others may begin on the same day."""
    flat = site.meter("Appartement 1.1").id
    for more in ({}, {"meters": [flat]}, {"component": "solar"}):
        dialog = await Dialog.add(hass, loaded)
        typed: dict[str, Any] = GRID | {"pricing": "fixed"} | more
        await dialog.submit(**typed)
        await dialog.submit(price=0.2)
        await dialog.submit()
        dialog = await Dialog.add(hass, loaded)
        await dialog.submit(**typed)
        assert dialog.errors == {"valid_from": "same_day"}
        await dialog.submit(**typed | {"valid_from": "2026-01-02"})
        assert dialog.step == "fixed"


async def test_two_forms_at_the_same_time(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Who comes second is asked for another day, and loses nothing."""
    dialogs = [await Dialog.add(hass, loaded) for _ in range(2)]
    for dialog in dialogs:
        await dialog.submit(**GRID, pricing="fixed")
        await dialog.submit(price=0.2)
    first, second = dialogs
    await first.submit()
    await second.submit()
    assert second.step == "user"
    assert second.errors == {"valid_from": "same_day"}
    await second.submit(**second.filled | {"valid_from": "2026-02-01"})
    await second.submit(price=0.2)
    await second.submit()
    assert len(loaded.subentries) == 2


async def test_meters_that_do_not_measure_it(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    dialog = await Dialog.add(hass, loaded)
    typed: dict[str, Any] = {"valid_from": "2026-01-01", "pricing": "fixed"}
    flat = site.meter("Appartement 1.1").id
    await dialog.submit(component="feed_in", meters=[flat], **typed)
    assert dialog.errors == {"meters": "other_meters"}
    await dialog.submit(component="solar", meters=[flat], **typed)
    assert dialog.step == "fixed"


async def test_no_preview_while_the_recorder_does_not_serve(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The tariff can be kept all the same."""
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**GRID, pricing="fixed")
    with patch("homeassistant.components.recorder.core.Recorder.recording", False):
        await dialog.submit(price=0.2)
    assert dialog.step == "confirm"
    assert dialog.errors == {"base": "no_preview"}
    await dialog.submit()
    assert only_tariff(loaded).data["price"] == 0.2


async def test_not_while_the_site_is_not_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(loaded.entry_id)
    dialog = await Dialog.add(hass, loaded)
    assert dialog.shown["type"] is FlowResultType.ABORT
    assert dialog.shown["reason"] == "entry_not_loaded"


async def test_the_frontend_can_show_every_form(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """As the frontend goes through it: over HTTP, in JSON."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    address = "/api/config/config_entries/subentries/flow"

    async def send(path: str, typed: dict[str, Any]) -> dict[str, Any]:
        reply = await client.post(address + path, json=typed)
        assert reply.status == HTTPStatus.OK
        shown: dict[str, Any] = await reply.json()
        return shown

    price_entity(hass, 0.2, "CHF/kWh")

    async def begin(kind: str) -> dict[str, Any]:
        shown = await send("", {"handler": [loaded.entry_id, "tariff"]})
        shown = await send(f"/{shown['flow_id']}", GRID | {"pricing": kind})
        assert shown["step_id"] == kind
        return shown

    await begin("fixed")
    await begin("entity")
    shown = await begin("times")
    path = f"/{shown['flow_id']}"
    zones = next(each for each in shown["data_schema"] if each["name"] == "zones")
    assert set(zones["selector"]["object"]["fields"]) == {
        "from",
        "to",
        "price",
        "days",
        "months",
    }
    shown = await send(path, {"preset": "daily_07_21", "high_price": 3, "price": 1})
    assert shown["errors"] == {"base": "in_rappen"}
    zones = next(each for each in shown["data_schema"] if each["name"] == "zones")
    hours = zones["description"]["suggested_value"]
    typed = {"zones": hours, "high_price": 0.3, "price": 0.1}
    shown = await send(path, typed)
    assert shown["step_id"] == "confirm"
    shown = await send(path, {"dashboard": True})
    assert shown["type"] == "create_entry"


# --- What a site has ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "components"),
    [
        (sites.community(), ["grid", "solar", "feed_in"]),
        (sites.no_pv(), ["grid"]),
        (sites.heat_only(), ["heating", "cold_water", "hot_water"]),
    ],
    ids=["community", "without the sun", "heat and water"],
)
async def test_only_what_the_site_has(
    hass: HomeAssistant, loaded: MockConfigEntry, components: list[str]
) -> None:
    dialog = await Dialog.add(hass, loaded)
    assert dialog.fields["component"].config["options"] == components


def only(*types: str) -> SimulatedSite:
    """Return a site of which meters of these types alone are metered."""
    site = sites.community(charge_points=2)
    site.meters = [meter for meter in site.meters if meter.type in types]
    return site


@pytest.mark.parametrize("site", [only("charge_point")])
async def test_charge_points_alone(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """What they draw from grid and sun can have a price."""
    dialog = await Dialog.add(hass, loaded)
    assert dialog.fields["component"].config["options"] == ["grid", "solar"]
    meters = [meter.id for meter in site.meters]
    await dialog.submit(**GRID, meters=meters, pricing="fixed")
    assert dialog.step == "fixed"


def unpriced() -> SimulatedSite:
    """Return a site that has a meter of a kind of which nobody has told."""
    site = only()
    site.meters = [
        SimulatedMeter(
            id="63d9a1f000000000000000a1",
            name="Blindstrom",
            type="reactive",
            prim_ad=13,
            profile="household",
        )
    ]
    return site


@pytest.mark.parametrize("site", [unpriced()])
async def test_nothing_that_can_have_a_price(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    dialog = await Dialog.add(hass, loaded)
    assert dialog.shown["type"] is FlowResultType.ABORT
    assert dialog.shown["reason"] == "nothing_to_price"


@pytest.mark.parametrize("site", [sites.heat_only()])
async def test_water(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """In CHF per m³: four francs are usual; no entity tells such a price."""
    dialog = await Dialog.add(hass, loaded)
    typed = {"component": "cold_water", "valid_from": "2026-01-01"}
    await dialog.submit(**typed, pricing="entity")
    assert dialog.errors == {"pricing": "no_entity_for_water"}
    await dialog.submit(**typed, pricing="fixed")
    price = dialog.fields["price"]
    assert price.config["unit_of_measurement"] == "CHF/m³"
    await dialog.submit(price=415)
    assert dialog.errors == {"base": "in_rappen"}
    await dialog.submit(price=4.15)
    assert dialog.step == "confirm"
    assert dialog.facts["title"] == "Cold water from 2026-01-01 · 4.15"
    assert dialog.facts["energy"].endswith(" m³")


async def test_without_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Nothing is asked for that there is not."""
    entry = entry_for(site, meters=[])
    await set_up(hass, entry)
    dialog = await Dialog.add(hass, entry)
    assert "meters" not in dialog.fields


# --- Changed, and deleted -------------------------------------------------------------

STORED = GRID | {
    "meters": [],
    "pricing": "times",
    "price": 0.2,
    "zones": [{"price": 0.3, "from": "07:00:00", "to": "20:00:00", "days": WEEK}],
    "monthly_fee": 5.0,
    "dashboard": False,
}


def with_tariffs(
    site: SimulatedSite, *data: dict[str, Any], meters: list[str] | None = None
) -> MockConfigEntry:
    """Return an entry that has tariffs."""
    entry = entry_for(site, meters=meters)
    return MockConfigEntry(
        domain=entry.domain,
        entry_id=entry.entry_id,
        title=entry.title,
        unique_id=entry.unique_id,
        data=dict(entry.data),
        options=dict(entry.options),
        subentries_data=[
            ConfigSubentryData(
                data=each, subentry_type="tariff", title="A tariff", unique_id=None
            )
            for each in data
        ],
    )


async def test_change(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Every form has what was entered; the entry isn't reloaded, nothing is asked."""
    entry = with_tariffs(site, STORED)
    await set_up(hass, entry)
    await history_done(entry)
    runtime, asked = entry.runtime_data, len(cloud.requests)
    dialog = await Dialog.change(hass, entry, only_tariff(entry))
    keys = ("component", "meters", "valid_from", "pricing", "monthly_fee")
    assert dialog.filled == {key: STORED[key] for key in keys}
    await dialog.submit(**dialog.filled)
    hours = [{"from": "07:00:00", "to": "20:00:00", "days": WEEK}]
    assert dialog.filled == {"high_price": 0.3, "price": 0.2, "zones": hours}
    await dialog.submit(**dialog.filled | {"high_price": 0.31})
    assert dialog.step == "confirm"
    await dialog.submit()
    assert dialog.shown["type"] is FlowResultType.ABORT
    assert dialog.shown["reason"] == "reconfigure_successful"
    tariff = only_tariff(entry)
    assert tariff.title == "Grid from 2026-01-01 · 0.31/0.20"
    zone = {"price": 0.31, "from": "07:00:00", "to": "20:00:00", "days": WEEK}
    assert tariff.data == STORED | {"zones": [zone]}
    await hass.async_block_till_done()
    assert entry.runtime_data is runtime
    assert len(cloud.requests) == asked


async def test_change_to_another_kind(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Nothing of the old kind is left; the day may stay, or be another's."""
    entry = with_tariffs(site, STORED, STORED | {"valid_from": "2025-01-01"})
    await set_up(hass, entry)
    subentry = next(iter(entry.subentries.values()))
    dialog = await Dialog.change(hass, entry, subentry)
    typed = dialog.filled | {"pricing": "fixed"}
    await dialog.submit(**typed | {"valid_from": "2025-01-01"})
    assert dialog.errors == {"valid_from": "same_day"}
    del typed["monthly_fee"]
    await dialog.submit(**typed)
    assert dialog.filled == {}
    await dialog.submit(price=0.25)
    await dialog.submit(dashboard=True)
    assert entry.subentries[subentry.subentry_id].data == GRID | {
        "meters": [],
        "pricing": "fixed",
        "price": 0.25,
        "dashboard": True,
    }


async def test_change_when_entity_and_meter_are_gone(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """What was archived stays, so its surcharge can still be put right."""
    stored = GRID | {
        "meters": [site.meter("Appartement 1.1").id],
        "pricing": "entity",
        "entity_id": "sensor.price",
        "surcharge": 0.02,
    }
    entry = with_tariffs(site, stored, meters=[])
    await set_up(hass, entry)
    dialog = await Dialog.change(hass, entry, only_tariff(entry))
    await dialog.submit(**dialog.filled)
    await dialog.submit(entity_id="sensor.other")
    assert dialog.errors == {"entity_id": "no_such_entity"}
    await dialog.submit(entity_id="sensor.price", surcharge=0.03)
    assert dialog.step == "confirm"
    assert "sensor.price" in dialog.facts["title"]
    await dialog.submit(dashboard=False)
    changed = stored | {"surcharge": 0.03, "dashboard": False}
    assert only_tariff(entry).data == changed


async def test_stored_tariffs(
    hass: HomeAssistant, site: SimulatedSite, caplog: pytest.LogCaptureFixture
) -> None:
    """As the rest of the integration has them; what can't be read is left out."""
    entry = with_tariffs(site, STORED, {"component": "steam"}, STORED | {"price": 1})
    found = stored_tariffs(entry)
    assert [each.subentry_id for each in found] == [
        id_
        for id_, each in entry.subentries.items()
        if each.data != {"component": "steam"}
    ]
    assert [each.tariff for each in found] == [
        Tariff.from_dict(STORED),
        Tariff.from_dict(STORED | {"price": 1}),
    ]
    assert not found[0].in_dashboard
    assert "A tariff" in caplog.text
