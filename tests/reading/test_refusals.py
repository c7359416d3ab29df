"""Who does not answer is asked again after 1, 5, 15 and 60 minutes, at a poll before."""

from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace

import pytest

from custom_components.climkit.api import (
    ClimkitAccessError,
    ClimkitError,
    ClimkitResponseError,
)
from custom_components.climkit.reading.refusals import Refusals
from custom_components.climkit.reading.roster import Roster

NOW = datetime(2026, 6, 16, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NO = ClimkitAccessError("site_data", 403)


def test_asked_again_and_again() -> None:
    refusals = Refusals()
    now, waited = NOW, []
    for _ in range(6):
        refusals.failed("electricity", NO, now)
        start = now
        while not refusals.may_ask("electricity", now):
            now += MINUTE
        waited.append((now - start) / MINUTE)
    assert waited == [1, 5, 14, 45, 45, 45]
    assert refusals.error("electricity") is NO
    refusals.worked("electricity")
    assert refusals.may_ask("electricity", now)
    assert refusals.error("electricity") is None


@pytest.mark.parametrize("seed", range(20))
def test_polls_ask_again_within_the_hour(seed: int) -> None:
    """Whatever the second at which they come: a quarter of an hour apart, and some jitter.

    Never more often than a poll, nor, after some refusals, than every 45 minutes.
    """
    random, refusals = Random(seed), Refusals()
    refusals.failed("m1", NO, NOW)
    last, waited = NOW, list[timedelta]()
    for quarter in range(1, 100):
        now = NOW + quarter * 15 * MINUTE + timedelta(seconds=random.uniform(-15, 15))
        if refusals.may_ask("m1", now):
            waited.append(now - last)
            last = now
            refusals.failed("m1", NO, now)
    assert max(waited) <= 60 * MINUTE
    assert min(waited[3:]) >= 44 * MINUTE


@pytest.mark.parametrize(
    ("error", "withdrawn"),
    [(NO, True), (ClimkitResponseError("site_data", "x"), False)],
)
def test_withdrawn_is_what_lasts_over_a_day(
    error: ClimkitError, withdrawn: bool
) -> None:
    refusals = Refusals()
    for hour in range(25):
        now = NOW + timedelta(hours=hour)
        refusals.failed("electricity", error, now)
        assert refusals.is_withdrawn("electricity", now) is (withdrawn and hour >= 24)


def test_two_refusals_two_days_apart_are_no_more_than_two() -> None:
    refusals = Refusals()
    refusals.failed("electricity", NO, NOW)
    now = NOW + timedelta(days=2)
    refusals.failed("electricity", NO, now)
    assert not refusals.is_withdrawn("electricity", now)


def test_who_has_nothing_to_say_rests_for_a_day() -> None:
    refusals = Refusals()
    refusals.rest("m1", NOW)
    assert refusals.is_resting("m1", NOW + timedelta(hours=23))
    assert not refusals.is_resting("m1", NOW + timedelta(hours=24))
    assert not refusals.is_resting("m2", NOW)
    refusals.keep({"electricity"})
    assert not refusals.resting


def test_an_answer_without_values_does_not_end_the_rest() -> None:
    refusals = Refusals()
    refusals.rest("m1", NOW)
    refusals.worked("m1", is_silent=True)
    assert refusals.is_resting("m1", NOW + MINUTE)
    refusals.worked("m1")
    assert not refusals.is_resting("m1", NOW + MINUTE)


def names(roster: Roster[SimpleNamespace], listed: str, now: datetime) -> str:
    """Take a list of one-letter ids, and return those thought to be there."""
    some = [SimpleNamespace(id=letter) for letter in listed]
    return "".join(one.id for one in roster.listed(some, now))


def test_a_short_list_removes_nobody() -> None:
    roster: Roster[SimpleNamespace] = Roster()
    day = timedelta(days=1)
    assert names(roster, "abc", NOW) == "abc"
    assert roster.again_after(day) == day
    assert names(roster, "", NOW + MINUTE) == "abc"
    assert roster.again_after(day) == MINUTE
    assert names(roster, "ac", NOW + 2 * MINUTE) == "acb"
    assert roster.again_after(day) == 5 * MINUTE
    assert names(roster, "ac", NOW + 8 * MINUTE) == "acb"
    assert names(roster, "abc", NOW + 20 * MINUTE) == "abc"
    assert roster.again_after(day) == day
    # From here on b is missing for good.
    assert names(roster, "ac", NOW + day) == "acb"
    assert names(roster, "ac", NOW + day + MINUTE) == "acb"
    assert names(roster, "ac", NOW + 2 * day) == "acb"  # not longer than a day
    assert names(roster, "ac", NOW + 2 * day + MINUTE) == "ac"
    assert names(roster, "ac", NOW + 3 * day) == "ac"


def test_missing_in_two_lists_is_not_enough() -> None:
    roster: Roster[SimpleNamespace] = Roster()
    names(roster, "ab", NOW)
    assert names(roster, "a", NOW + timedelta(days=5)) == "ab"
    assert names(roster, "a", NOW + timedelta(days=9)) == "ab"
    assert names(roster, "a", NOW + timedelta(days=10)) == "a"
