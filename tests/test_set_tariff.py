"""The action that sets a tariff: it adds, replaces, refuses, and costs follow."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for, history_done, set_up
from .ledger import HOUR, hours_of, rows_of
from .simulator import SimulatedSite, Simulator, sites
from .tariffs import take_away

CREATED = datetime(2026, 6, 5, 22, tzinfo=UTC)
"""Some days ago, with a Monday."""
FLAT = "Appartement 1.1"
GRID: dict[str, Any] = {"component": "grid", "valid_from": "2026-01-01", "price": 0.27}
HIGH: dict[str, Any] = {"price": 0.31, "from": "07:00", "to": "20:00"}
TIMES: dict[str, Any] = {"pricing": "times", "zones": [HIGH]}
ENTITY: dict[str, Any] = {
    "pricing": "entity",
    "price": None,
    "entity_id": "sensor.price",
}
ROUNDING = 0.002
"""CHF: an hour's energy is off by 0.0025 kWh at most, at half a franc or less."""

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


@pytest.fixture
def site() -> SimulatedSite:
    """Return a community of which one flat and the common parts are left."""
    whole = sites.community(created=CREATED, water=True)
    return sites.with_few(whole, "Parties", FLAT)


@pytest.fixture
async def loaded(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> MockConfigEntry:
    """Return the entry of the site, with its history in, beside sensors of others."""
    hass.states.async_set("sensor.power", "7", {"unit_of_measurement": "W"})
    hass.states.async_set("sensor.price", "0.2", {"unit_of_measurement": "CHF/kWh"})
    entry = entry_for(site, meters=[site.meter(FLAT).id])
    await hass.config.async_set_time_zone("Europe/Zurich")
    await set_up(hass, entry)
    await history_done(entry)
    return entry


async def set_tariff(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> None:
    await hass.services.async_call(
        DOMAIN,
        "set_tariff",
        {"config_entry_id": entry.entry_id, **data},
        blocking=True,
    )
    await hass.async_block_till_done(wait_background_tasks=True)


def versions(entry: MockConfigEntry) -> list[dict[str, Any]]:
    return [dict(subentry.data) for subentry in entry.subentries.values()]


async def costs(hass: HomeAssistant, site: SimulatedSite) -> dict[datetime, float]:
    """Return what the grid's energy cost by the hour, as it is stored."""
    rows = await rows_of(hass, f"{DOMAIN}:{site.id}_grid_import_cost")
    return {hour: state for hour, (state, _) in rows.items()}


def used(site: SimulatedSite) -> dict[datetime, float]:
    """Return what was really imported, by the hour."""
    now = dt_util.utcnow()
    return hours_of(site.model("electricity", "15T", CREATED, now, at=now)["from_ext"])


async def test_a_version_is_added_and_replaced(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite, cloud: Simulator
) -> None:
    """Costs follow in place: without a reload, and without a request."""
    before = len(cloud.requests)
    await set_tariff(hass, loaded, **GRID, monthly_fee=12.5)
    (version,) = versions(loaded)
    assert version == {
        "component": "grid",
        "meters": [],
        "valid_from": "2026-01-01",
        "pricing": "fixed",
        "price": 0.27,
        "monthly_fee": 12.5,
        "dashboard": False,
    }
    (subentry,) = loaded.subentries.values()
    assert subentry.subentry_type == "tariff"
    assert subentry.title == "Grid from 2026-01-01 · 0.27"
    stored = await costs(hass, site)
    model = {hour: some * 0.27 for hour, some in used(site).items() if hour in stored}
    assert len(stored) >= len(used(site)) - 2
    assert stored == pytest.approx(model, abs=ROUNDING)

    await set_tariff(hass, loaded, **(GRID | {"price": 0.31}))
    (version,) = versions(loaded)
    assert version["price"] == 0.31
    assert "monthly_fee" not in version
    assert list(loaded.subentries) == [subentry.subentry_id]
    model = {hour: some * 0.31 for hour, some in used(site).items() if hour in stored}
    assert await costs(hass, site) == pytest.approx(model, abs=ROUNDING)

    rise = datetime(2026, 6, 9, 22, tzinfo=UTC)
    earlier = {hour: c for hour, c in (await costs(hass, site)).items() if hour < rise}
    later = {"price": 0.4, "valid_from": "2026-06-10"}
    await set_tariff(hass, loaded, **(GRID | later))
    assert len(versions(loaded)) == 2
    stored = await costs(hass, site)
    assert {hour: c for hour, c in stored.items() if hour < rise} == earlier
    model = {h: some * 0.4 for h, some in used(site).items() if h in stored}
    since = {hour: c for hour, c in stored.items() if hour >= rise}
    assert since == pytest.approx(
        {hour: c for hour, c in model.items() if hour >= rise}, abs=ROUNDING
    )
    assert loaded.state is ConfigEntryState.LOADED
    assert len(cloud.requests) == before


async def test_zones_as_yaml_has_them(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Unquoted, YAML takes 20:00 for the number of minutes."""
    zones = [
        {"price": 0.31, "from": "07:00", "to": 20 * 60, "days": ["mon", "tue"]},
        {"price": 0.15, "from": "12:00:00", "to": 14 * 3600, "months": "jun"},
    ]
    await set_tariff(
        hass, loaded, **(GRID | {"pricing": "times", "price": 0.2, "zones": zones})
    )
    (version,) = versions(loaded)
    assert version["zones"] == [
        {"price": 0.31, "from": "07:00:00", "to": "20:00:00", "days": ["mon", "tue"]},
        {"price": 0.15, "from": "12:00:00", "to": "14:00:00", "months": ["jun"]},
    ]
    monday = datetime(2026, 6, 8, tzinfo=dt_util.get_time_zone("Europe/Zurich"))
    stored, energy = await costs(hass, site), used(site)
    for clock, price in ((6, 0.2), (7, 0.31), (12, 0.15), (14, 0.31), (20, 0.2)):
        hour = (monday + clock * HOUR).astimezone(UTC)
        assert stored[hour] == pytest.approx(energy[hour] * price, abs=ROUNDING)


async def test_meters_of_their_own(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Told by their ids, or by their devices."""
    flat = site.meter(FLAT).id
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, flat), loaded.entry_id
    )
    assert device
    for meter in (flat, device.id):
        await set_tariff(hass, loaded, **GRID, meters=[meter])
        (version,) = versions(loaded)
        assert version["meters"] == [flat]
        assert await rows_of(hass, f"{DOMAIN}:{flat}_grid_consumption_cost")
        assert not await costs(hass, site)
        await take_away(hass, loaded)
        assert not await rows_of(hass, f"{DOMAIN}:{flat}_grid_consumption_cost")


def wanted(data: dict[str, Any]) -> dict[str, Any]:
    """Return a price of the grid with changes; None takes something away."""
    return {key: some for key, some in (GRID | data).items() if some is not None}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"component": "heating"}, "nothing that this prices"),
    ({"meters": ["nowhere"]}, r"does not measure .*\(nowhere\)"),
    ({"valid_from": "1926-01-01"}, "too far away"),
    ({"price": 29.0}, "Rappen"),
    (ENTITY | {"entity_id": "sensor.none"}, "does not exist"),
    (ENTITY | {"entity_id": "sensor.power"}, "not a price per energy"),
    ({"pricing": "times"}, "usual hours"),
    (ENTITY | {"component": "cold_water"}, "Water cannot be priced"),
    (TIMES | {"price": None, "zones": [{**HIGH, "to": "19:00"}]}, "do not cover"),
]


async def test_what_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """In the words of the form, and nothing is half done."""
    for data, words in REFUSED:
        with subtests.test(str(data)):
            with pytest.raises(ServiceValidationError, match=words):
                await set_tariff(hass, loaded, **wanted(data))
            assert not versions(loaded)
        await take_away(hass, loaded)


async def test_what_is_confirmed(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """That is not kept, nor is a fee of nothing: it would be a statistic of zeros."""
    given = {"price": 2.5, "confirmed": True, "monthly_fee": 0}
    await set_tariff(hass, loaded, **(GRID | given))
    (version,) = versions(loaded)
    assert version["price"] == 2.5
    assert not {"confirmed", "monthly_fee"} & version.keys()


NO_TARIFF: list[tuple[dict[str, Any], str]] = [
    ({"component": "gas"}, "component"),
    ({"price": "dear"}, "price"),
    ({"price": True}, "price"),
    ({"price": float("inf")}, "price"),
    ({"price": None}, "price"),
    ({"valid_from": "soon"}, "valid_from"),
    ({"monthly_fee": -1}, "monthly_fee"),
    ({"zones": [{"price": 0.2, "from": "07:00"}]}, "to"),
    ({"zones": [{**HIGH, "to": 24 * 60 + 1}]}, "to"),
    ({"zones": [{**HIGH, "to": 59 * 60 + 59}]}, "to"),
    ({"zones": [{**HIGH, "to": 90_000}]}, "to"),
    ({"zones": [{**HIGH, "to": -1}]}, "to"),
    ({"zones": [{**HIGH, "from": True}]}, "from"),
    ({"zones": [{**HIGH, "price": False}]}, "price"),
    ({"days": ["mon"]}, "days"),
    ({"pricing": "fixed", "zones": [HIGH]}, "zones"),
    ({"workday": "binary_sensor.workday"}, "workday"),
    (TIMES | {"workday": "light.kitchen"}, "workday"),
    (TIMES | {"surcharge": 0.1}, "surcharge"),
    (ENTITY | {"price": 0.27}, "price"),
    (ENTITY | {"entity_id": "light.kitchen"}, "entity_id"),
    (ENTITY | {"entity_id": None}, "entity_id"),
    (ENTITY | {"vat": -8.1}, "vat"),
]


async def test_what_is_no_tariff(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """The field is named; nothing that was written is dropped without a word."""
    for data, field in NO_TARIFF:
        with subtests.test(str(data)):
            with pytest.raises(vol.Invalid) as refused:
                await set_tariff(hass, loaded, **wanted(data))
            assert refused.value.path[-1] == field
            assert not versions(loaded)
        await take_away(hass, loaded)


PRICINGS: list[tuple[dict[str, Any], str]] = [
    ({}, "fixed"),
    ({"price": 0.0}, "fixed"),
    ({"zones": [HIGH]}, "times"),
    (
        {"price": None, "zones": [HIGH, {**HIGH, "from": 20 * 60, "to": "07:00"}]},
        "times",
    ),
    (ENTITY | {"pricing": None, "surcharge": 0.12, "vat": 8.1}, "entity"),
]


async def test_the_kind_of_pricing_is_what_was_written(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """Whoever writes zones means prices by time."""
    for data, pricing in PRICINGS:
        with subtests.test(str(data)):
            await set_tariff(hass, loaded, **wanted(data))
            (version,) = versions(loaded)
            assert version["pricing"] == pricing
        await take_away(hass, loaded)


async def test_a_zone_until_midnight(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """As people write it, whether YAML takes it for text, for minutes or for seconds."""
    for midnight in ("24:00", 24 * 60, 24 * 3600, "00:00", 0):
        with subtests.test(midnight=midnight):
            zones = [HIGH | {"from": "18:00", "to": midnight}]
            await set_tariff(hass, loaded, **(GRID | TIMES | {"zones": zones}))
            (version,) = versions(loaded)
            (zone,) = version["zones"]
            assert (zone["from"], zone["to"]) == ("18:00:00", "00:00:00")
        await take_away(hass, loaded)


async def test_forty_calls_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A script may well run twice: one day has one version, the last one's."""
    await asyncio.gather(
        *(
            set_tariff(hass, loaded, **(GRID | {"price": 0.2 + number / 1000}))
            for number in range(40)
        )
    )
    (version,) = versions(loaded)
    assert version["price"] == pytest.approx(0.239)


async def test_in_the_language_of_the_system(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Titles and refusals are what people read."""
    hass.config.language = "fr"
    await set_tariff(hass, loaded, **GRID)
    (subentry,) = loaded.subentries.values()
    assert subentry.title == "Réseau dès le 2026-01-01 · 0.27"
    with pytest.raises(ServiceValidationError) as refused:
        await set_tariff(hass, loaded, **(GRID | {"component": "heating"}))
    placeholders = refused.value.translation_placeholders
    assert placeholders
    assert "rien qui soit payé ainsi" in placeholders["reason"]


async def test_an_entry_that_is_not_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError):
        await set_tariff(hass, loaded, **GRID)
    assert not versions(loaded)


async def test_the_dashboard_is_as_it_was(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A further version shows up where the one before does; nothing does by itself."""
    await set_tariff(hass, loaded, **GRID, dashboard=True)
    start = datetime(2026, 6, 2, tzinfo=UTC)
    for day in range(5):
        first = (start + timedelta(days=day)).date().isoformat()
        await set_tariff(hass, loaded, **(GRID | {"valid_from": first}))
    assert len(versions(loaded)) == 6
    assert all(version["dashboard"] for version in versions(loaded))
