"""What energy costs, by paper; and that it does not depend on the order of events."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest

from custom_components.climkit.metering.costs import (
    METER_COSTS,
    SITE_COSTS,
    CostSeries,
    costs_of_hours,
    costs_of_series,
    meter_costs,
    site_costs,
)
from custom_components.climkit.metering.flows import FlowKind
from custom_components.climkit.metering.hours import (
    HOUR,
    QUARTER,
    HourlyAmounts,
    hour_of,
)
from custom_components.climkit.metering.reconcile import (
    StatisticRow,
    StoredWindow,
    plan,
)
from custom_components.climkit.metering.tariff import Component, Tariff
from custom_components.climkit.metering.tariffs import Tariffs
from custom_components.climkit.metering.timeline import HourPrices

from .examples import (
    GRID,
    HT,
    NT,
    YEARS,
    Archive,
    first_changed,
    high_low,
    hours,
    local,
    quarters,
    tariff,
    tariffs,
    utc,
)

T0 = utc("2026-02-02 10:00")
HALF = HourPrices.of(NT, NT, HT, HT)
"""High tariff from half past on."""


def series(kind: str, medium: str | None = None) -> CostSeries:
    """Return a series of a site or, of a medium, of a meter."""
    table = SITE_COSTS if medium is None else METER_COSTS[medium]
    return next(each for each in table if each.kind == kind)


def chain(costs: Mapping[datetime, float], base: float = 0.0) -> list[StatisticRow]:
    """Return the rows of costs of which nothing was stored before."""
    return changes([], costs, base)


def changes(
    stored: Sequence[StatisticRow],
    costs: Mapping[datetime, float],
    base: float = 0.0,
) -> list[StatisticRow]:
    """Return the rows that change so that these costs are stored as well."""
    stored_rows = StoredWindow(base, stored)
    return list(plan(stored_rows, None, HourlyAmounts(costs, {})).changed)


def sums(rows: Sequence[StatisticRow]) -> list[float]:
    """Return the running sums."""
    return [row.sum for row in rows]


@pytest.mark.parametrize(
    ("energy", "known", "cost"),
    [
        pytest.param(1.0, (0.1, 0.2, 0.3, 0.4), 0.270, id="6 exact quarters"),
        pytest.param(1.0, (), 0.250, id="7 the hour alone"),
        pytest.param(1.0, (None,) * 4, 0.250, id="7 no quarter known"),
        pytest.param(1.002, (0.1, 0.2, 0.3, 0.4), 0.2705, id="8 rounding"),
        pytest.param(1.0, (0.1, 0.2, 0.3, None), 0.270, id="8 one unknown"),
        pytest.param(0.0, (1.0, 0.0, 0.0, -1.0), -0.1, id="quarters that cancel out"),
        pytest.param(-1.0, (), -0.25, id="negative energy keeps its sign"),
    ],
)
def test_an_hour_with_two_prices(
    energy: float, known: Sequence[float | None], cost: float
) -> None:
    start = utc("2026-02-02 05:00")  # 06:00 in Zurich, high tariff from 06:30
    site = tariffs(high_low("06:30-20:00"))
    many = costs_of_hours(
        {start: energy},
        quarters(start, *known),
        site.timeline(GRID, None).hour_prices,
    )
    assert many == {start: pytest.approx(cost)}


def test_one_price_is_exact_whatever_is_known() -> None:
    for price, cost in ((0.29, 1.2 * 0.29), (0.0, 0.0)):
        prices_of = tariffs(tariff(price=price)).timeline(GRID, None).hour_prices
        for known in ({}, quarters(T0, 0.1, None, 5.0, 0.3)):
            assert costs_of_hours({T0: 1.2}, known, prices_of) == {T0: cost}


def test_no_price_no_cost() -> None:
    """Not of any quarter, though its energy be nothing."""
    for energy in (0.0, 1.0):
        known = quarters(T0, energy, 0.0, 0.0, 0.0)
        for prices in (HourPrices.of(None), HourPrices.of(NT, None, NT, NT)):
            for some in ({}, known):
                assert not costs_of_hours({T0: energy}, some, {T0: prices}.__getitem__)


def test_the_turn_of_a_year() -> None:
    """Case 5: each hour at the price of its local date, and only the later changes."""
    energies = hours(utc("2025-12-31 22:00"), 1.2, 0.8)
    old = tariffs(tariff(price=0.29))
    new = tariffs(tariff(price=0.29), tariff(price=0.277, valid_from="2026-01-01"))
    before, after = (
        costs_of_hours(energies, {}, site.timeline(GRID, None).hour_prices)
        for site in (old, new)
    )
    assert list(after.values()) == pytest.approx([0.348, 0.2216])
    assert sums(chain(after)) == pytest.approx([0.348, 0.5696])
    changed = changes(chain(before), after)
    assert [row.start for row in changed] == [utc("2025-12-31 23:00")]
    assert first_changed(old, new, GRID, None, **YEARS) == changed[0].start


def test_negative_prices_by_the_quarter() -> None:
    """Case 9: the hour's mean would be wrong, and 0.00 is a price."""
    archive = Archive(quarters(T0, -0.04, -0.02, 0.0, 0.02))
    site = tariffs(tariff(entity_id="sensor.price"), archive=archive)
    costs = costs_of_hours(
        {T0: 3.75},
        quarters(T0, 2, 1, 0.5, 0.25),
        site.timeline(GRID, None).hour_prices,
    )
    assert costs == {T0: pytest.approx(-0.095)}
    assert sums(chain(costs, base=10.0)) == pytest.approx([9.905])


def test_revised_energy_revises_its_cost() -> None:
    """Case 10."""
    prices_of = tariffs(tariff(price=0.30)).timeline(GRID, None).hour_prices
    rows = chain(costs_of_hours(hours(T0, 1, 2, 3), {}, prices_of))
    assert sums(rows) == pytest.approx([0.30, 0.90, 1.80])
    revised = costs_of_hours(hours(T0, 1, 1.5, 3), {}, prices_of)
    changed = changes(rows, revised)
    assert [row.start for row in changed] == [T0 + HOUR, T0 + 2 * HOUR]
    assert [row.state for row in changed] == pytest.approx([0.45, 0.90])
    assert sums(changed) == pytest.approx([0.75, 1.65])


def test_a_price_that_comes_later() -> None:
    """Case 11: until then no row, and the sum goes on without it."""
    known = dict.fromkeys((T0 + i * QUARTER for i in range(12)), 0.30)
    late = [known.pop(T0 + HOUR + i * QUARTER) for i in range(4)]
    archive = Archive(known)
    prices_of = (
        tariffs(tariff(entity_id="sensor.price"), archive=archive)
        .timeline(GRID, None)
        .hour_prices
    )
    energies = hours(T0, 1, 2, 3)
    rows = chain(costs_of_hours(energies, {}, prices_of))
    assert [row.start for row in rows] == [T0, T0 + 2 * HOUR]
    assert sums(rows) == pytest.approx([0.30, 1.20])
    archive.prices |= quarters(T0 + HOUR, *late)
    costs = costs_of_hours(energies, {}, prices_of)
    assert list(costs.values()) == pytest.approx([0.30, 0.60, 0.90])
    changed = changes(rows, costs)
    assert sums(changed) == pytest.approx([0.90, 1.80])


def test_feed_in_that_is_known_after_the_quarter() -> None:
    """Case 12: floor and certificate first, the market's price later; both rise."""
    feed_in = series("grid_export_compensation")
    energies = {"grid_export": hours(T0, 5, 7)}
    floor, market = (
        tariffs(tariff("feed_in", price=price, valid_from="2026-01-01"))
        for price in (0.06 + 0.03, 0.08 + 0.03)
    )
    first = costs_of_series(feed_in, energies, {}, floor, None)
    assert list(first.values()) == pytest.approx([0.45, 0.63])
    assert sums(chain(first))[-1] == pytest.approx(1.08)
    then = costs_of_series(feed_in, energies, {}, market, None)
    assert list(then.values()) == pytest.approx([0.55, 0.77])
    assert sums(chain(then))[-1] == pytest.approx(1.32)
    found = first_changed(floor, market, Component.FEED_IN, None, **YEARS)
    assert found == utc("2025-12-31 23:00")


RESIDENT = (tariff(price=0.3021), tariff("solar", price=0.24))


@pytest.mark.parametrize(
    ("kind", "cost"),
    [
        ("grid_consumption_cost", 0.06042),
        ("solar_consumption_cost", 0.0480 + 0.0240),
        ("consumption_cost", 0.13242),
    ],
)
@pytest.mark.parametrize("medium", ["electricity", "charge_point"])
def test_a_residents_costs(kind: str, cost: float, medium: str) -> None:
    """Case 13: grid and sun each at its price, and their sum."""
    energies = {
        "consumption": {T0: 0.50},
        "solar_consumption": {T0: 0.30},
        "grid_consumption": {T0: 0.20},
    }
    which = series(kind, medium)
    costs = costs_of_series(which, energies, {}, tariffs(*RESIDENT), "flat")
    assert costs == {T0: pytest.approx(cost)}


@pytest.mark.parametrize(
    ("versions", "grid", "solar", "cost"),
    [
        pytest.param(RESIDENT, 1.0, 0.0, 0.3021, id="at night"),
        pytest.param(RESIDENT[:1], 1.0, 0.0, 0.3021, id="a house without the sun"),
        pytest.param(RESIDENT[:1], 1.0, 0.1, None, id="the sun has no price yet"),
        pytest.param(RESIDENT[1:], 0.0, 1.0, 0.24, id="all from the sun"),
        pytest.param(RESIDENT, 1.0, None, None, id="the share is not known"),
        pytest.param((), 0.0, 0.0, None, id="no price at all"),
    ],
)
def test_the_sum_of_grid_and_sun(
    versions: Sequence[Tariff], grid: float, solar: float | None, cost: float | None
) -> None:
    energies = {
        "grid_consumption": {T0: grid},
        "solar_consumption": {} if solar is None else {T0: solar},
    }
    both = series("consumption_cost", "electricity")
    costs = costs_of_series(both, energies, {}, tariffs(*versions), "flat")
    assert costs == ({} if cost is None else {T0: pytest.approx(cost)})


@pytest.mark.parametrize(
    ("mean_only", "cost"),
    [pytest.param(True, 0.70, id="old"), pytest.param(False, 0.40, id="recent")],
)
def test_a_price_that_changes_within_the_hour(mean_only: bool, cost: float) -> None:
    """Case 17: 0.20 until quarter past, then 0.40; an old hour is known by its mean."""
    prices = (0.35,) * 4 if mean_only else (0.20, 0.40, 0.40, 0.40)
    known = {} if mean_only else quarters(T0, 2.0, 0.0, 0.0, 0.0)
    site = tariffs(
        tariff(entity_id="sensor.price"), archive=Archive(quarters(T0, *prices))
    )
    costs = costs_of_hours({T0: 2.0}, known, site.timeline(GRID, None).hour_prices)
    assert costs == {T0: pytest.approx(cost)}


@pytest.mark.parametrize(
    ("medium", "price", "amount", "cost"),
    [("cold_water", 4.15, 0.120, 0.498), ("heating", 0.145, 12.0, 1.740)],
)
def test_water_and_heat(medium: str, price: float, amount: float, cost: float) -> None:
    """Case 18: of a meter and of the whole site."""
    site = tariffs(tariff(medium, price=price))
    meter = series("consumption_cost", medium)
    costs = costs_of_series(meter, {"consumption": {T0: amount}}, {}, site, "m")
    assert costs == {T0: pytest.approx(cost)}
    whole = series(f"{medium}_cost")
    costs = costs_of_series(whole, {medium: {T0: amount}}, {}, site, None)
    assert costs == {T0: pytest.approx(cost)}


def test_one_meters_own_price() -> None:
    """Case 19."""
    site = tariffs(
        tariff("solar", price=0.24), tariff("solar", price=0.20, meters=["x"])
    )
    energies = {"solar_consumption": {T0: 1.0}}
    which = series("solar_consumption_cost", "electricity")
    costs = [costs_of_series(which, energies, {}, site, meter)[T0] for meter in "xyz"]
    assert costs == [0.20, 0.24, 0.24]


def test_which_series_there_are() -> None:
    """By the flows that a site or a meter has; all of them are known flows."""
    solar = ["consumption", "grid_import", "grid_export", "self_consumption"]
    assert [each.kind for each in site_costs([*solar, "cold_water"])] == [
        "grid_import_cost",
        "grid_export_compensation",
        "self_consumption_value",
        "cold_water_cost",
    ]
    assert [each.kind for each in site_costs(["grid_import", "charge_points"])] == [
        "grid_import_cost"
    ]
    flat = ["consumption", "solar_consumption", "grid_consumption"]
    for medium in ("electricity", "charge_point"):
        assert [each.kind for each in meter_costs(medium, flat)] == [
            "grid_consumption_cost",
            "solar_consumption_cost",
            "consumption_cost",
        ]
    assert list(meter_costs("electricity", ["production"])) == []
    assert [each.kind for each in meter_costs("heating", ["consumption"])] == [
        "consumption_cost"
    ]
    assert list(meter_costs("steam", ["consumption"])) == []
    every = [*SITE_COSTS, *(each for table in METER_COSTS.values() for each in table)]
    assert {flow for each in every for flow, _ in each.terms} <= {*FlowKind}


def test_which_series_need_not_exist() -> None:
    site = tariffs(tariff(price=0.3, meters=["flat"]))
    both = series("consumption_cost", "electricity")
    sun = series("solar_consumption_cost", "electricity")
    assert both.has_price(site, "flat")
    assert not both.has_price(site, "other")
    assert not sun.has_price(site, "flat")
    assert not series("grid_import_cost").has_price(site, None)


def repriced(
    rows: Mapping[datetime, float],
    energies: Mapping[datetime, float],
    site: Tariffs,
    start: datetime,
) -> dict[datetime, float]:
    """Return rows after all from an hour on were priced anew."""
    later = {hour: amount for hour, amount in energies.items() if hour >= start}
    kept = {hour: cost for hour, cost in rows.items() if hour < start}
    return kept | costs_of_hours(later, {}, site.timeline(GRID, None).hour_prices)


def test_what_is_before_a_change_is_not_touched() -> None:
    """Case 22: a tariff that begins later takes the rows before it away."""
    energies = hours(local("2026-01-31 22:00"), 1, 1, 1, 1)
    old = tariffs(tariff(price=0.3))
    new = tariffs(tariff(price=0.3, valid_from="2026-02-01"))
    rows = repriced({}, energies, old, min(energies))
    found = first_changed(old, new, GRID, None, **YEARS)
    assert found is not None
    rows = repriced(rows, energies, new, hour_of(found))
    assert rows == hours(local("2026-02-01 00:00"), 0.3, 0.3)
