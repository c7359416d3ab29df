"""A further version begins with the last one: a date and two numbers are typed."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import LATELY, NOW, entry_for, set_up
from ..simulator import SimulatedSite, Simulator, sites
from .tariff_dialog import Dialog, three_flats

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]

HOURS = [
    {"from": "07:00:00", "to": "12:00:00"},
    {"from": "17:00:00", "to": "23:00:00"},
]


@pytest.fixture
def site() -> SimulatedSite:
    return three_flats()


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry, set up."""
    await set_up(hass, entry)
    return entry


async def add(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    prices: dict[str, Any],
    typed: dict[str, Any],
    *,
    dashboard: bool = True,
) -> None:
    """Add a version."""
    dialog = await Dialog.add(hass, entry)
    await dialog.submit(**typed)
    await dialog.submit(**prices)
    await dialog.submit(dashboard=dashboard)


GRID: dict[str, Any] = {"component": "grid", "pricing": "times", "monthly_fee": 7.4}
SOLAR: dict[str, Any] = {"component": "solar", "pricing": "fixed"}
FIRST = {"valid_from": "2026-06-10"}
"""The day on which the site began, in Zurich."""
TWO_PRICES = {"preset": "daily_07_12_17_23", "high_price": 0.29, "price": 0.18}


async def test_the_first_version_begins_with_the_site(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The site began on 2026-06-10 in Zurich, which was 22:00 UTC of the day before."""
    dialog = await Dialog.add(hass, loaded)
    assert dialog.filled == {
        "component": "grid",
        "meters": [],
        "pricing": "fixed",
        "valid_from": "2026-06-10",
    }


async def test_a_site_that_does_not_tell_its_age(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    site.info["creation_date"] = None
    entry = entry_for(site)
    await set_up(hass, entry)
    dialog = await Dialog.add(hass, entry)
    assert dialog.filled["valid_from"] == "2026-01-01"


async def test_a_date_and_two_numbers(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """All the rest is as it was; the next year is offered as well."""
    await add(
        hass, loaded, TWO_PRICES, GRID | {"valid_from": "2026-01-01"}, dashboard=False
    )
    dialog = await Dialog.add(hass, loaded)
    assert dialog.filled == GRID | {"meters": [], "valid_from": "2027-01-01"}
    await dialog.submit(**dialog.filled)
    assert dialog.filled == {"high_price": 0.29, "price": 0.18, "zones": HOURS}
    await dialog.submit(**dialog.filled | {"high_price": 0.3, "price": 0.19})
    assert dialog.facts["title"] == "Grid from 2027-01-01 · 0.30/0.19"
    await dialog.submit()
    old, new = (dict(each.data) for each in loaded.subentries.values())
    assert new["zones"] == [{"price": 0.3} | zone for zone in HOURS]
    assert new == old | {
        "valid_from": "2027-01-01",
        "zones": new["zones"],
        "price": 0.19,
    }


async def test_zones_with_prices_of_their_own(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """They stay as they are."""
    zones = [
        dict(zone, price=price) for zone, price in zip(HOURS, (0.3, 0.4), strict=True)
    ]
    typed: dict[str, Any] = {
        "component": "grid",
        "pricing": "times",
        "valid_from": "2026-01-01",
    }
    await add(hass, loaded, {"price": 0.2, "zones": zones}, typed)
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**dialog.filled)
    assert dialog.filled == {"price": 0.2, "zones": zones}


async def test_the_newest_version_is_the_last(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """By its day, in whatever order they were added; and another kind has no prices."""
    for day, price in (("2026-01-01", 0.26), ("2025-01-01", 0.25)):
        await add(
            hass,
            loaded,
            {"price": price},
            {"component": "grid", "pricing": "fixed", "valid_from": day},
        )
    dialog = await Dialog.add(hass, loaded)
    assert dialog.filled["valid_from"] == "2027-01-01"
    await dialog.submit(**dialog.filled)
    assert dialog.filled == {"price": 0.26}
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**dialog.filled | {"pricing": "times"})
    assert dialog.filled == {}


async def test_after_a_pause_this_year_is_offered(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    typed: dict[str, Any] = {"component": "grid", "pricing": "fixed"}
    await add(hass, loaded, {"price": 0.2}, typed | {"valid_from": "2020-03-01"})
    dialog = await Dialog.add(hass, loaded)
    assert dialog.filled["valid_from"] == "2026-01-01"


async def test_what_is_due_is_offered(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """The component, or the meters, whose newest version is the oldest."""
    flat = site.meter("Appartement 1.1").id
    await add(hass, loaded, TWO_PRICES, GRID | {"valid_from": "2026-01-01"})
    await add(hass, loaded, {"price": 0.17}, SOLAR | {"valid_from": "2026-01-02"})
    await add(
        hass,
        loaded,
        {"price": 0.16},
        SOLAR | {"valid_from": "2026-01-03", "meters": [flat]},
    )
    for due in (("grid", []), ("solar", []), ("solar", [flat])):
        dialog = await Dialog.add(hass, loaded)
        assert (dialog.filled["component"], dialog.filled["meters"]) == due
        await dialog.submit(**dialog.filled)
        await dialog.submit(**dialog.filled)
        await dialog.submit()


async def test_a_fee_does_not_come_along_to_another_component(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Who only chooses another component gets the form filled for that one."""
    await add(hass, loaded, TWO_PRICES, GRID | {"valid_from": "2026-01-01"})
    dialog = await Dialog.add(hass, loaded)
    typed = dialog.filled | {"component": "solar", "valid_from": "2026-03-01"}
    await dialog.submit(**typed)
    assert dialog.step == "user"
    assert dialog.errors == {"base": "filled_anew"}
    del typed["monthly_fee"]
    assert dialog.filled == typed
    await dialog.submit(**typed)
    assert dialog.step == "times"
    assert dialog.filled == {}


async def test_what_was_typed_for_it_is_taken(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Without asking again."""
    await add(hass, loaded, TWO_PRICES, GRID | {"valid_from": "2026-01-01"})
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**SOLAR, valid_from="2026-03-01")
    assert dialog.step == "fixed"


async def test_the_first_version_of_another_component_begins_with_the_site(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Not on the day that was offered for the next version of what is priced already."""
    await add(hass, loaded, {"price": 0.3}, {**SOLAR, "component": "grid"} | FIRST)
    dialog = await Dialog.add(hass, loaded)
    assert dialog.filled["valid_from"] == "2027-01-01"
    await dialog.submit(**dialog.filled | {"component": "solar"})
    assert dialog.errors == {"base": "filled_anew"}
    assert dialog.filled == SOLAR | {"meters": []} | FIRST
    await dialog.submit(**dialog.filled)
    assert dialog.step == "fixed"


async def test_back_to_a_component_that_has_versions(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Offered was another one; its form is filled with its own last version."""
    await add(hass, loaded, {"price": 0.17}, SOLAR | {"valid_from": "2025-01-01"})
    await add(hass, loaded, TWO_PRICES, GRID | {"valid_from": "2026-02-01"})
    dialog = await Dialog.add(hass, loaded)
    assert dialog.filled["component"] == "solar"
    await dialog.submit(**dialog.filled | {"component": "grid"})
    assert dialog.step == "user"
    assert {key: dialog.filled[key] for key in GRID} == GRID
    await dialog.submit(**dialog.filled | {"valid_from": "2027-01-01"})
    assert dialog.filled["high_price"] == 0.29


@pytest.mark.parametrize("site", [sites.no_pv(created=LATELY)])
async def test_the_dashboard_is_offered_as_it_was_chosen(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    typed: dict[str, Any] = {"component": "grid", "pricing": "fixed"}
    await add(
        hass,
        loaded,
        {"price": 0.2},
        typed | {"valid_from": "2026-01-01"},
        dashboard=False,
    )
    dialog = await Dialog.add(hass, loaded)
    await dialog.submit(**dialog.filled)
    await dialog.submit(**dialog.filled)
    (field,) = dialog.shown["data_schema"].schema
    assert field.default() is False
