"""The schedule learns when the cloud publishes; a simulated clock, no sleeping."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from custom_components.climkit.metering.hours import QUARTER
from custom_components.climkit.metering.publication import RETRY, PublicationSchedule

START = datetime(2026, 3, 1, 12, 3, 20, tzinfo=UTC)
HOURS = 48


def follow(
    publish: Callable[[datetime], datetime], hours: int = HOURS
) -> tuple[list[datetime], list[timedelta]]:
    """Poll as the schedule says; return when, and how late each quarter was seen.

    `publish` tells when the quarter that ends at a time appears in the cloud.
    """
    schedule = PublicationSchedule()
    random = Random(7)
    now = START
    seen: datetime | None = None
    polls, added = [], []
    while now < START + timedelta(hours=hours):
        polls.append(now)
        end = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        while publish(end) > now:
            end -= QUARTER
        while seen is not None and seen < end:
            seen += QUARTER
            added.append(now - publish(seen))
            assert added[-1] >= timedelta(), "seen before it was there"
        seen = end
        schedule.polled(end, now)
        assert schedule.next_poll(now) > now
        now = schedule.next_poll(now) + timedelta(seconds=random.uniform(0, 15))
    return polls, added


@pytest.mark.parametrize("delay", [0, 3, 14.9, 15, 17, 40, 24 * 60])
@pytest.mark.parametrize("spread", [0, 60])
def test_learns_the_delay(delay: float, spread: float) -> None:
    """Once learned, quarters are seen within two minutes, at four polls an hour.

    Learning takes a few hours at most; the bar is the design's.
    """

    def publish(end: datetime) -> datetime:
        lateness = Random(end.timestamp()).uniform(0, spread)
        return end + timedelta(minutes=delay, seconds=lateness)

    polls, added = follow(publish)
    settled = added[len(added) // 4 :]
    assert sorted(settled)[len(settled) // 2] <= timedelta(minutes=2)
    assert (
        len([poll for poll in polls if poll >= START + timedelta(hours=24)])
        <= 4 * 24 + 4
    )


@pytest.mark.parametrize(("before", "after"), [(17, 40), (40, 5), (5, 12)])
def test_follows_a_change(before: float, after: float) -> None:
    """A cloud that becomes slower or faster is followed within hours."""
    change = START + timedelta(hours=24)

    def publish(end: datetime) -> datetime:
        if end < change:
            return end + timedelta(minutes=before)
        in_order = change + timedelta(minutes=before)
        return max(end + timedelta(minutes=after), in_order)

    _, added = follow(publish)
    assert sorted(added[-40:])[20] <= timedelta(minutes=2)


def test_asks_twice_more_when_nothing_is_new() -> None:
    """After a poll without news: five minutes later, at most twice, then by quarters."""
    schedule = PublicationSchedule()
    end = datetime(2026, 3, 1, 12, tzinfo=UTC)
    now = end + timedelta(minutes=17)
    schedule.polled(end, now)
    waits = []
    for _ in range(4):
        due = schedule.next_poll(now)
        waits.append(due - now)
        now = due
        schedule.polled(end, now)
    assert waits[1:3] == [RETRY, RETRY]
    assert waits[3] > RETRY


def test_unknown_cloud() -> None:
    """Without any quarter hour it is asked after each; a clock set back harms nothing."""
    schedule = PublicationSchedule()
    now = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
    assert now < schedule.next_poll(now) <= now + QUARTER + timedelta(minutes=1)
    schedule.polled(None, now)
    schedule.polled(now + timedelta(hours=3), now)  # from a clock that was ahead
    assert schedule.delay is None
    for _ in range(3):
        schedule.polled(None, now)
    assert now < schedule.next_poll(now) <= now + QUARTER + timedelta(minutes=1)
