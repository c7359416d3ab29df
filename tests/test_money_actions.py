"""What a period cost, as scripts are told: beside the readings, and as a bill.

Expected costs are the model's quarter hours, times prices from paper.
"""

from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from custom_components.climkit.history import stored_costs
from custom_components.climkit.statistics.updates import RecorderError

from .conftest import entry_for, history_done, set_up
from .history.pricing import HALVES, in_halves
from .ledger import hours_of
from .model_costs import ZURICH, cost, quarters
from .services.calls import by_start
from .simulator import Fault, SimulatedSite, Simulator, sites
from .tariffs import add_tariff

FLAT = "Appartement 1.1"
NOW = "2026-06-02T10:05:00+00:00"
"""Early in June: the month before is whole, and there is little besides to import."""
CREATED = datetime(2026, 4, 28, 22, tzinfo=UTC)
"""Two days before May."""
MAY = "2026-05-01T00:00:00", "2026-06-01T00:00:00"
FIRST = {"valid_from": "2026-01-01"}
GRID, SOLAR, FEED_IN = 0.27, 0.18, 0.09
"""CHF per kWh."""

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


@pytest.fixture
def created() -> datetime:
    return CREATED


@pytest.fixture
def site(created: datetime) -> SimulatedSite:
    """Return a community of which one flat and the common parts are left."""
    whole = sites.community(created=created, water=True)
    return sites.with_few(whole, "Parties", FLAT)


@pytest.fixture
async def loaded(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> MockConfigEntry:
    """Return the entry of the site, with its history in."""
    names = (FLAT, f"{FLAT} Eau froide")
    entry = entry_for(site, meters=[site.meter(name).id for name in names])
    await hass.config.async_set_time_zone("Europe/Zurich")
    await set_up(hass, entry)
    await history_done(entry)
    return entry


async def priced(
    hass: HomeAssistant, entry: MockConfigEntry, *versions: dict[str, Any]
) -> None:
    """Add versions, and let everything follow from them."""
    for version in versions:
        add_tariff(hass, entry, **(FIRST | version))
    await hass.async_block_till_done(wait_background_tasks=True)


async def call(
    hass: HomeAssistant, entry: MockConfigEntry, action: str, **data: Any
) -> Any:
    return await hass.services.async_call(
        DOMAIN,
        action,
        {"config_entry_id": entry.entry_id, **data},
        blocking=True,
        return_response=True,
    )


MONEY = pytest.approx
"""An hour's energy is rounded to the Wh."""


@pytest.mark.parametrize(
    ("start", "end", "created"),
    [
        (*MAY, CREATED),
        pytest.param(
            "2026-03-28T00:00:00",
            "2026-03-31T00:00:00",
            datetime(2026, 3, 24, 23, tzinfo=UTC),
            marks=pytest.mark.freeze_time("2026-04-10T10:05:00+00:00"),
        ),
    ],
)
async def test_costs_beside_readings(
    hass: HomeAssistant,
    site: SimulatedSite,
    loaded: MockConfigEntry,
    start: str,
    end: str,
    subtests: pytest.Subtests,
) -> None:
    """Over a month, and over the night of 23 hours."""
    await priced(
        hass,
        loaded,
        {"component": "grid", "price": GRID},
        {"component": "feed_in", "price": FEED_IN},
    )
    for period in ("quarter_hour", "hour", "day", "month"):
        with subtests.test(period=period):
            asked = {"start": start, "end": end, "period": period}
            reply = await call(hass, loaded, "get_readings", **asked)
            _are_beside_readings(reply["readings"], site, **asked)


def _are_beside_readings(
    readings: dict[str, Any], site: SimulatedSite, start: str, end: str, period: str
) -> None:
    """Compare costs with the model's."""
    money = {kind for kind, one in readings.items() if one["unit"] == "CHF"}
    assert money == {"grid_import_cost", "grid_export_compensation"}
    for kind, column, price in (
        ("grid_import_cost", "from_ext", GRID),
        ("grid_export_compensation", "to_ext", FEED_IN),
    ):
        used = quarters(site, column, start, end)
        assert used
        if period == "month" and not start.endswith("01T00:00:00"):
            used = {}  # no month begins in these days
        assert (readings[kind]["total"] or 0.0) == MONEY(cost(used, price), abs=0.05)
        values = by_start(readings[kind])
        assert sum(values.values()) == MONEY(readings[kind]["total"] or 0, abs=0.0001)
        if period == "hour":
            model = {at: some * price for at, some in hours_of(used).items()}
            assert values == MONEY(model, abs=0.001)
        if period == "quarter_hour":
            model = {at: some * price for at, some in used.items()}
            assert values == MONEY(model, abs=0.001)


async def test_no_money_without_a_tariff_or_before_it(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    asked = {"start": "2026-05-01T00:00:00", "end": "2026-05-11T00:00:00"}
    reply = await call(hass, loaded, "get_readings", **asked)
    assert all(one["unit"] != "CHF" for one in reply["readings"].values())
    later = {"valid_from": "2026-05-06"}
    await priced(hass, loaded, {"component": "grid", "price": GRID} | later)
    for period in ("quarter_hour", "hour", "day", "month"):
        reply = await call(hass, loaded, "get_readings", period=period, **asked)
        costs = reply["readings"]["grid_import_cost"]
        end = "2026-06-01T00:00:00" if period == "month" else asked["end"]
        used = quarters(site, "from_ext", "2026-05-06T00:00:00", end)
        assert costs["total"] == MONEY(cost(used, GRID), abs=0.02)


async def test_hours_that_are_not_stored_yet(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """The hour of the newest quarter hours, say: it is priced from what came."""
    await priced(hass, loaded, {"component": "grid", "price": GRID})
    reply = await call(hass, loaded, "get_readings", start="2026-06-02T00:00:00")
    energy = by_start(reply["readings"]["grid_import"])
    costs = by_start(reply["readings"]["grid_import_cost"])
    assert energy.keys() == costs.keys()
    assert costs == MONEY({at: some * GRID for at, some in energy.items()}, abs=0.001)


@pytest.mark.parametrize("period", ["hour", "day"])
async def test_readings_come_without_the_recorder(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    period: str,
) -> None:
    """The money of hours is calculated then; that of days is left out."""
    await priced(hass, loaded, {"component": "grid", "price": GRID})

    async def busy(*_: Any) -> None:
        raise RecorderError

    monkeypatch.setattr(stored_costs, "async_read", busy)
    reply = await call(
        hass, loaded, "get_readings", start="2026-06-01T00:00:00", period=period
    )
    assert reply["readings"]["grid_import"]["total"]
    total = reply["readings"]["grid_import_cost"]["total"]
    assert (total is not None) == (period == "hour")
    with pytest.raises(RecorderError):
        await call(hass, loaded, "get_statement")


async def test_the_bill_of_the_last_month(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Of the site: what it imports less what it is paid; the sun on the roof is free."""
    await priced(
        hass,
        loaded,
        {"component": "grid", "price": GRID, "monthly_fee": 12.0},
        {"component": "feed_in", "price": FEED_IN},
        {"component": "solar", "price": SOLAR},
    )
    bill = await call(hass, loaded, "get_statement")
    assert bill["start"] == "2026-05-01T00:00:00+02:00"
    assert bill["end"] == "2026-06-01T00:00:00+02:00"
    imported, exported = (quarters(site, key, *MAY) for key in ("from_ext", "to_ext"))
    grid, feed_in = bill["items"]
    assert grid == {
        "component": "grid",
        "price": GRID,
        "amount": MONEY(sum(imported.values()), abs=0.2),
        "unit": "kWh",
        "cost": MONEY(cost(imported, GRID), abs=0.05),
    }
    assert feed_in["component"] == "feed_in"
    assert feed_in["cost"] == MONEY(-cost(exported, FEED_IN), abs=0.05)
    assert bill["fees"] == MONEY(12.0, abs=0.0001)
    assert bill["total"] == MONEY(grid["cost"] + feed_in["cost"] + 12.0, abs=0.001)
    assert bill["currency"] == "CHF"
    assert bill["unpriced_hours"] == 0


async def test_the_bill_of_a_flat_whose_price_changes(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Its own price of the grid from the 16th on, the site's before; no fee of its own."""
    flat = site.meter(FLAT).id
    await priced(
        hass,
        loaded,
        {"component": "grid", "price": GRID, "monthly_fee": 12.0},
        {"component": "grid", "price": 0.31, "meters": [flat]}
        | {"valid_from": "2026-05-16"},
        {"component": "solar", "price": SOLAR},
        {"component": "cold_water", "price": 2.5},
    )
    period = {"start": "2026-05-01 00:00:00", "end": "2026-06-01 00:00:00"}
    bill = await call(hass, loaded, "get_statement", meter=flat, **period)
    half = "2026-05-16T00:00:00"
    parts = {
        ("grid", 0.31): quarters(site, f"ext_{flat}", half, period["end"]),
        ("grid", GRID): quarters(site, f"ext_{flat}", period["start"], half),
        ("solar", SOLAR): quarters(site, f"self_{flat}", *period.values()),
    }
    found = {(one["component"], one["price"]): one["cost"] for one in bill["items"]}
    assert list(found) == list(parts)
    for (component, price), used in parts.items():
        assert found[component, price] == MONEY(cost(used, price), abs=0.03)
    assert bill["fees"] == 0
    assert bill["total"] == MONEY(sum(found.values()), abs=0.001)
    water = site.meter(f"{FLAT} Eau froide").id
    bill = await call(hass, loaded, "get_statement", meter=water, **period)
    (item,) = bill["items"]
    used = quarters(
        site, f"total_{water}", period["start"], period["end"], "cold_water"
    )
    assert (item["component"], item["unit"]) == ("cold_water", "m³")
    assert item["cost"] == MONEY(cost(used, 2.5), abs=0.2)


@pytest.mark.parametrize(
    "fault",
    [None, {"kind": "status", "status": 400}, {"kind": "refuse"}],
    ids=["given", "refused", "away"],
)
async def test_hours_with_two_prices(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    cloud: Simulator,
    fault: dict[str, Any] | None,
) -> None:
    """They are divided as their quarter hours were; by time where these can't be had."""
    await priced(hass, loaded, {"component": "grid"} | HALVES)
    if fault:
        cloud.faults.add(Fault(path="site_data", **fault))
    period = {"start": "2026-05-01 00:00:00", "end": "2026-05-08 00:00:00"}
    bill = await call(hass, loaded, "get_statement", **period)
    day, night = bill["items"]
    used = quarters(site, "from_ext", *period.values())
    by_price = {
        price: sum(
            some
            for at, some in used.items()
            if in_halves(at.astimezone(ZURICH)) == price
        )
        for price in (0.30, 0.20)
    }
    exact = by_price == MONEY({0.30: day["amount"], 0.20: night["amount"]}, abs=0.05)
    assert exact == (fault is None)
    assert day["amount"] + night["amount"] == MONEY(sum(used.values()), abs=0.1)


async def test_hours_without_a_price_are_counted(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    later = {"valid_from": "2026-05-02"}
    await priced(hass, loaded, {"component": "grid", "price": GRID} | later)
    bill = await call(hass, loaded, "get_statement")
    first = "2026-05-01T00:00:00", "2026-05-02T00:00:00"
    used = hours_of(quarters(site, "from_ext", *first))
    assert bill["unpriced_hours"] == sum(round(some, 3) > 0 for some in used.values())


async def test_nothing_is_owed_without_a_tariff_or_in_the_future(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    bill = await call(hass, loaded, "get_statement")
    assert (bill["items"], bill["fees"], bill["total"]) == ([], 0, 0)
    fee = {"component": "grid", "price": GRID, "monthly_fee": 30.0}
    await priced(hass, loaded, fee)
    june = {"start": "2026-06-01 00:00:00", "end": "2026-07-01 00:00:00"}
    bill = await call(hass, loaded, "get_statement", **june)
    # It is the 2nd, five past twelve: a day and 13 begun hours, of 720.
    assert bill["fees"] == MONEY(30.0 * (24 + 13) / 720, abs=0.001)
    assert bill["end"] == "2026-06-02T12:05:00+02:00"
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, loaded, "get_statement", start="2026-07-01 00:00:00")
    assert caught.value.translation_key == "end_before_start"


async def test_a_meter_without_a_tariff_does_not_owe_the_fees_of_the_site(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    fee = {"component": "grid", "price": GRID, "monthly_fee": 12.0}
    await priced(hass, loaded, fee)
    water = site.meter(f"{FLAT} Eau froide").id
    bill = await call(hass, loaded, "get_statement", meter=water)
    assert (bill["items"], bill["fees"], bill["total"]) == ([], 0, 0)
