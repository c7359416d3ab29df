"""Months held against sums, by figures from paper; and whose turn it is at night."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.history.comparison import (
    are_absurd,
    by_period,
    gap_of,
    is_lacking,
    months_within,
    odd_periods,
    spans_of,
    told_between,
    turn_of,
)

ZURICH = ZoneInfo("Europe/Zurich")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def month(number: int, year: int = 2026) -> datetime:
    """Return when a month begins in Zurich, in UTC."""
    return datetime(year, number, 1, tzinfo=ZURICH).astimezone(UTC)


BOUNDS = [month(1), month(2), month(3), month(4)]


def test_only_whole_months_are_compared() -> None:
    span = datetime(2025, 12, 15, tzinfo=UTC), datetime(2026, 4, 20, tzinfo=UTC)
    assert months_within(span, ZURICH) == BOUNDS
    assert months_within((month(1), month(2)), ZURICH) == [month(1), month(2)]
    assert months_within((month(1) + HOUR, month(3) - HOUR), ZURICH) == []


@pytest.mark.parametrize(
    ("cloud", "stored", "odd"),
    [
        (100.0, 100.0, False),
        (100.0, 100.09, False),  # 744 hours of four quarters, rounded each for itself
        (100.0, 100.11, True),
        (100.0, 0.0, True),
        (0.0, 0.0, False),  # known to be empty
        (0.0, 0.3, True),
        (None, 12.0, False),  # the cloud may forget
        (-0.5, 0.0, True),
    ],
)
def test_odd_months(cloud: float | None, stored: float, *, odd: bool) -> None:
    """Even is what is within a tenth of a kilowatt-hour."""
    told = {} if cloud is None else {month(1): cloud}
    found = odd_periods(told, {month(1): stored}, BOUNDS, {})
    assert list(found) == ([month(1)] if odd else [])


def test_a_difference_that_was_accepted_is_none_until_it_changes() -> None:
    stored = {month(2): 90.0}
    accepted = {month(2): 10.0}
    assert not odd_periods({month(2): 100.0}, stored, BOUNDS, accepted)
    assert odd_periods({month(2): 100.5}, stored, BOUNDS, accepted)


def test_a_day_has_less_to_round() -> None:
    """96 quarter hours: 0.0005 + 6 x 0.000289 x 9.8 = 0.0175 kWh."""
    days = [month(1), month(1) + DAY]
    assert not odd_periods({month(1): 10.017}, {month(1): 10.0}, days, {})
    assert odd_periods({month(1): 10.018}, {month(1): 10.0}, days, {})


def test_labels_of_another_zone_mean_the_same_months() -> None:
    labels = {datetime(2026, n, 1, tzinfo=UTC): float(n) for n in (1, 2, 3)}
    assert by_period(labels, BOUNDS) == (
        {month(1): 1.0, month(2): 2.0, month(3): 3.0},
        0,
    )


def test_labels_that_mean_no_month_are_counted() -> None:
    labels = {month(1): 1.0, month(2) + 10 * DAY: 2.0, month(9): 3.0}
    assert by_period(labels, BOUNDS) == ({month(1): 1.0}, 1)


def test_what_a_reply_tells_of() -> None:
    """Before its first row and behind its last it tells nothing."""
    assert told_between(month(2), month(2), BOUNDS) == (month(2), month(3))
    assert told_between(month(1) + HOUR, month(3) + HOUR, BOUNDS) == (
        month(1),
        month(4),
    )
    assert told_between(None, None, BOUNDS) == (month(1), month(1))


def test_adjacent_months_are_one_span() -> None:
    assert spans_of([month(1), month(3)], BOUNDS) == [
        (month(1), month(2)),
        (month(3), month(4)),
    ]
    assert spans_of([month(2), month(1)], BOUNDS) == [(month(1), month(3))]


@pytest.mark.parametrize(
    ("cloud", "stored", "absurd"),
    [
        ({1: 100.0, 2: 80.0, 4: 20.0}, {1: 100.0, 2: 80.0, 4: 20.0}, False),
        ({1: 100.0, 2: 80.0, 4: 20.0}, {1: 100.0, 2: 0.0, 4: 20.0}, False),
        ({1: 100e3, 2: 80e3, 4: 20e3}, {1: 100.0, 2: 80.0, 4: 20.0}, True),  # in Wh
        ({1: 0.0, 2: 0.0, 4: 0.0}, {4: 20.0}, True),  # more by the hour so far
        ({}, {4: 20.0}, True),  # an empty list
        ({1: 100.0, 2: 80.0}, {1: 100.0, 2: 80.0, 4: 20.0}, False),  # none of April yet
        ({1: 0.0}, {1: 0.0}, False),
    ],
)
def test_absurd_months(
    cloud: dict[int, float], stored: dict[int, float], *, absurd: bool
) -> None:
    """April is not over."""
    pair = (
        {month(n): amount for n, amount in cloud.items()},
        {month(n): amount for n, amount in stored.items()},
    )
    assert are_absurd([pair], month(4)) is absurd


def test_each_old_window_has_its_turn_within_three_weeks() -> None:
    """Five years: 21 windows, which cover every hour once."""
    span = datetime(2021, 6, 1, tzinfo=UTC), datetime(2026, 5, 12, tzinfo=UTC)
    windows = [turn_of(span, 739_000 + night) for night in range(21)]
    covered = sorted(window for window in windows if window)
    assert len(set(covered)) == 21
    assert (covered[0][0], covered[-1][1]) == span
    assert all(a[1] == b[0] for a, b in pairwise(covered))
    assert all(end - start <= 90 * DAY for start, end in covered)
    assert turn_of(span, 739_021) == windows[0]


def test_nothing_old_has_no_turn() -> None:
    assert turn_of((month(3), month(3)), 7) is None
    assert turn_of((month(2), month(3)), 7) == (month(2), month(3))


def test_the_gap_in_what_came() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    amounts = {start + n * HOUR: 1.0 for n in range(72) if not 30 <= n < 40}
    span = start, start + 72 * HOUR
    assert gap_of(span, amounts) == (start + 30 * HOUR, start + 40 * HOUR)
    assert gap_of(span, {}) == span


def test_what_is_clearly_lacking() -> None:
    """More than rounding explains; what is stored beyond the cloud's lacks nothing."""
    assert is_lacking({month(1): 1.1})
    assert not is_lacking({month(1): 0.9, month(2): -30.0})
