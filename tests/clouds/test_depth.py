"""Clouds that keep so much of the past and no more."""

from datetime import UTC, datetime
import logging
from typing import Any, Final

import pytest

from tests.ledger import HOUR
from tests.simulator import sites

from .life import BEGINNING, DAY, START, CloudLife, bound

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(START)]

KEPT: Final = datetime(2026, 5, 11, 22, tzinfo=UTC)
"""Five weeks, from a local midnight within a month on."""
KINDS: Final[dict[str, tuple[tuple[str, ...], Any]]] = {
    **{
        f"all, {how}": (("",), how)
        for how in (400, 403, 404, 413, 500, "error_object", "html", "hang")
    },
    "all, empty": (("",), "empty"),
    "all, clipped": (("",), "clipped"),
    "hours, 400": (("H",), 400),
    "hours, empty": (("H",), "empty"),
    "hours and days, 404": (("H", "D"), 404),
}
"""Of which samplings the past is missing, and how it is refused."""
MIDNIGHT: Final = datetime(2026, 6, 15, 22, tzinfo=UTC)
"""The local midnight before the start."""
QUESTIONS: Final = 11
"""So many halvings find a day in five years."""


def keep(life: CloudLife, samplings: tuple[str, ...], how: Any) -> None:
    """Let the cloud forget what was before."""
    life.cloud.quirks.depth = dict.fromkeys(samplings, KEPT)
    life.cloud.quirks.depth_refusal = how
    life.since = KEPT


@pytest.mark.parametrize("kind", KINDS)
async def test_a_depth(life: CloudLife, kind: str) -> None:
    """History begins there, after some questions and with one line in the log."""
    samplings, how = KINDS[kind]
    keep(life, samplings, how)
    await life.set_up()
    await life.imported()
    assert life.past() <= bound(2 + QUESTIONS), "requests of the import"
    await life.right()
    await life.restart()
    await life.minutes(10)
    for days_ago in (5, 25):
        life.revise(days_ago)
    mark = life.mark
    await life.night()
    await life.right()
    assert life.past(mark) <= bound(4), "requests of a night"
    await life.readings_are_right(days=30)
    assert not life.reauth
    assert not life.issues
    assert len(life.lines()) <= 1, life.lines()


@pytest.mark.parametrize("how", [400, 404, "empty"])
async def test_what_the_cloud_gives_later_is_added_in_front(
    life: CloudLife, how: Any
) -> None:
    keep(life, ("",), how)
    await life.set_up()
    await life.imported()
    await life.right()
    mark = life.mark
    life.cloud.quirks.depth = {}
    life.since = BEGINNING
    await life.call("import_history")
    await life.imported()
    assert life.past(mark) <= bound(2 + QUESTIONS)
    await life.right()


FIRST: Final = datetime(2021, 6, 14, 22, tzinfo=UTC)
MIDDLE: Final = datetime(2024, 5, 20, 22, tzinfo=UTC)
"""Two of five years, from a local midnight within a month on."""


@pytest.mark.parametrize("site", [sites.many(1, created=FIRST)[0]], ids=["5 years"])
@pytest.mark.parametrize("how", [400, "empty"])
async def test_two_of_five_years(life: CloudLife, how: Any) -> None:
    """Months and years are given from their next beginning on, hours before it."""
    life.cloud.quirks.depth = {"": MIDDLE}
    life.cloud.quirks.depth_refusal = how
    life.since = MIDDLE
    await life.set_up()
    await life.imported()
    # Seven windows, and three searches: for the month, the day, and what is before.
    assert life.past() <= bound(7 + QUESTIONS)
    await life.right()
    assert not life.reauth
    assert not life.issues
    assert len(life.lines()) <= 1, life.lines()


async def test_a_depth_that_moves_on(life: CloudLife) -> None:
    """The cloud forgets another day every day; what is stored stays."""
    keep(life, ("",), 400)
    await life.set_up()
    await life.imported()
    await life.right()
    mark = life.mark
    for _ in range(2):
        life.cloud.quirks.depth[""] += DAY
        await life.night()
    await life.right()
    assert life.past(mark) <= bound(2 * 4)
    assert len(life.lines()) <= 1, life.lines()


@pytest.mark.parametrize("up_to", ["midnight", "now"])
async def test_a_depth_that_moves_on_every_day(life: CloudLife, up_to: Any) -> None:
    """Once that was noticed, it is known where it is; what is stored stays."""
    quirks = life.cloud.quirks
    quirks.kept, quirks.kept_up_to = {"": 60 * DAY}, up_to
    life.since = MIDNIGHT - 60 * DAY + (HOUR if up_to == "now" else 0 * HOUR)
    await life.set_up()
    await life.imported()
    await life.right()
    nights = []
    for night in range(6):
        mark = life.mark
        await life.night(after_sleep=True)
        nights.append(sum(r.status == 400 for r in life.asked(mark, "H")))
        if night == 4:
            await life.restart()
    # Twice in vain, and where it is now; and once a week what was before.
    assert sum(nights) <= 4 + 1, nights
    assert nights.count(0) >= 4, nights
    await life.right()
    mark = life.mark
    await life.call("import_history")
    # It may have moved since the night, by hours.
    assert life.past(mark) <= bound(2)
    await life.right()
    said = [line for line in life.lines(logging.INFO) if "begins there" in line]
    assert len(said) == 1
    assert not life.lines()
    assert not life.issues
