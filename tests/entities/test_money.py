"""Prices, costs and compensations: by the clock, from the model, and gone with tariffs."""

from datetime import UTC, datetime, timedelta
from unittest.mock import AsyncMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.climkit.const import DOMAIN

from ..conftest import NOW, history_done, later, set_up
from ..simulator import SimulatedSite, Simulator, sites
from ..tariffs import DAY, add_tariff

MIDNIGHT = datetime(2026, 6, 15, 22, tzinfo=UTC)
"""In Zurich: the site begins then."""
SEVEN = datetime(2026, 6, 16, 5, tzinfo=UTC)
"""In Zurich."""

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def site(request: pytest.FixtureRequest) -> SimulatedSite:
    """Return a plant and two flats, or what a test asks for."""
    if wanted := getattr(request, "param", None):
        asked_for: SimulatedSite = wanted
        return asked_for
    return sites.many(1, created=MIDNIGHT)[0]


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry, set up, with all of its short history."""
    await set_up(hass, entry)
    await history_done(entry)
    await settle(hass)
    return entry


async def settle(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


async def recalculated(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Wait until what changed in a row is worked out, which is done once for all."""
    await settle(hass)
    await later(hass, freezer, timedelta(seconds=11))


def entity(hass: HomeAssistant, unique_id: str) -> str | None:
    return er.async_get(hass).async_get_entity_id("sensor", DOMAIN, unique_id)


def value(hass: HomeAssistant, unique_id: str) -> float | str:
    """Return the state of a sensor, as a number if it is one."""
    id_ = entity(hass, unique_id)
    assert id_
    state = hass.states.get(id_)
    assert state
    try:
        return float(state.state)
    except ValueError:
        return state.state


def known(
    entry: MockConfigEntry, site: SimulatedSite, column: str
) -> dict[datetime, float]:
    """Return what the model holds of the quarter hours that are published."""
    newest = entry.runtime_data.live[0].data.newest
    assert newest > SEVEN
    amounts = site.model("electricity", "15T", MIDNIGHT, newest)[column]
    return dict(amounts)


async def test_cost_today_by_the_clock(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each quarter hour at its own price: 0.20 before seven, 0.30 since."""
    add_tariff(hass, loaded, "grid", pricing="times", price=0.20, zones=[DAY])
    await recalculated(hass, freezer)
    expected = sum(
        energy * (0.30 if start >= SEVEN else 0.20)
        for start, energy in known(loaded, site, "from_ext").items()
    )
    assert expected > 0
    assert value(hass, f"{site.id}_cost_today") == pytest.approx(expected, abs=0.02)
    assert value(hass, f"{site.id}_cost_this_month") == pytest.approx(
        expected, abs=0.02
    )
    id_ = entity(hass, f"{site.id}_cost_today")
    attributes = hass.states.get(id_ or "").attributes  # type: ignore[union-attr]
    assert attributes["device_class"] == "monetary"
    assert attributes["unit_of_measurement"] == "CHF"
    assert "state_class" not in attributes


async def test_flat_and_compensation(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A flat pays the grid's and the sun's share; the site is paid for its export."""
    add_tariff(hass, loaded, "grid", price=0.30)
    add_tariff(hass, loaded, "solar", price=0.18)
    add_tariff(hass, loaded, "feed_in", price=0.10)
    await recalculated(hass, freezer)
    flat = site.meter("Appartement 1.1")
    expected = 0.30 * sum(known(loaded, site, f"ext_{flat.id}").values())
    expected += 0.18 * sum(known(loaded, site, f"self_{flat.id}").values())
    assert expected > 0
    assert value(hass, f"{flat.id}_cost_today") == pytest.approx(expected, abs=0.02)
    export = 0.10 * sum(known(loaded, site, "to_ext").values())
    assert export > 0
    for key in ("compensation_today", "compensation_this_month"):
        assert value(hass, f"{site.id}_{key}") == pytest.approx(export, abs=0.02)
    # Without a price of its own, the flat's is the site's, and shown once.
    assert entity(hass, f"{flat.id}_grid_price") is None
    assert value(hass, f"{site.id}_grid_price") == 0.30


async def test_stored_hours_are_not_counted_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The first hour is stored with 5 CHF, and yesterday's last with 7, for the month."""
    rows = {MIDNIGHT: 5.0, MIDNIGHT - timedelta(hours=1): 7.0}
    stored = {f"climkit:{site.id}_grid_import_cost": rows}
    with patch.object(
        loaded.runtime_data.pricing.stored,
        "async_costs",
        AsyncMock(return_value=stored),
    ):
        add_tariff(hass, loaded, "grid", price=0.30)
        await recalculated(hass, freezer)
    rest = 0.30 * sum(
        energy
        for start, energy in known(loaded, site, "from_ext").items()
        if start >= MIDNIGHT + timedelta(hours=1)
    )
    today = value(hass, f"{site.id}_cost_today")
    assert today == pytest.approx(5 + rest, abs=0.02)
    month = value(hass, f"{site.id}_cost_this_month")
    assert month == pytest.approx(12 + rest, abs=0.02)


async def test_price_changes_on_the_quarter_hour(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At eight in the evening to the second, and no request is needed for it."""
    add_tariff(hass, loaded, "grid", pricing="times", price=0.20, zones=[DAY])
    await settle(hass)
    eight = datetime(2026, 6, 16, 18, tzinfo=UTC)
    freezer.move_to(eight - timedelta(seconds=1))
    async_fire_time_changed(hass)
    await settle(hass)
    assert value(hass, f"{site.id}_grid_price") == 0.30
    asked = len(cloud.requests)
    freezer.move_to(eight)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert value(hass, f"{site.id}_grid_price") == 0.20
    assert len(cloud.requests) == asked
    id_ = entity(hass, f"{site.id}_grid_price")
    attributes = hass.states.get(id_ or "").attributes  # type: ignore[union-attr]
    assert attributes["unit_of_measurement"] == "CHF/kWh"
    assert attributes["state_class"] == "measurement"
    assert "device_class" not in attributes


async def test_month_has_fees(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """30 CHF over the 720 hours of June; twelve hours of the 16th are over."""
    add_tariff(hass, loaded, "grid", price=0.30, monthly_fee=30.0)
    await recalculated(hass, freezer)
    today = value(hass, f"{site.id}_cost_today")
    month = value(hass, f"{site.id}_cost_this_month")
    assert isinstance(today, float)
    assert isinstance(month, float)
    assert month - today == pytest.approx(12 * 30 / 720, abs=1e-6)


async def test_they_come_and_go_with_the_tariffs(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without a reload; and they come again."""
    registry = er.async_get(hass)
    before = {e.unique_id for e in registry.entities.values()}
    runtime = loaded.runtime_data
    flat = site.meter("Appartement 1.2")
    for _ in range(2):
        grid = add_tariff(hass, loaded, "grid", price=0.30)
        own = add_tariff(hass, loaded, "grid", price=0.25, meters=[flat.id])
        await recalculated(hass, freezer)
        assert value(hass, f"{flat.id}_grid_price") == 0.25
        assert isinstance(value(hass, f"{site.id}_cost_today"), float)
        hass.config_entries.async_remove_subentry(loaded, own.subentry_id)
        await settle(hass)
        assert entity(hass, f"{flat.id}_grid_price") is None
        assert entity(hass, f"{flat.id}_cost_today")
        hass.config_entries.async_remove_subentry(loaded, grid.subentry_id)
        await settle(hass)
        assert {e.unique_id for e in registry.entities.values()} == before
    assert loaded.runtime_data is runtime


async def test_nothing_can_be_said_before_the_first_day(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    add_tariff(hass, loaded, "grid", price=0.30, valid_from="2026-06-17")
    await recalculated(hass, freezer)
    for key in ("grid_price", "cost_today", "cost_this_month"):
        assert value(hass, f"{site.id}_{key}") == "unknown"


async def test_price_of_an_entity_is_what_it_says_now(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """20 Rp. and 5 Rp. on top, with 10 % of VAT: 0.275 CHF."""
    unit = {"unit_of_measurement": "Rp./kWh"}
    hass.states.async_set("sensor.price", "20", unit)
    add_tariff(
        hass,
        loaded,
        "grid",
        pricing="entity",
        entity_id="sensor.price",
        surcharge=0.05,
        vat=10,
    )
    await settle(hass)
    assert value(hass, f"{site.id}_grid_price") == pytest.approx(0.275)
    hass.states.async_set("sensor.price", "40", unit)
    await settle(hass)
    assert value(hass, f"{site.id}_grid_price") == pytest.approx(0.495)
    hass.states.async_set("sensor.price", "unavailable", unit)
    await settle(hass)
    assert value(hass, f"{site.id}_grid_price") == "unknown"


async def test_unpriced_hours_are_for_those_who_ask(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    add_tariff(hass, loaded, "grid", price=0.30)
    await settle(hass)
    id_ = entity(hass, f"{site.id}_unpriced_hours")
    found = er.async_get(hass).async_get(id_ or "")
    assert found
    assert found.disabled
    assert found.entity_category == "diagnostic"


@pytest.mark.parametrize(
    "site", [sites.community(water=True, created=MIDNIGHT)], indirect=True
)
async def test_cost_today_of_what_is_read_once_a_day_is_for_those_who_ask(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """It is unknown until tomorrow; what the month costs is not."""
    add_tariff(hass, loaded, "cold_water", price=4.0)
    add_tariff(hass, loaded, "grid", price=0.30)
    await settle(hass)
    registry = er.async_get(hass)
    water = next(meter for meter in site.meters if meter.type == "cold_water")
    flat = site.meter("Appartement 1.1")
    disabled = {}
    for owner, key in (
        (water, "cost_today"),
        (water, "cost_this_month"),
        (flat, "cost_today"),
        (site, "cost_today"),
    ):
        found = registry.async_get(entity(hass, f"{owner.id}_{key}") or "")
        assert found, (owner.name, key)
        disabled[owner.id, key] = found.disabled
    assert [key for key, value in disabled.items() if value] == [
        (water.id, "cost_today")
    ]
