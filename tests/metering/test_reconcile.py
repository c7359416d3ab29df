"""What came held against what is stored, as tables from paper."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.climkit.metering.hours import (
    HOUR,
    QUARTER,
    HourlyAmounts,
    amount_since,
)
from custom_components.climkit.metering.reconcile import (
    StatisticRow,
    StoredWindow,
    amounts_between,
    plan,
    rounding_allowance,
    totals_at_live_edge,
)

T0 = datetime(2026, 6, 16, 10, tzinfo=UTC)


def quarters(start: datetime, *amounts: float | None) -> dict[datetime, float]:
    """Return quarter hours one after the other, without those that are None."""
    return {
        start + i * QUARTER: amount
        for i, amount in enumerate(amounts)
        if amount is not None
    }


def rows(start: datetime, *amounts: float, base: float = 0.0) -> list[StatisticRow]:
    """Return a chain of rows one after the other."""
    chain = []
    for i, amount in enumerate(amounts):
        base += amount
        chain.append(StatisticRow(start + i * HOUR, amount, base))
    return chain


@pytest.mark.parametrize(
    ("stored", "complete", "partial", "expected"),
    [
        pytest.param([], {0: 1, 1: 2}, {}, [(0, 1, 1), (1, 2, 3)], id="first"),
        pytest.param([1, 2], {0: 1, 1: 2}, {}, [], id="no news"),
        pytest.param([1, 2], {2: 3}, {}, [(2, 3, 6)], id="one more"),
        pytest.param(
            [1, 2, 3],
            {0: 1.5},
            {},
            [(0, 1.5, 1.5), (1, 2, 3.5), (2, 3, 6.5)],
            id="revision moves all later sums",
        ),
        pytest.param(
            [1, 2, 3],
            {0: 2, 1: 1},
            {},
            [(0, 2, 2), (1, 1, 3)],
            id="moved from one hour to another",
        ),
        pytest.param([1, 2], {}, {0: 0.4}, [], id="partial never replaces"),
        pytest.param([1], {}, {1: 0.4}, [(1, 0.4, 1.4)], id="partial fills a hole"),
        pytest.param([1, 2], {0: 0}, {}, [(0, 0, 0), (1, 2, 2)], id="revised to zero"),
        pytest.param([1, 2, 3], {2: 3}, {}, [], id="what the cloud forgot, stays"),
        pytest.param([1, 2], {1: -2}, {}, [(1, -2, -1)], id="negative"),
        pytest.param([1, 2], {1: 2 + 1e-9}, {}, [], id="dust of floats"),
    ],
)
def test_reconcile(
    stored: list[float],
    complete: dict[int, float],
    partial: dict[int, float],
    expected: list[tuple[int, float, float]],
) -> None:
    """Rows to write: those that differ, with the sum going on from the base."""
    hours = HourlyAmounts(
        {T0 + n * HOUR: v for n, v in complete.items()},
        {T0 + n * HOUR: v for n, v in partial.items()},
    )
    for base in (0.0, 100.0):
        window = StoredWindow(base, rows(T0, *stored, base=base))
        changed = list(plan(window, None, hours).changed)
        assert changed == [
            StatisticRow(T0 + n * HOUR, state, base + total)
            for n, state, total in expected
        ]


def test_reconcile_fills_a_gap_and_leaves_no_jump() -> None:
    """An hour that comes between two stored ones moves only what is after it."""
    stored = StoredWindow(
        5.0, [StatisticRow(T0, 1, 6), StatisticRow(T0 + 2 * HOUR, 3, 9)]
    )
    assert list(plan(stored, None, HourlyAmounts({T0 + HOUR: 2}, {})).changed) == [
        StatisticRow(T0 + HOUR, 2, 8),
        StatisticRow(T0 + 2 * HOUR, 3, 11),
    ]


def test_reconcile_mends_a_broken_chain() -> None:
    """Sums that do not go on from each other are put right by the way."""
    stored = StoredWindow(0.0, [StatisticRow(T0, 1, 1), StatisticRow(T0 + HOUR, 2, 99)])
    assert list(plan(stored, None, HourlyAmounts({T0: 1}, {})).changed) == [
        StatisticRow(T0 + HOUR, 2, 3)
    ]


def test_rounding_is_no_revision() -> None:
    """An hour's row, rounded, is not news against the sum of four rounded quarters."""
    stored = StoredWindow(0.0, rows(T0, 0.4980, 1.0))
    hours = HourlyAmounts({T0: 0.5}, {})
    assert not plan(stored, None, hours, tolerance=0.0025)
    assert len(plan(stored, None, hours).changed) == 2


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param([], 10, id="no row yet: all quarters"),
        pytest.param([0], 100, id="the quarters are in the row"),
        pytest.param([-1], 110, id="the quarters are since"),
        pytest.param([1], 110, id="the first hour of all waits"),
        pytest.param([-1, 1], 110, id="an hour waits, a later one has its row"),
        pytest.param(range(-6, 2), 100, id="a tail with the hour"),
        pytest.param([*range(-6, 0), 1, 2], 110, id="a tail without the hour"),
        pytest.param(range(1, 9), 100, id="before the tail: known to have its row"),
    ],
)
def test_total_at_live_edge(stored: Iterable[int], expected: float) -> None:
    """The total is the newest sum and the quarters of hours that have no row."""
    tail = [StatisticRow(T0 + hour * HOUR, 1, 100) for hour in stored]
    some = quarters(T0, 1, 2, 3, 4)
    assert totals_at_live_edge({"a": tail}, {"a": some}) == {"a": expected}


def test_total_of_nothing_is_unknown() -> None:
    """Nothing measured is not zero."""
    assert totals_at_live_edge({}, {"a": {}}) == {}
    assert amount_since({}, T0) is None
    assert amount_since(quarters(T0, 1, 2), T0 + QUARTER) == 2


def test_amounts_between() -> None:
    """Rows are added up by period; those outside belong to none."""
    bounds = [T0, T0 + 2 * HOUR, T0 + 5 * HOUR]
    some = [*rows(T0 - HOUR, 50, 1, 2, 3, 4), StatisticRow(T0 + 5 * HOUR, 60, 0)]
    assert amounts_between(some, bounds) == {T0: 3, T0 + 2 * HOUR: 7}


def test_rounding_allowance_of_a_month() -> None:
    """2976 quarters, each off by up to 0.0005: 0.0005 + 6 * 0.000288675 * 54.553."""
    assert rounding_allowance(timedelta(days=31)) == pytest.approx(0.09499, abs=1e-5)
