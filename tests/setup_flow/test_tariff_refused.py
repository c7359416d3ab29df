"""What no tariff can be: each error, and that it can be put right."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import NOW
from ..simulator import SimulatedSite
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


async def test_an_unlikely_date(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """Or what is no date at all."""
    for day in ("1926-01-01", "2226-01-01"):
        with subtests.test(day):
            dialog = await Dialog.add(hass, loaded)
            await dialog.submit(component="grid", valid_from=day, pricing="fixed")
            assert dialog.errors == {"valid_from": "unlikely_date"}
            assert dialog.filled["valid_from"] == day
            await dialog.submit(**GRID, pricing="fixed")
            assert dialog.step == "fixed"
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


async def test_an_entity_that_tells_no_price(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    for unit in ("EUR/kWh", "CHF", "CHF/m³", "kWh", None):
        with subtests.test(unit=unit):
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


WITHOUT_A_PRICE: list[tuple[dict[str, Any], dict[str, str]]] = [
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
]


async def test_times_without_a_price(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    for typed, errors in WITHOUT_A_PRICE:
        with subtests.test(str(typed)):
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
