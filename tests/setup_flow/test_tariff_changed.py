"""Tariffs that are changed, and what the rest of the integration gets of them."""

from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.metering.tariff import Tariff
from custom_components.climkit.statistics.tariff_versions import stored_tariffs

from ..conftest import NOW, entry_for, history_done, set_up
from ..simulator import SimulatedSite, Simulator
from .tariff_dialog import GRID, WEEK, Dialog, only_tariff

pytestmark = pytest.mark.freeze_time(NOW)


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
