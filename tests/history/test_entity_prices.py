"""Entities' prices, and days off, in real rows: from means, from states, and live.

Prices are on paper, energy is the model's.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from tests.conftest import NOW, later
from tests.ledger import HOUR, rows_of
from tests.simulator import SimulatedSite, Simulator, sites
from tests.statistics.price_times import PRICE
from tests.statistics.told_prices import means, tell

from .pricing import (
    CREATED,
    add,
    assert_costs,
    flat,
    model_costs,
    quarter_questions,
    remove,
    started,
)

pytestmark = pytest.mark.freeze_time(NOW)

WORKDAY = "binary_sensor.workday"
QUARTER = timedelta(minutes=15)
SEVENTH = datetime(2026, 6, 7, tzinfo=UTC)
"""The recorder has states of ten days and one more: all from here on."""

TOLD = {
    SEVENTH: 0.20,
    datetime(2026, 6, 10, 3, 20, tzinfo=UTC): 0.30,
    datetime(2026, 6, 12, 18, 44, 58, tzinfo=UTC): -0.05,  # at the last second
    datetime(2026, 6, 14, 4, 30, tzinfo=UTC): 0.0,
    datetime(2026, 6, 15, 12, 59, 59, 500_000, tzinfo=UTC): 0.25,  # too late for 12:45
}
"""When the entity tells another price, in CHF/kWh."""


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site: columns that nobody reads cost time."""
    return sites.many(1, created=CREATED)[0]


def mean_of(hour: datetime) -> float:
    """Return the mean price of an hour of which only that is known: one each."""
    return 0.15 + hour.hour / 200


async def remember(hass: HomeAssistant, unit: str, per_chf: float) -> None:
    """Let the recorder have means of the days before the states, and these."""
    hours = [CREATED + n * HOUR for n in range((SEVENTH - CREATED) // HOUR)]
    await means(hass, {hour: mean_of(hour) * per_chf for hour in hours}, unit)
    for at, price in TOLD.items():
        tell(hass, price * per_chf, at, unit)
    await async_wait_recording_done(hass)


def price_of(start: datetime, told: dict[datetime, float]) -> float:
    """Return what the quarter hour cost: as told by its last second."""
    if start < SEVENTH:
        return mean_of(start)
    moments = sorted(told)
    last = start + QUARTER - timedelta(seconds=1)
    return told[moments[bisect_right(moments, last) - 1]]


def costs_of(
    site: SimulatedSite, column: str, price: Callable[[datetime], float]
) -> dict[datetime, float]:
    return model_costs(site, lambda at: price(at.astimezone(UTC)), column)


@pytest.mark.parametrize(
    ("unit", "per_chf"), [("Rp./kWh", 100), ("ct/kWh", 100), ("CHF/MWh", 1000)]
)
async def test_history_is_priced(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    unit: str,
    per_chf: float,
) -> None:
    """By means, then by states; with what comes on top, and VAT on both."""
    await started(hass, entry)
    await remember(hass, unit, per_chf)
    before = len(cloud.requests)
    await add(
        hass,
        entry,
        "grid",
        pricing="entity",
        entity_id=PRICE,
        surcharge=0.1,
        vat=8.1,
    )
    # Hours with two prices: on the 10th; on the 12th and the 14th, fetched together.
    assert quarter_questions(cloud, before) == 2

    def price(start: datetime) -> float:
        return (price_of(start, TOLD) + 0.1) * 1.081

    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, costs_of(site, "from_ext", price))
    me = flat(site)
    rows = await rows_of(hass, f"climkit:{me}_grid_consumption_cost")
    assert_costs(rows, costs_of(site, f"ext_{me}", price))
    assert entry.runtime_data.pricing.unpriced_hours == 0


async def test_what_is_told_live(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Quarter by quarter; over a restart; and no longer once the entity is gone."""
    told = dict(TOLD)
    await started(hass, entry)
    await remember(hass, "CHF/kWh", 1)
    await add(hass, entry, "grid", pricing="entity", entity_id=PRICE)
    id_ = f"climkit:{site.id}_grid_import_cost"
    start = datetime(2026, 6, 16, 10, 15, tzinfo=UTC)
    for n in range(6):
        price = 0.10 + n / 100
        await pass_by(hass, freezer, start + n * QUARTER)
        tell(hass, price)
        told[start + n * QUARTER] = price
        await pass_by(hass, freezer, start + n * QUARTER + timedelta(seconds=899.5))
        if n == 2:
            await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done(wait_background_tasks=True)
    gone = start + 6 * QUARTER
    hass.states.async_remove(PRICE)
    for _ in range(5):
        await later(hass, freezer, HOUR)
    rows = await rows_of(hass, id_)
    model = costs_of(site, "from_ext", lambda at: price_of(at, told))
    energy = await rows_of(hass, f"climkit:{site.id}_grid_import")
    priced = {h: cost for h, cost in model.items() if h + HOUR <= gone and h in energy}
    assert_costs(rows, priced)
    without = [hour for hour, row in energy.items() if hour not in priced and row[0]]
    assert without
    assert entry.runtime_data.pricing.unpriced_hours == len(without)
    # It stays so without the entity, whatever is asked again.
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await entry.runtime_data.audit.async_run()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await rows_of(hass, id_) == rows
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def pass_by(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: datetime
) -> None:
    freezer.move_to(moment)
    async_fire_time_changed(hass, moment)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_another_entity(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """One that was never heard of prices nothing; the first one's prices are kept."""
    await started(hass, entry)
    await remember(hass, "CHF/kWh", 1)
    first = await add(hass, entry, "grid", pricing="entity", entity_id=PRICE)
    id_ = f"climkit:{site.id}_grid_import_cost"
    rows = await rows_of(hass, id_)
    await remove(hass, entry, first)
    second = await add(hass, entry, "grid", pricing="entity", entity_id="sensor.other")
    assert not await rows_of(hass, id_)
    await remove(hass, entry, second)
    hass.states.async_remove(PRICE)
    await add(hass, entry, "grid", pricing="entity", entity_id=PRICE)
    again = await rows_of(hass, id_)
    assert again == {hour: pytest.approx(row, abs=1e-6) for hour, row in rows.items()}


async def test_days_off(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Corpus Christi is a Thursday: at the price of Sundays, once the sensor has told."""
    off = {date(2026, 6, 4), date(2026, 6, 17)}
    await started(hass, entry)
    zones = [
        {
            "price": 0.30,
            "from": "07:00:00",
            "to": "20:00:00",
            "days": ["mon", "tue", "wed", "thu", "fri"],
        }
    ]
    data = {"pricing": "times", "price": 0.20, "zones": zones, "workday": WORKDAY}
    await add(hass, entry, "grid", **data)
    id_ = f"climkit:{site.id}_grid_import_cost"

    def price_with(off: set[date]) -> Callable[[datetime], float]:
        def price(local: datetime) -> float:
            is_off = local.weekday() > 4 or local.date() in off
            return 0.30 if 7 <= local.hour < 20 and not is_off else 0.20

        return price

    # Nobody can tell yet.
    assert_costs(await rows_of(hass, id_), model_costs(site, price_with(set())))

    async def answer(call: ServiceCall) -> dict[str, Any]:
        return {call.data["entity_id"]: {"workday": call.data["check_date"] not in off}}

    hass.services.async_register(
        "workday", "check_date", answer, supports_response=SupportsResponse.ONLY
    )
    hass.states.async_set(WORKDAY, "on")
    before = len(cloud.requests)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert quarter_questions(cloud, before) == 1  # the poll
    assert_costs(await rows_of(hass, id_), model_costs(site, price_with(off)))
    # The sensor goes; what it told of the 17th is kept, and used when the day comes.
    hass.services.async_remove("workday", "check_date")
    hass.states.async_remove(WORKDAY)
    for _ in range(8):
        await later(hass, freezer, 4 * HOUR)
    assert dt_util.now().day == 17
    assert_costs(await rows_of(hass, id_), model_costs(site, price_with(off)))
