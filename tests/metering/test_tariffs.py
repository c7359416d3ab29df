"""Which price and which fee hold when, by paper."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.metering.costs import costs_of_hours
from custom_components.climkit.metering.hours import HOUR, QUARTER
from custom_components.climkit.metering.prices import chf_per_kwh
from custom_components.climkit.metering.tariff import Component, Tariff
from custom_components.climkit.metering.timeline import HourPrices

from .examples import (
    GRID,
    HT,
    NT,
    WEEK,
    YEARS,
    ZURICH,
    Archive,
    first_changed,
    high_low,
    hours_of,
    local,
    tariff,
    tariffs,
    utc,
)

SOLAR = Component.SOLAR


def day_cost(version: Tariff, day: str) -> float:
    """Return what 0.25 kWh in every quarter hour of a local day cost."""
    site = tariffs(version)
    prices = [
        site.price_at(GRID, None, hour + i * QUARTER)
        for hour in hours_of(day)
        for i in range(4)
    ]
    means = [site.timeline(GRID, None).hour_prices(hour).mean for hour in hours_of(day)]
    cost = sum(0.25 * price for price in prices if price is not None)
    assert sum(mean for mean in means if mean is not None) == pytest.approx(cost)
    return cost


DAILY = high_low("07:00-20:00")
WEEKDAYS = high_low("07:00-20:00", days=WEEK)
GROUPE_E = tariff(
    price=0.2921,
    zones=[
        {"price": 0.1834, "from": "12:00", "to": "17:00"},
        {"price": 0.1834, "from": "23:00", "to": "07:00"},
    ],
)


@pytest.mark.parametrize(
    ("version", "day", "cost"),
    [
        pytest.param(DAILY, "2026-03-28", 6.10, id="1 the day before summer time"),
        pytest.param(DAILY, "2026-03-29", 5.90, id="1 twenty-three hours"),
        pytest.param(DAILY, "2026-03-30", 6.10, id="1 the day after"),
        pytest.param(DAILY, "2026-10-24", 6.10, id="2 the day before winter time"),
        pytest.param(DAILY, "2026-10-25", 6.30, id="2 twenty-five hours"),
        pytest.param(DAILY, "2026-10-26", 6.10, id="2 the day after"),
        pytest.param(WEEKDAYS, "2026-03-28", 4.80, id="3 Saturday"),
        pytest.param(WEEKDAYS, "2026-03-29", 4.60, id="3 short Sunday"),
        pytest.param(WEEKDAYS, "2026-03-30", 6.10, id="3 Monday"),
        pytest.param(WEEKDAYS, "2026-10-25", 5.00, id="3 long Sunday"),
        pytest.param(GROUPE_E, "2026-02-02", 5.5973, id="21 two blocks, one wraps"),
    ],
)
def test_what_a_day_costs(version: Tariff, day: str, cost: float) -> None:
    assert day_cost(version, day) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [("2026-03-29", 5, 17), ("2026-10-25", 6, 18), ("2026-10-24", 5, 17)],
)
def test_high_tariff_in_utc(day: str, first: int, last: int) -> None:
    """Cases 1 and 2: the hours themselves."""
    site = tariffs(DAILY)
    high = [
        hour.hour
        for hour in hours_of(day)
        if site.timeline(GRID, None).hour_prices(hour) == HourPrices.of(HT)
    ]
    assert high == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("day", "clocks"),
    [
        ("2026-03-29", ["01:00", "01:15"]),
        ("2026-10-25", ["00:30", "00:45", "01:30", "01:45", "02:00", "02:15"]),
    ],
)
def test_a_window_in_the_hour_that_is_skipped_or_repeated(
    day: str, clocks: list[str]
) -> None:
    """Case 4: 02:30 to 03:30."""
    site = tariffs(
        tariff(price=HT, zones=[{"price": NT, "from": "02:30", "to": "03:30"}])
    )
    low = [
        f"{start:%H:%M}"
        for hour in hours_of(day)
        for start in (hour + i * QUARTER for i in range(4))
        if site.price_at(GRID, None, start) == NT
    ]
    assert low == clocks


def test_a_year_begins_at_local_midnight() -> None:
    """Case 5: the price, and from where a version that was added re-prices."""
    old = tariffs(tariff(price=0.29))
    new = tariffs(tariff(price=0.29), tariff(price=0.277, valid_from=date(2026, 1, 1)))
    before, after = utc("2025-12-31 22:00"), utc("2025-12-31 23:00")
    assert new.price_at(GRID, None, before + 3 * QUARTER) == 0.29
    assert new.price_at(GRID, None, after) == 0.277
    assert first_changed(old, new, GRID, None, **YEARS) == after
    assert first_changed(new, old, GRID, None, **YEARS) == after
    newest = new.version(GRID, None, date(2026, 1, 1))
    assert newest is not None
    assert newest.price == 0.277
    assert new.version(GRID, None, date(2019, 12, 31)) is None


def test_seasons() -> None:
    """Case 15: the month is the local one."""
    winter = ["oct", "nov", "dec", "jan", "feb", "mar"]
    site = tariffs(
        tariff(
            price=0.118,
            zones=[{"price": 0.139, "from": "00:00", "to": "00:00", "months": winter}],
        )
    )
    assert site.price_at(GRID, None, utc("2026-03-31 21:45")) == 0.139
    assert site.price_at(GRID, None, utc("2026-03-31 22:00")) == 0.118


@pytest.mark.parametrize(
    ("time", "price"),
    [
        ("2026-02-02 03:00", NT),  # Monday
        ("2026-02-02 06:45", NT),
        ("2026-02-02 07:00", HT),
        ("2026-02-02 18:45", HT),
        ("2026-02-06 23:00", NT),  # Friday
        ("2026-02-07 03:00", NT),  # Saturday
        ("2026-02-08 12:00", NT),  # Sunday
    ],
)
def test_a_night_has_both_ends_on_each_of_its_days(time: str, price: float) -> None:
    """Case 20: as grid operators write it in their files."""
    site = tariffs(
        tariff(
            price=HT,
            zones=[
                {"price": NT, "from": "19:00", "to": "07:00", "days": WEEK},
                {"price": NT, "from": "00:00", "to": "00:00", "days": ["sat", "sun"]},
            ],
        )
    )
    assert site.price_at(GRID, None, local(time)) == price


def test_a_night_of_one_day_is_no_other_days() -> None:
    site = tariffs(
        tariff(
            price=HT,
            zones=[{"price": NT, "from": "22:00", "to": "06:00", "days": ["mon"]}],
        )
    )
    times = ["2026-02-02 05:45", "2026-02-02 22:00", "2026-02-03 03:00"]
    assert [site.price_at(GRID, None, local(time)) for time in times] == [NT, NT, HT]


def test_the_last_zone_wins() -> None:
    zones = [
        {"price": 1, "from": "00:00", "to": "00:00"},
        {"price": 2, "from": "08:00", "to": "12:00"},
        {"price": 0, "from": "10:00", "to": "11:00", "days": ["mon"]},
    ]
    site = tariffs(tariff(zones=zones))
    times = ["2026-02-02 07:45", "2026-02-02 08:00", "2026-02-02 10:15"]
    assert [site.price_at(GRID, None, local(time)) for time in times] == [1, 2, 0]
    assert site.price_at(GRID, None, local("2026-02-03 10:15")) == 2


def test_days_off_count_as_sundays() -> None:
    """1 January 2026 is a Thursday; what nobody answered for is what it is."""
    version = high_low("07:00-20:00", days=WEEK, workday="binary_sensor.workday")
    answers = {date(2026, 1, 1): True, date(2026, 1, 2): False}
    site = tariffs(version, days_off={"binary_sensor.workday": answers})
    other = tariffs(version, days_off={"binary_sensor.other": answers})
    noons = [local(f"2026-01-0{day} 12:00") for day in (1, 2, 5)]
    assert [site.price_at(GRID, None, noon) for noon in noons] == [NT, HT, HT]
    assert [site.timeline(GRID, None).hour_prices(noon).mean for noon in noons] == [
        NT,
        HT,
        HT,
    ]
    assert other.price_at(GRID, None, noons[0]) == HT
    high = {"since": local("2026-01-01 07:00"), "until": local("2026-01-01 20:00")}
    assert first_changed(other, site, GRID, None, **high) == high["since"]
    # "No" and no answer are the same price: nothing is to be done.
    less = {"binary_sensor.workday": {date(2026, 1, 1): True}}
    assert (
        first_changed(tariffs(version, days_off=less), site, GRID, None, **YEARS)
        is None
    )


@pytest.mark.parametrize(
    ("price", "unit"), [(0.234, "CHF/kWh"), (23.4, "Rp./kWh"), (234, "CHF/MWh")]
)
def test_an_entitys_price(price: float, unit: str) -> None:
    """Case 14: the surcharge comes before the VAT."""
    start = utc("2026-02-02 10:00")
    archive = Archive({start: chf_per_kwh(price, unit)})
    version = tariff(entity_id="sensor.price", surcharge=0.0276, vat=8.1)
    site = tariffs(version, archive=archive)
    found = site.price_at(GRID, None, start)
    assert found == pytest.approx(0.2827896)
    costs = costs_of_hours({start: 1.5}, {}, lambda _: HourPrices.of(found))
    assert costs == {start: pytest.approx(0.4241844)}
    assert site.price_at(GRID, None, start + QUARTER) is None


@pytest.mark.parametrize("unit", [None, "", "CHF", "EUR/kWh", "CHF/h", "kWh", "Rp./m³"])
def test_what_is_no_price(unit: str | None) -> None:
    with pytest.raises(ValueError, match="is not a price"):
        chf_per_kwh(1, unit)


def test_a_meters_own_price_wins() -> None:
    """Case 19, and what the site's next version does to the meter: nothing."""
    site_wide = tariff("solar", price=0.24)
    own = tariff("solar", price=0.20, meters=["x"], valid_from="2025-07-01")
    later = tariff("solar", price=0.25, valid_from="2026-01-01")
    site = tariffs(later, own, site_wide)
    start = utc("2026-02-02 10:00")
    assert site.price_at(SOLAR, "x", start) == 0.20
    assert site.price_at(SOLAR, "y", start) == 0.25
    assert site.price_at(SOLAR, None, start) == 0.25
    assert site.price_at(SOLAR, "x", utc("2025-06-30 21:45")) == 0.24
    assert site.price_at(GRID, "x", start) is None
    assert (site.has(SOLAR, "x"), site.has(SOLAR, "y"), site.has(GRID, "x")) == (
        True,
        True,
        False,
    )
    without = tariffs(later, site_wide)
    found = first_changed(site, without, SOLAR, "x", **YEARS)
    assert found == utc("2025-06-30 22:00")
    assert first_changed(site, without, SOLAR, "y", **YEARS) is None


def test_of_one_day_the_version_for_fewer_meters_wins() -> None:
    both = tariff("solar", price=0.2, meters=["x", "y"])
    one = tariff("solar", price=0.1, meters=["x"])
    for order in ((both, one), (one, both)):
        site = tariffs(*order)
        start = utc("2026-02-02 10:00")
        assert site.price_at(SOLAR, "x", start) == 0.1
        assert site.price_at(SOLAR, "y", start) == 0.2
        assert site.price_at(SOLAR, None, start) is None


def test_a_deleted_or_late_tariff() -> None:
    """Case 22: from its start on, nothing has a price any more."""
    some = tariffs(tariff(price=0.3, valid_from="2024-05-01"))
    none = tariffs()
    start = utc("2024-04-30 22:00")
    assert none.price_at(GRID, None, start) is None
    assert some.price_at(GRID, None, start - QUARTER) is None
    assert some.price_at(GRID, None, start) == 0.3
    assert first_changed(some, none, GRID, None, **YEARS) == start
    assert some.timeline(GRID, None).hour_prices(start - HOUR).mean is None


def test_a_zone_with_a_quarter_of_an_hour() -> None:
    """Kathmandu is 5:45 ahead: its midnight is 18:15 in UTC, inside an hour."""
    site = tariffs(
        tariff(price=NT),
        tariff(price=HT, valid_from="2026-01-01", monthly_fee=7.44),
        zone=ZoneInfo("Asia/Kathmandu"),
    )
    hour = utc("2025-12-31 18:00")
    assert site.timeline(GRID, None).hour_prices(hour) == HourPrices.of(NT, HT, HT, HT)
    fees = site.fees(None, utc("2025-12-01 00:00"), utc("2026-01-31 18:15"))
    assert min(fees) == hour + HOUR
    assert sum(fees.values()) == pytest.approx(7.44)


def test_zones_may_do_without_a_default() -> None:
    """If they cover the week: nothing is left for it."""
    week = [
        {"price": HT, "from": "07:00", "to": "20:00", "days": WEEK},
        {"price": NT, "from": "20:00", "to": "07:00", "days": WEEK},
        {"price": NT, "from": "00:00", "to": "00:00", "days": ["sat", "sun"]},
    ]
    assert day_cost(tariff(zones=week), "2026-03-30") == pytest.approx(6.10)


def test_a_time_in_any_zone() -> None:
    site = tariffs(DAILY)
    start = datetime(2026, 2, 2, 7, tzinfo=ZURICH)
    assert site.price_at(GRID, None, start) == HT
    assert site.price_at(GRID, None, start - timedelta(minutes=15)) == NT
