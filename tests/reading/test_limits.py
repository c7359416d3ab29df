"""What a cloud takes at once: halved, doubled, kept over restarts, tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.climkit.api import Resolution
from custom_components.climkit.reading.limits import KINDS, Kind, Limits

NOW = datetime(2026, 6, 16, 10, tzinfo=UTC)
HOURS = Kind("electricity", Resolution.HOUR)
DAY = timedelta(days=1)


def test_at_first_as_long_as_a_reply_may_be() -> None:
    limits = Limits()
    assert limits.length(HOURS, NOW) == 120 * DAY
    limits.columns["electricity"] = 607  # 200 meters: 700,000 / 607 = 1153 rows
    assert limits.length(HOURS, NOW) == timedelta(hours=1153)
    limits.columns["electricity"] = 100_000
    assert limits.length(HOURS, NOW) == DAY  # shorter makes no sense


def test_halved_down_to_a_day() -> None:
    limits = Limits()
    asked = []
    while limits.refuse(HOURS, limits.length(HOURS, NOW), NOW):
        asked.append(limits.length(HOURS, NOW) / timedelta(hours=1))
    assert asked == [1440, 720, 360, 180, 90, 45, 24]


def test_longer_after_four_answers_until_it_is_near_the_limit() -> None:
    """Halves end far below a limit of 7 days; the way back up ends close to it."""
    limits, asked, refused = Limits(), [], []
    for _ in range(60):
        asked.append(limits.length(HOURS, NOW))
        if asked[-1] > 7 * DAY:
            refused.append(asked[-1])
            limits.refuse(HOURS, asked[-1], NOW)
        else:
            limits.worked(HOURS, asked[-1])
    assert asked[5:9] == [timedelta(hours=90)] * 4  # 180 were refused
    assert asked[9:13] == [timedelta(hours=135)] * 4
    assert asked[13:17] == [timedelta(hours=157)] * 4
    assert refused[-1] == timedelta(hours=180)
    assert asked[17:] == [timedelta(hours=168)] * 43
    later = NOW + 31 * DAY
    assert limits.length(HOURS, later) == 7 * DAY
    limits.worked(HOURS, 7 * DAY)
    assert limits.length(HOURS, later) == 14 * DAY


def test_more_than_ever_worked_is_refused() -> None:
    """It goes on with what worked, and not with half of it."""
    limits = Limits()
    for _ in range(3):
        limits.refuse(HOURS, limits.length(HOURS, NOW), NOW)
    for _ in range(4):
        limits.worked(HOURS, 15 * DAY)
    assert limits.length(HOURS, NOW) == 22.5 * DAY
    limits.refuse(HOURS, 22.5 * DAY, NOW)
    assert limits.length(HOURS, NOW) == 15 * DAY
    limits.refuse(HOURS, 15 * DAY, NOW)  # not any more
    assert limits.length(HOURS, NOW) == 7.5 * DAY


def test_a_control_asks_for_no_more_than_has_worked() -> None:
    limits, quarters = Limits(), Kind("electricity", Resolution.QUARTER_HOUR)
    assert limits.proven(quarters, NOW) == 30 * DAY  # nothing is known yet
    limits.refuse(quarters, DAY, NOW)
    for _ in range(4):
        limits.worked(quarters, DAY / 2)
    assert limits.length(quarters, NOW) == 0.75 * DAY
    assert limits.proven(quarters, NOW) == DAY / 2


def test_short_answers_tell_nothing_of_the_length() -> None:
    limits = Limits()
    limits.refuse(HOURS, 120 * DAY, NOW)
    for _ in range(20):
        limits.worked(HOURS, DAY)
    assert limits.length(HOURS, NOW) == 60 * DAY


def test_as_long_as_what_came_of_a_cut_reply() -> None:
    limits = Limits()
    # The client asks for three hours more on either side.
    limits.shorten(HOURS, 1000, 120 * DAY, NOW)
    assert limits.length(HOURS, NOW) == timedelta(hours=994)
    quarters = Kind("electricity", Resolution.QUARTER_HOUR)
    limits.shorten(quarters, 90, 2 * DAY, NOW)
    assert limits.length(quarters, NOW) == timedelta(hours=16)
    limits.shorten(quarters, 25, 2 * DAY, NOW)
    assert limits.length(quarters, NOW) == timedelta(minutes=15)


def test_kept_over_a_restart() -> None:
    limits = Limits()
    limits.refuse(HOURS, 120 * DAY, NOW)
    limits.of(HOURS).depth = NOW - 365 * DAY
    again = Limits.from_dict(limits.as_dict())
    assert again.length(HOURS, NOW) == 60 * DAY
    assert again.of(HOURS).depth == NOW - 365 * DAY
    assert again.as_dict() == limits.as_dict()


def test_others_begin_with_what_one_was_found_to_take() -> None:
    """But not who has taken more, or is asked for something else."""
    limits = Limits()
    taken = Kind("cooling", Resolution.HOUR)
    limits.worked(taken, 120 * DAY)
    limits.of(taken).answered(NOW - 120 * DAY)
    limits.refuse(HOURS, 120 * DAY, NOW)
    # Nobody knows yet whether it is its length why it is refused.
    assert limits.length(Kind("cold_water", Resolution.HOUR), NOW) == 120 * DAY
    limits.of(HOURS).whole = 60 * 24
    assert limits.length(Kind("heating", Resolution.HOUR), NOW) == 60 * DAY
    assert limits.length(taken, NOW) == 120 * DAY
    assert limits.length(Kind("heating", Resolution.DAY), NOW) == 3660 * DAY
    # That long questions were refused because of the depth says nothing of the length.
    hot_water = Kind("hot_water", Resolution.HOUR)
    while limits.refuse(hot_water, limits.length(hot_water, NOW), NOW):
        pass
    limits.begin_at(hot_water, NOW - 700 * DAY, NOW + DAY)
    assert limits.length(hot_water, NOW) == DAY * 60


DEPTH = datetime(2025, 6, 10, 22, tzinfo=UTC)
"""A local midnight: the cloud takes what is written as two in summer for the hour before."""
EARLIEST = datetime(2025, 6, 11, tzinfo=UTC)


def test_hours_that_move_on_by_a_day_every_day() -> None:
    """It is known where they begin, and how a question about them does: by the clock."""
    limits = Limits()
    limits.begin_at(HOURS, DEPTH, NOW, earliest=EARLIEST)
    hours = limits.of(HOURS)
    later = NOW + 3 * DAY
    assert hours.begins(later) == DEPTH
    assert hours.earliest_about(DEPTH, later) == EARLIEST
    assert hours.earliest_about(DEPTH - DAY, later) is None
    assert not hours.may_have_passed(DEPTH, NOW + timedelta(minutes=5))
    assert hours.may_have_passed(DEPTH, later)
    assert hours.may_have_passed(DEPTH + 3 * DAY, later)
    assert not hours.may_have_passed(DEPTH + 5 * DAY, later)
    limits.begin_at(HOURS, DEPTH + 3 * DAY, later, earliest=EARLIEST + 3 * DAY)
    again = Limits.from_dict(limits.as_dict()).of(HOURS)
    winter = later + 180 * DAY
    assert again.begins(winter) == datetime(2025, 12, 10, 23, tzinfo=UTC)
    assert again.earliest_about(DEPTH + 200 * DAY, winter) == EARLIEST + 183 * DAY
    limits.forget_depth("electricity")
    assert hours.begins(winter) is None


@pytest.mark.parametrize("moved", [-DAY, 30 * DAY])
def test_another_depth_that_does_not_move_on(moved: timedelta) -> None:
    limits = Limits()
    limits.begin_at(HOURS, DEPTH, NOW, earliest=EARLIEST)
    later = NOW + 3 * DAY
    limits.begin_at(HOURS, DEPTH + moved, later, earliest=EARLIEST + moved)
    assert limits.of(HOURS).begins(later + 9 * DAY) == DEPTH + moved


@pytest.mark.parametrize(
    "kept", [None, [], "x", {"H a": None}, {"H a": {"length": "long"}}, {"H a": 1}]
)
def test_what_cannot_be_read_is_nothing(kept: object) -> None:
    assert Limits.from_dict(kept).as_dict() == {}


def test_bounded() -> None:
    limits = Limits()
    for number in range(KINDS + 100):
        limits.of(Kind(str(number), Resolution.HOUR)).whole = 1
    assert len(limits.kinds) == KINDS
    assert limits.of(Kind(str(KINDS + 99), Resolution.HOUR)).whole == 1
