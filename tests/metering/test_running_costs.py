"""What a period has cost until now: worked out on paper."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.metering.costs import METER_COSTS, SITE_COSTS, CostSeries
from custom_components.climkit.metering.running_costs import cost_since
from custom_components.climkit.metering.tariff import Component, Pricing, Tariff
from custom_components.climkit.metering.tariffs import Tariffs

ZURICH = ZoneInfo("Europe/Zurich")
START = datetime(2026, 6, 15, 22, tzinfo=UTC)
"""Midnight in Zurich."""
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
GRID = SITE_COSTS[0]
BOTH = METER_COSTS["electricity"][-1]


class Archive:
    """Knows the price of some quarter hours."""

    def __init__(self, *starts: datetime) -> None:
        self._starts = starts

    def price(self, entity_id: str, start: datetime) -> float | None:
        """Return 10 Rp., where it is known."""
        return 0.10 if start in self._starts else None


def tariffs(*archived: datetime, **prices: float | None) -> Tariffs:
    """Return fixed prices, or an entity's where there is None."""
    versions = [
        Tariff(
            Component(name),
            date(2026, 1, 1),
            Pricing.ENTITY if price is None else Pricing.FIXED,
            price=price,
            entity_id="sensor.price" if price is None else None,
        )
        for name, price in prices.items()
    ]
    return Tariffs(versions, ZURICH, Archive(*archived))


def cost(
    prices: Tariffs,
    quarters: Mapping[str, Mapping[datetime, float]],
    stored: Mapping[datetime, float] | None = None,
    *,
    series: CostSeries = GRID,
    now: datetime = START + 2 * HOUR,
) -> float | None:
    return cost_since(
        series,
        None,
        prices,
        stored=stored or {},
        quarters=quarters,
        start=START,
        now=now,
    )


def quarters(first: int, *energies: float) -> dict[datetime, float]:
    return {START + (first + i) * QUARTER: e for i, e in enumerate(energies)}


def test_hours_and_the_quarters_since() -> None:
    """1 CHF is stored; two quarters of 0.5 kWh came since. Yesterday is another day."""
    stored = {START - HOUR: 9.0, START: 1.0}
    energy = quarters(-4, *[5] * 8, 0.5, 0.5)
    assert cost(tariffs(grid=0.30), {"grid_import": energy}, stored) == pytest.approx(
        1.0 + 2 * 0.5 * 0.30
    )


def test_an_hour_that_lacks_a_price_has_no_cost() -> None:
    """Once it is over; the hour that goes on has those that are known."""
    energy = {"grid_import": quarters(0, 1, 1, 1, 1, 1)}
    known = [START + i * QUARTER for i in (0, 1, 2, 4)]
    assert cost(tariffs(*known, grid=None), energy, now=START + 1.5 * HOUR) == (
        pytest.approx(0.10)
    )
    assert cost(tariffs(grid=None), energy) is None


def test_without_sun_no_price_of_it_is_needed() -> None:
    energy = {
        "grid_consumption": quarters(0, 1, 1),
        "solar_consumption": quarters(0, 0, 2),
    }
    assert cost(tariffs(grid=0.30), energy, series=BOTH) == pytest.approx(0.30)
    assert cost(tariffs(grid=0.30, solar=0.2), energy, series=BOTH) == pytest.approx(
        0.30 + 0.30 + 2 * 0.20
    )


def test_signs_and_zero_are_prices() -> None:
    energy = {"grid_import": quarters(0, 1, 1)}
    assert cost(tariffs(grid=0.0), energy) == 0.0
    assert cost(tariffs(grid=-0.05), energy) == pytest.approx(-0.10)


def test_shortly_after_midnight_it_is_nothing_yet() -> None:
    """While the newest reading is fresh; later it is not known."""
    energy = {"grid_import": quarters(-1, 1)}
    assert cost(tariffs(grid=0.3), energy, now=START + HOUR) == 0.0
    assert cost(tariffs(grid=0.3), energy, now=START + 3 * HOUR) is None
    assert cost(tariffs(grid=0.3), {}) is None
