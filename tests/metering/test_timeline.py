"""Prices over the years: what is remembered, and which hours are priced anew."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.metering.changed_prices import changed_spans
from custom_components.climkit.metering.hours import HOUR, QUARTER, hours_between
from custom_components.climkit.metering.prices import TimesPrice
from custom_components.climkit.metering.spans import merged
from custom_components.climkit.metering.tariffs import Tariffs
from custom_components.climkit.metering.timeline import HourPrices, PriceTimeline

from .examples import (
    GRID,
    HT,
    NT,
    WEEK,
    YEARS,
    Archive,
    high_low,
    local,
    quarters,
    tariff,
    tariffs,
    utc,
)

DAILY = high_low("07:00-20:00")


def test_archived_prices_come_and_change() -> None:
    """They are not remembered: the archive grows, an entity may become silent."""
    hour = utc("2026-02-02 10:00")
    archive = Archive(quarters(hour, -0.04, -0.02, 0.0))
    site = tariffs(tariff(entity_id="sensor.price"), archive=archive)
    gap = site.timeline(GRID, None).hour_prices(hour)
    assert gap == HourPrices((-0.04, -0.02, 0.0, None), None, alike=False)
    archive.prices[hour + 3 * QUARTER] = 0.02
    full = site.timeline(GRID, None).hour_prices(hour)
    assert full.mean == pytest.approx(-0.01)
    assert not full.alike
    silent = site.timeline(GRID, None).hour_prices(hour + HOUR)
    assert silent == HourPrices((None,) * 4, None, alike=True)


def changed(
    old: Tariffs, new: Tariffs, since: datetime, until: datetime
) -> list[datetime]:
    """Return the hours of a span that are priced anew."""
    lines = old.timeline(GRID, None), new.timeline(GRID, None)
    spans = changed_spans([lines], since, until)
    return [hour for span in spans for hour in hours_between(*span)]


def test_hours_with_several_prices_stay_unless_one_is_another() -> None:
    """Their quarters may no longer be at hand; by one price, the same comes out."""
    uneven, even = utc("2026-02-02 10:00"), utc("2026-02-02 11:00")
    version = tariff(entity_id="sensor.price", price=1)
    old, same, new = (
        tariffs(
            version,
            archive=Archive(
                quarters(uneven, 0.1, 0.2, third, 0.4) | quarters(even, *[0.5] * 4)
            ),
        )
        for third in (0.3, 0.3, 0.4)
    )
    assert changed(old, same, uneven, even + HOUR) == [even]
    assert changed(old, new, uneven, even + HOUR) == [uneven, even]
    assert changed(old, old, uneven, even + HOUR) == []


def test_another_time_zone() -> None:
    """Days begin and end at other hours: all may cost something else, and do."""
    halves = high_low("07:30-20:30")
    old = tariffs(halves)
    new = tariffs(halves, zone=ZoneInfo("Europe/London"))
    span = utc("2026-02-02 00:00"), utc("2026-02-03 00:00")
    assert changed(old, new, *span) == list(hours_between(*span))
    assert changed(old, tariffs(halves), *span) == []


def test_the_price_of_a_quarter_is_not_off_by_a_digit() -> None:
    """The mean of four prices alike is that price, exactly."""
    for rappen in range(1, 300):
        assert HourPrices.of(*[rappen / 1000] * 4).mean == rappen / 1000


def test_years_are_compared_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions that are the same are not looked at: 5 years have 43,824 hours."""
    new_year = tariff(price=0.277, valid_from="2026-11-01")
    old, new = tariffs(DAILY), tariffs(DAILY, new_year)
    asked = 0

    real = PriceTimeline.hour_prices

    def count(self: PriceTimeline, hour: datetime) -> HourPrices:
        nonlocal asked
        asked += 1
        return real(self, hour)

    monkeypatch.setattr(PriceTimeline, "hour_prices", count)
    hours = changed(old, new, **YEARS)
    assert hours[0] == local("2026-11-01 00:00")
    assert len(hours) == 25 * 24 + 1
    assert asked == 2 * len(hours)


def test_a_sort_of_day_is_priced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five years have 175,296 quarter hours, but few sorts of UTC days.

    Seven pairs of week days in winter and in summer time, and the ten days on which
    the clocks change.
    """
    asked = 0
    real = TimesPrice.price

    def count(self: TimesPrice, start: datetime, local: datetime) -> float | None:
        nonlocal asked
        asked += 1
        return real(self, start, local)

    monkeypatch.setattr(TimesPrice, "price", count)
    timeline = tariffs(high_low("07:00-20:00", days=WEEK)).timeline(GRID, None)
    hour = YEARS["since"]
    while hour < YEARS["until"]:
        assert timeline.hour_prices(hour).mean in (HT, NT)
        hour += HOUR
    assert asked == (7 * 2 + 10) * 96


def test_the_day_on_which_an_entity_takes_over() -> None:
    """Its morning is fixed, its afternoon grows with the archive: in UTC one day."""
    first = local("2026-02-02 00:00")
    archive = Archive()
    versions = [
        tariff(price=NT),
        tariff(entity_id="sensor.price", valid_from="2026-02-02"),
    ]
    timeline = tariffs(*versions, archive=archive).timeline(GRID, None)
    assert timeline.hour_prices(first - HOUR) == HourPrices.of(NT)
    assert timeline.hour_prices(first) == HourPrices.of(None)
    archive.prices |= quarters(first, HT, HT, HT, HT)
    assert timeline.hour_prices(first) == HourPrices.of(HT)
    assert timeline.hour_prices(first - HOUR) == HourPrices.of(NT)


@pytest.mark.parametrize(
    ("start", "end", "gaps"),
    [
        # Midnight of 2026-02-02 in Zurich is 23:00 in UTC; the entity is silent from
        # 10:30 to 12:00, and from 13:00 on; at midnight of the 3rd another price follows.
        (
            "2026-02-01 20:00",
            "2026-02-03 02:00",
            [
                ("2026-02-01 20:00", "2026-02-01 23:00"),
                ("2026-02-02 10:00", "2026-02-02 12:00"),
                ("2026-02-02 13:00", "2026-02-02 23:00"),
            ],
        ),
        ("2026-02-01 20:00", "2026-02-01 22:00", [("2026-02-01 20:00", "2026-02-01 22:00")]),
        ("2026-02-02 09:00", "2026-02-02 11:00", [("2026-02-02 10:00", "2026-02-02 11:00")]),
        ("2026-02-02 11:00", "2026-02-02 11:00", []),
        ("2026-02-02 23:00", "2027-02-02 23:00", []),
    ],
)  # fmt: skip
def test_what_lacks_a_price(start: str, end: str, gaps: list[tuple[str, str]]) -> None:
    """Before the first version, and where an entity told none: by whole hours."""
    midnight = utc("2026-02-01 23:00")
    told = quarters(midnight, *[0.2] * 46, *[None] * 6, *[0.3] * 4)
    site = tariffs(
        tariff(entity_id="sensor.price", valid_from="2026-02-02"),
        tariff(price=0.3, valid_from="2026-02-03"),
        archive=Archive(told),
    )
    found = merged(site.timeline(GRID, None).gaps(utc(start), utc(end)))
    assert found == [(utc(first), utc(last)) for first, last in gaps]


def test_without_a_version_all_lacks_a_price() -> None:
    span = utc("2020-01-01 00:00"), utc("2026-02-03 02:00")
    assert list(tariffs().timeline(GRID, None).gaps(*span)) == [span]
