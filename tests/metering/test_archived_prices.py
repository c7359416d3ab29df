"""Prices by quarter hour, as they are kept for years."""

from datetime import timedelta
import json

import pytest

from custom_components.climkit.metering.archived_prices import (
    ArchivedPrices,
    prices_of_changes,
    quarters_of_hours,
    spans_of_days,
)
from custom_components.climkit.metering.hours import HOUR, QUARTER

from .examples import utc

TEN = utc("2026-11-26 10:00")
DAY = timedelta(days=1)


def test_a_price_is_there_for_its_quarter_hour_alone() -> None:
    prices = ArchivedPrices()
    assert prices.put(TEN, 0.23456, exact=True)
    assert prices.price(TEN) == pytest.approx(0.23456, abs=1e-12)
    assert prices.price(TEN + QUARTER) is None
    assert prices.price(TEN - DAY) is None


@pytest.mark.parametrize("price", [0.0, -0.05])
def test_zero_and_less_are_prices(price: float) -> None:
    prices = ArchivedPrices()
    prices.put(TEN, price, exact=True)
    assert prices.price(TEN) == pytest.approx(price)


def test_only_what_is_more_exact_replaces() -> None:
    """A mean by nothing but a state; a state by nothing."""
    prices = ArchivedPrices()
    for price, exact, changes, then in (
        (0.30, False, True, 0.30),
        (0.31, False, False, 0.30),
        (0.20, True, True, 0.20),
        (0.21, True, False, 0.20),
        (0.30, False, False, 0.20),
    ):
        assert prices.put(TEN, price, exact=exact) is changes
        assert prices.price(TEN) == pytest.approx(then)


def test_what_is_lacking() -> None:
    prices = ArchivedPrices()
    start, end = TEN, TEN + HOUR
    assert prices.lacks(start, end, exact=False)
    for quarter, price in quarters_of_hours({TEN: 0.3}):
        prices.put(quarter, price, exact=False)
    assert not prices.lacks(start, end, exact=False)
    assert prices.lacks(start, end, exact=True)
    assert prices.lacks(start, end + QUARTER, exact=False)
    for i in range(4):
        prices.put(TEN + i * QUARTER, 0.2, exact=True)
    assert not prices.lacks(start, end, exact=True)
    assert prices.lacks(start - DAY, end, exact=True)
    assert not prices.lacks(start, start, exact=True)


def test_kept_over_a_restart() -> None:
    prices = ArchivedPrices()
    prices.put(TEN, 0.30, exact=False)
    prices.put(TEN + QUARTER, 0.20, exact=True)
    prices.put(TEN - DAY, 0.10, exact=True)
    again = ArchivedPrices.from_dict(json.loads(json.dumps(prices.as_dict())))
    assert again.as_dict() == prices.as_dict()
    assert again.put(TEN, 0.25, exact=True)
    assert not again.put(TEN + QUARTER, 0.25, exact=True)
    assert again.price(TEN - DAY) == pytest.approx(0.10)


def test_a_year_is_small() -> None:
    prices = ArchivedPrices()
    for i in range(365 * 96):
        prices.put(TEN + i * QUARTER, 0.2345, exact=True)
    assert len(json.dumps(prices.as_dict(), indent=2)) < 250_000


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({"yesterday": {"prices": ",".join("1" * 96)}}, id="no day"),
        pytest.param({"2026-11-26": {"prices": ",".join("1" * 95)}}, id="too short"),
        pytest.param({"2026-11-26": {"prices": ",".join("x" * 96)}}, id="no numbers"),
        pytest.param({"2026-11-26": {"prices": [1] * 96}}, id="no text"),
        pytest.param({"2026-11-26": {}}, id="nothing"),
        pytest.param({"2026-11-26": []}, id="a list"),
        pytest.param(
            {"2026-11-26": {"prices": ",".join("1" * 96), "means": "x"}}, id="means"
        ),
    ],
)
def test_what_cannot_be_read_is_left_out(stored: dict[str, object]) -> None:
    good = {"2026-11-25": {"prices": ",".join(["20000"] * 96)}}
    prices = ArchivedPrices.from_dict(stored | good)
    assert prices.as_dict() == good


def test_old_days_are_forgotten() -> None:
    prices = ArchivedPrices()
    for i in range(5):
        prices.put(TEN + i * DAY, 0.2, exact=True)
    prices.keep_newest(2)
    assert list(prices.as_dict()) == ["2026-11-29", "2026-11-30"]
    prices.keep_newest(2)
    assert len(prices.as_dict()) == 2


MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "prices"),
    [
        pytest.param([], [], id="nothing told"),
        pytest.param([(0 * MINUTE, 0.2)], [0.2] * 4, id="told before, and it stays"),
        pytest.param(
            [(0 * MINUTE, 0.2), (15 * MINUTE, 0.4)], [0.2, 0.4, 0.4, 0.4], id="border"
        ),
        pytest.param(
            [(0 * MINUTE, 0.2), (14 * MINUTE + 59 * SECOND, 0.4)],
            [0.4] * 4,
            id="the last second is the quarter's",
        ),
        pytest.param(
            [(0 * MINUTE, 0.2), (15 * MINUTE - 0.5 * SECOND, 0.4)],
            [0.2, 0.4, 0.4, 0.4],
            id="half a second early",
        ),
        pytest.param(
            [(20 * MINUTE, 0.3)], [None, 0.3, 0.3, 0.3], id="not known at first"
        ),
        pytest.param(
            [(0 * MINUTE, 0.2), (20 * MINUTE, None)],
            [0.2, 0.2],
            id="gone: what it told within that quarter counts",
        ),
        pytest.param([(0 * MINUTE, None)], [], id="unavailable all the time"),
        pytest.param(
            [(0 * MINUTE, 0.2), (15 * MINUTE, None), (50 * MINUTE, 0.3)],
            [0.2, None, None, 0.3],
            id="away for a while",
        ),
        pytest.param(
            [(1 * MINUTE, 0.2), (2 * MINUTE, 0.3), (3 * MINUTE, None)],
            [0.3],
            id="the last of several",
        ),
    ],
)
def test_prices_of_what_an_entity_told(
    changes: list[tuple[timedelta, float | None]], prices: list[float | None]
) -> None:
    told = [(TEN + after, price) for after, price in changes]
    expected = {
        TEN + i * QUARTER: price for i, price in enumerate(prices) if price is not None
    }
    assert dict(prices_of_changes(told, TEN, TEN + HOUR)) == expected


def test_spans_of_days() -> None:
    start, end = utc("2026-01-30 13:15"), utc("2026-02-03 07:30")
    assert list(spans_of_days(start, end, 2)) == [
        (start, utc("2026-02-01 00:00")),
        (utc("2026-02-01 00:00"), utc("2026-02-03 00:00")),
        (utc("2026-02-03 00:00"), end),
    ]
    assert list(spans_of_days(end, start, 2)) == []
    assert list(spans_of_days(end, end, 2)) == []
