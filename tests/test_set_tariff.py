"""The action that sets a tariff: it adds, replaces, refuses, and costs follow."""

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

CREATED = datetime(2026, 6, 1, 22, tzinfo=UTC)
FLAT = "Appartement 1.1"
GRID: dict[str, Any] = {"component": "grid", "valid_from": "2026-01-01", "price": 0.27}
ROUNDING = 0.002
"""CHF: an hour's energy is off by 0.0025 kWh at most, at half a franc or less."""

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=CREATED, water=True)


@pytest.fixture
async def loaded(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> MockConfigEntry:
    """Return the entry of the site, with its history in."""
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


@pytest.mark.parametrize("by", ["id", "device"])
async def test_meters_of_their_own(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite, by: str
) -> None:
    flat = meter = site.meter(FLAT).id
    if by == "device":
        found = dr.async_get(hass).async_get_device_by_identifier(
            (DOMAIN, flat), loaded.entry_id
        )
        assert found
        meter = found.id
    await set_tariff(hass, loaded, **GRID, meters=[meter])
    (version,) = versions(loaded)
    assert version["meters"] == [flat]
    assert await rows_of(hass, f"{DOMAIN}:{flat}_grid_consumption_cost")
    assert not await costs(hass, site)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"component": "heating"}, "nothing that this prices"),
    ({"meters": ["nowhere"]}, "does not measure"),
    ({"valid_from": "1926-01-01"}, "too far away"),
    ({"price": 29.0}, "Rappen"),
    ({"pricing": "entity", "entity_id": "sensor.none"}, "does not exist"),
    ({"pricing": "entity", "entity_id": "sensor.power"}, "not a price per energy"),
    ({"pricing": "times"}, "usual hours"),
    (
        {"component": "cold_water", "pricing": "entity", "entity_id": "sensor.price"},
        "Water cannot be priced",
    ),
    ({"price": None, "pricing": "entity"}, "entity_id: missing"),
]


@pytest.mark.parametrize(("data", "words"), REFUSED)
async def test_what_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any], words: str
) -> None:
    """In the words of the form, and nothing is half done."""
    hass.states.async_set("sensor.power", "7", {"unit_of_measurement": "W"})
    hass.states.async_set("sensor.price", "0.2", {"unit_of_measurement": "CHF/kWh"})
    wanted = {key: some for key, some in (GRID | data).items() if some is not None}
    with pytest.raises(ServiceValidationError, match=words):
        await set_tariff(hass, loaded, **wanted)
    assert not versions(loaded)


async def test_what_is_confirmed(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    await set_tariff(hass, loaded, **(GRID | {"price": 2.5, "confirmed": True}))
    (version,) = versions(loaded)
    assert version["price"] == 2.5
    assert "confirmed" not in version


@pytest.mark.parametrize(
    "data",
    [
        {"component": "gas"},
        {"price": "dear"},
        {"valid_from": "soon"},
        {"zones": [{"price": 0.2, "from": "07:00"}]},
        {"zones": [{"price": 0.2, "from": "07:00", "to": 90_000}]},
        {"zones": [{"price": 0.2, "from": True, "to": "08:00"}]},
        {"days": ["mon"]},
    ],
)
async def test_what_is_no_tariff(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await set_tariff(hass, loaded, **(GRID | data))
    assert not versions(loaded)


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
