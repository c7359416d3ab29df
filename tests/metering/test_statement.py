"""The bill of a period, by paper."""

from dataclasses import astuple

import pytest

from custom_components.climkit.metering.costs import METER_COSTS, SITE_COSTS
from custom_components.climkit.metering.hours import HOUR
from custom_components.climkit.metering.statement import Statement, statement
from custom_components.climkit.metering.tariff import Component

from .examples import (
    GRID,
    HT,
    NT,
    Archive,
    high_low,
    hours,
    local,
    quarters,
    tariff,
    tariffs,
    utc,
)

START, END = local("2026-02-01 00:00"), local("2026-03-01 00:00")
DAY = 24 * 28
FLAT = METER_COSTS["electricity"]
SPAN = {"start": START, "end": END}


type Line = tuple[object, ...]


def item(component: Component, price: float, amount: float, unit: str = "kWh") -> Line:
    """Return an item as it must be, but for the last digits."""
    cost = -price * amount if component is Component.FEED_IN else price * amount
    return (
        component,
        pytest.approx(price),
        pytest.approx(amount),
        unit,
        pytest.approx(cost),
    )


def items(bill: Statement) -> tuple[Line, ...]:
    """Return the items of a statement as plain values."""
    return tuple(astuple(each) for each in bill.items)


def test_a_residents_month() -> None:
    """28 days of 0.1 kWh of the grid per hour, and 0.2 kWh of sun at noon."""
    site = tariffs(
        high_low("07:00-20:00", monthly_fee=5.0),
        high_low("07:00-20:00", meters=["flat"], monthly_fee=6.72),
        tariff("solar", price=0.17),
    )
    every = [START + i * HOUR for i in range(-24, DAY + 24)]
    noon = {hour: 0.2 if hour.hour == 11 else 0.0 for hour in every}
    energies = {
        "consumption": {hour: 0.1 + noon[hour] for hour in every},
        "grid_consumption": dict.fromkeys(every, 0.1),
        "solar_consumption": noon,
    }
    bill = statement(FLAT, energies, {}, site, "flat", **SPAN)
    assert items(bill) == (
        item(GRID, HT, 28 * 13 * 0.1),
        item(GRID, NT, 28 * 11 * 0.1),
        item(Component.SOLAR, 0.17, 28 * 0.2),
    )
    assert bill.fees == pytest.approx(6.72)
    assert bill.total == pytest.approx(36.4 * 0.3 + 30.8 * 0.2 + 5.6 * 0.17 + 6.72)
    assert bill.unpriced_hours == 0


def test_a_site_pays_and_is_paid() -> None:
    """Case 12's compensation counts against the total; what is self-used does not."""
    site = tariffs(
        tariff(price=0.277),
        tariff("feed_in", price=0.11),
        tariff("solar", price=0.2),
        tariff("cold_water", price=4.15),
    )
    energies = {
        "grid_import": hours(START, 10.0),
        "grid_export": hours(START, 5.0, 7.0),
        "self_consumption": hours(START, 3.0),
        "cold_water": hours(START, 0.12),
    }
    bill = statement(SITE_COSTS, energies, {}, site, None, **SPAN)
    assert items(bill) == (
        item(GRID, 0.277, 10),
        item(Component.FEED_IN, 0.11, 12),
        item(Component.COLD_WATER, 4.15, 0.12, "m³"),
    )
    assert bill.items[1].cost == pytest.approx(-1.32)
    assert bill.fees == 0
    assert bill.total == pytest.approx(2.77 - 1.32 + 0.498)


@pytest.mark.parametrize(
    ("known", "low", "high"),
    [
        pytest.param((0.1, 0.2, 0.3, 0.4), 0.3, 0.7, id="as its quarters were"),
        pytest.param((), 0.5, 0.5, id="by time"),
        pytest.param((0.1, 0.2, 0.3, None), 0.3, 0.7, id="the rest by time"),
        pytest.param((None, 0.2, None, None), 0.2 + 0.8 / 3, 1.6 / 3, id="mostly"),
    ],
)
def test_an_hour_with_two_prices(
    known: tuple[float | None, ...], low: float, high: float
) -> None:
    """Case 6 to 8: 06:00 to 07:00, high tariff from 06:30."""
    site = tariffs(high_low("06:30-20:00"))
    hour = local("2026-02-02 06:00")
    bill = statement(
        SITE_COSTS,
        {"grid_import": {hour: 1.0}},
        {"grid_import": quarters(hour, *known)},
        site,
        None,
        **SPAN,
    )
    assert items(bill) == (item(GRID, HT, high), item(GRID, NT, low))
    assert bill.total == pytest.approx(high * HT + low * NT)


def test_hours_without_a_price_are_counted_once() -> None:
    """Case 22: grid from 2 February on, and the sun without a price."""
    site = tariffs(tariff(price=0.3, valid_from="2026-02-02"))
    start = local("2026-02-01 22:00")
    energies = {
        "grid_consumption": hours(start, 1, 1, 1, 1),
        "solar_consumption": hours(start, 0, 1, 1, 0),
    }
    bill = statement(FLAT, energies, {}, site, "flat", **SPAN)
    assert items(bill) == (item(GRID, 0.3, 2),)
    # 22:00 and 23:00 for the grid, 23:00 and 00:00 for the sun.
    assert bill.unpriced_hours == 3
    assert statement(FLAT, energies, {}, tariffs(), "flat", **SPAN).total == 0


def test_zero_and_negative_prices_are_items() -> None:
    hour = utc("2026-02-02 10:00")
    archive = Archive(quarters(hour, -0.02, 0.0, 0.0, 0.02))
    site = tariffs(tariff(entity_id="sensor.price"), archive=archive)
    energies = {"grid_import": {hour: 4.0}}
    bill = statement(SITE_COSTS, energies, {}, site, None, **SPAN)
    assert items(bill) == (
        item(GRID, 0.02, 1),
        item(GRID, 0.0, 2),
        item(GRID, -0.02, 1),
    )
    assert bill.unpriced_hours == 0


def test_calculated_prices_that_are_the_same() -> None:
    """An entity's prices that differ by a float's last digits are one item."""
    hour = utc("2026-02-02 10:00")
    archive = Archive(quarters(hour, 0.3, 0.1 + 0.2, 0.3, 0.3))
    site = tariffs(tariff(entity_id="sensor.price"), archive=archive)
    energies = {"grid_import": {hour: 4.0}}
    bill = statement(SITE_COSTS, energies, {}, site, None, **SPAN)
    assert items(bill) == (item(GRID, 0.3, 4),)


def test_a_period_of_any_length() -> None:
    """Hours outside are not on the bill, nor are their fees."""
    site = tariffs(tariff(price=0.3, monthly_fee=6.72))
    energies = {"grid_import": hours(START, *[1.0] * 48)}
    period = {"start": START + 5 * HOUR, "end": START + 30 * HOUR}
    bill = statement(SITE_COSTS, energies, {}, site, None, **period)
    assert items(bill) == (item(GRID, 0.3, 25),)
    assert bill.fees == pytest.approx(0.25)
