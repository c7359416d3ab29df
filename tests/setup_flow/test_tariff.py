"""Tariffs in the user interface: what is kept of what was typed."""

from http import HTTPStatus
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from ..conftest import NOW, history_done
from ..simulator import SimulatedSite, Simulator
from ..tariffs import take_away
from .tariff_dialog import (
    GRID,
    WEEK,
    Dialog,
    at_entity,
    at_times,
    only_tariff,
    price_entity,
    three_flats,
)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


@pytest.fixture
def site() -> SimulatedSite:
    return three_flats()


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


async def test_two_prices_and_usual_hours(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    for preset, hours in PRESETS.items():
        with subtests.test(preset):
            dialog = await at_times(hass, loaded)
            await dialog.submit(preset=preset, high_price=0.2921, price=0.1834)
            assert dialog.step == "confirm"
            await dialog.submit()
            tariff = only_tariff(loaded)
            assert tariff.title == "Grid from 2026-01-01 · 0.2921/0.1834"
            assert tariff.data["zones"] == [
                {"price": 0.2921, "from": start, "to": end}
                | ({"days": days} if days else {})
                for start, end, days in hours
            ]
        await take_away(hass, loaded)


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


async def test_price_of_an_entity(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    for price, unit in ((0.234, "CHF/kWh"), (23.4, "Rp./kWh"), (234, "CHF/MWh")):
        with subtests.test(unit):
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
        await take_away(hass, loaded)


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


async def test_a_fee_of_nothing_is_none(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**GRID, pricing="fixed", monthly_fee=0)
    await dialog.submit(price=0.2)
    await dialog.submit()
    assert "monthly_fee" not in only_tariff(loaded).data


async def test_titles_in_the_language_of_the_system(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    for language, title in (
        ("de", "Netz ab 2026-01-01 · 0.28"),
        ("fr", "Réseau dès le 2026-01-01 · 0.28"),
        ("it", "Rete dal 2026-01-01 · 0.28"),
    ):
        with subtests.test(language):
            hass.config.language = language
            dialog = await Dialog.add(hass, loaded)
            await dialog.submit(**GRID, pricing="fixed")
            await dialog.submit(price=0.28)
            assert dialog.facts["title"] == title


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
