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


def test_doubled_after_four_answers_up_to_what_was_refused() -> None:
    limits = Limits()
    for _ in range(3):
        limits.refuse(HOURS, limits.length(HOURS, NOW), NOW)
    assert limits.length(HOURS, NOW) == 15 * DAY  # 30 was refused
    for _ in range(20):
        limits.worked(HOURS, limits.length(HOURS, NOW))
    assert limits.length(HOURS, NOW) == 15 * DAY
    later = NOW + 31 * DAY
    limits.length(HOURS, later)
    limits.worked(HOURS, 15 * DAY)
    assert limits.length(HOURS, later) == 30 * DAY


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
    limits.of(HOURS).depth_at = NOW
    again = Limits.from_dict(limits.as_dict())
    assert again.length(HOURS, NOW) == 60 * DAY
    assert again.of(HOURS).depth == NOW - 365 * DAY
    assert again.as_dict() == limits.as_dict()


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
