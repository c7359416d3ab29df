"""What the last full month would have cost, against the model and paper."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from ..conftest import entry_for, history_done, set_up
from ..ledger import rows_of
from ..simulator import SimulatedSite, Simulator, sites
from .tariff_dialog import Dialog

NOW = "2026-06-02T10:05:00+00:00"
"""Early in June: May is the last full month, and there is little besides to import."""
pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]

ZURICH = ZoneInfo("Europe/Zurich")
MAY = datetime(2026, 4, 30, 22, tzinfo=UTC), datetime(2026, 5, 31, 22, tzinfo=UTC)
FLATS = "Appartement 1.1", "Appartement 1.2", "Appartement 2.1"
HOUR = timedelta(hours=1)

# Rounded to 0.001 by the hour, 744 of them; shown with one decimal, or with two.
ENERGY, COST = 0.12, 0.05


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site that has all of May and two days before; of four consumers."""
    whole = sites.community(created=datetime(2026, 4, 28, 22, tzinfo=UTC), water=True)
    return sites.with_few(whole, "Parties", *FLATS)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry of which the flats' meters of electricity were chosen."""
    return entry_for(site, meters=[site.meter(flat).id for flat in FLATS])


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry with its history."""
    await set_up(hass, entry)
    await history_done(entry)
    await async_wait_recording_done(hass)
    return entry


def quarters(
    site: SimulatedSite, *columns: str, medium: str = "electricity"
) -> dict[datetime, float]:
    """Return what the model has for May, all these columns together."""
    model = site.model(medium, "15T", *MAY, columns=columns)
    sums: dict[datetime, float] = {}
    for column in columns:
        for start, amount in model[column].items():
            sums[start] = sums.get(start, 0.0) + amount
    return sums


def cost(amounts: dict[datetime, float], price: Callable[[datetime], float]) -> float:
    """Return energy by quarter hour times the price at that local time."""
    return sum(
        amount * price(start.astimezone(ZURICH)) for start, amount in amounts.items()
    )


async def preview(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    prices: dict[str, Any],
    **typed: Any,
) -> dict[str, str]:
    """Return what is told before a tariff is kept."""
    dialog = await Dialog.add(hass, entry)
    await dialog.submit(**{"component": "grid", "valid_from": "2026-01-01"} | typed)
    await dialog.submit(**prices)
    assert dialog.step == "confirm"
    assert dialog.errors == {}
    return dialog.facts


def number(text: str) -> float:
    return float(text.split(maxsplit=1)[0])


async def test_one_price(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    subtests: pytest.Subtests,
) -> None:
    """Of each component: nothing is kept of what is only previewed."""
    columns = {"grid": "from_ext", "solar": "self", "feed_in": "to_ext"}
    for component, column in columns.items():
        with subtests.test(component=component):
            facts = await preview(
                hass, loaded, {"price": 0.277}, component=component, pricing="fixed"
            )
            energy = sum(quarters(site, column).values())
            assert energy > 100
            assert facts["month"] == "May 2026"
            assert facts["energy"].endswith(" kWh")
            assert number(facts["energy"]) == pytest.approx(energy, abs=ENERGY)
            assert float(facts["cost"]) == pytest.approx(energy * 0.277, abs=COST)
            assert facts["unpriced_hours"] == "0"


async def test_as_if_it_had_been_valid(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    subtests: pytest.Subtests,
) -> None:
    """Next year's price is shown by a month that there is; the fee stands apart."""
    energy = sum(quarters(site, "from_ext").values())
    for valid_from in ("2026-05-20", "2027-01-01"):
        typed = {"valid_from": valid_from, "monthly_fee": 12}
        with subtests.test(valid_from=valid_from):
            facts = await preview(
                hass, loaded, {"price": 0.277}, pricing="fixed", **typed
            )
            assert float(facts["cost"]) == pytest.approx(energy * 0.277, abs=COST)
            assert facts["fee"] == "12.00"


async def test_high_and_low_price(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Monday to Friday 07-20 by the clock of the site, which has summer time."""
    facts = await preview(
        hass,
        loaded,
        {"preset": "mon_fri_07_20", "high_price": 0.2921, "price": 0.1834},
        pricing="times",
    )

    def price(local: datetime) -> float:
        return 0.2921 if local.weekday() < 5 and 7 <= local.hour < 20 else 0.1834

    expected = cost(quarters(site, "from_ext"), price)
    assert float(facts["cost"]) == pytest.approx(expected, abs=COST)
    assert facts["unpriced_hours"] == "0"


async def test_days_off_are_sundays(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """1 May, Ascension and Whit Monday of 2026."""
    off = {"2026-05-01", "2026-05-14", "2026-05-25"}
    hass.states.async_set("binary_sensor.workday", "on")

    async def answer(call: ServiceCall) -> dict[str, Any]:
        day = call.data["check_date"]
        workday = day.weekday() < 5 and str(day) not in off
        return {call.data["entity_id"]: {"workday": workday}}

    hass.services.async_register(
        "workday", "check_date", answer, supports_response=SupportsResponse.ONLY
    )
    facts = await preview(
        hass,
        loaded,
        {
            "preset": "mon_fri_07_20",
            "high_price": 1.0,
            "price": 0.0,
            "workday": "binary_sensor.workday",
        },
        pricing="times",
    )

    def price(local: datetime) -> float:
        workday = local.weekday() < 5 and str(local.date()) not in off
        return 1.0 if workday and 7 <= local.hour < 20 else 0.0

    expected = cost(quarters(site, "from_ext"), price)
    assert float(facts["cost"]) == pytest.approx(expected, abs=0.1)
    assert facts["unpriced_hours"] == "0"


async def test_of_some_meters(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Their energy from the grid, all together, and not the third's."""
    flats = [site.meter(flat).id for flat in FLATS[::2]]
    facts = await preview(hass, loaded, {"price": 0.3}, pricing="fixed", meters=flats)
    energy = sum(quarters(site, *(f"ext_{flat}" for flat in flats)).values())
    assert number(facts["energy"]) == pytest.approx(energy, abs=ENERGY)
    assert float(facts["cost"]) == pytest.approx(energy * 0.3, abs=COST)


async def test_water(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    facts = await preview(
        hass, loaded, {"price": 4.15}, component="cold_water", pricing="fixed"
    )
    volume = sum(quarters(site, "conso_total", medium="cold_water").values())
    assert facts["energy"].endswith(" m³")
    assert number(facts["energy"]) == pytest.approx(volume, abs=ENERGY)
    assert float(facts["cost"]) == pytest.approx(volume * 4.15, abs=0.2)


async def test_an_entity(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """Its hourly means of half of the month: the other hours have no price."""
    hass.states.async_set("sensor.price", "23.4", {"unit_of_measurement": "Rp./kWh"})
    middle = datetime(2026, 5, 15, 22, tzinfo=UTC)
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.ARITHMETIC,
        has_sum=False,
        name=None,
        source="recorder",
        statistic_id="sensor.price",
        unit_class=None,
        unit_of_measurement="Rp./kWh",
    )
    count = (MAY[1] - middle) // HOUR
    means = [StatisticData(start=middle + n * HOUR, mean=23.4) for n in range(count)]
    async_import_statistics(hass, metadata, means)
    await async_wait_recording_done(hass)
    facts = await preview(
        hass,
        loaded,
        {"entity_id": "sensor.price", "surcharge": 0.0276, "vat": 8.1},
        pricing="entity",
    )
    second_half = {
        start: amount
        for start, amount in quarters(site, "from_ext").items()
        if start >= middle
    }
    expected = sum(second_half.values()) * 0.2827896
    assert float(facts["cost"]) == pytest.approx(expected, abs=COST)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import")
    unpriced = [
        hour for hour, (state, _) in rows.items() if MAY[0] <= hour < middle and state
    ]
    assert len(unpriced) > 100
    assert facts["unpriced_hours"] == str(len(unpriced))


async def test_before_there_is_any_history(
    cloud: Simulator, hass: HomeAssistant, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """Nothing was used, as far as is known."""
    site.created = datetime(2026, 5, 31, 22, tzinfo=UTC)
    await set_up(hass, entry)
    facts = await preview(hass, entry, {"price": 0.2}, pricing="fixed")
    assert (facts["energy"], facts["cost"]) == ("0.0 kWh", "0.00")
    assert facts["unpriced_hours"] == "0"
