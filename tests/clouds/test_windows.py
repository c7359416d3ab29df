"""Clouds that give so much at once and no more, and say so in their own way."""

from datetime import timedelta
from math import ceil
from typing import Any, Final

import pytest

from .life import DAY, DAYS, START, CloudLife, whole_life

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(START)]

MONTH: Final = 31 * DAY
NEVER: Final = timedelta(0)
KINDS: Final[dict[str, tuple[dict[str, timedelta], Any]]] = {
    "nothing": ({}, 400),
    **{
        f"31 days, {how}": ({"H": MONTH, "D": MONTH, "M": MONTH, "15T": MONTH}, how)
        for how in (400, 403, 404, 413, 422, 500, "error_object", "html", "hang")
    },
    "31 days of hours": ({"H": MONTH}, 400),
    "7 days of hours": ({"H": 7 * DAY}, 400),
    "7 days of hours, 500": ({"H": 7 * DAY}, 500),
    "36 hours of quarters": ({"15T": 1.5 * DAY}, 400),
    "36 hours of quarters, 404": ({"15T": 1.5 * DAY}, 404),
    "36 hours of quarters, hang": ({"15T": 1.5 * DAY}, "hang"),
    "a day of quarters": ({"15T": DAY}, 400),
    "a week of anything": ({"15T": 7 * DAY, "H": 7 * DAY, "D": 7 * DAY}, 413),
    "no months": ({"M": NEVER}, 400),
    "no months, 404": ({"M": NEVER}, 404),
    "no months, hang": ({"M": NEVER}, "hang"),
    "neither months nor days": ({"M": NEVER, "D": NEVER}, 400),
    "only short windows of hours": ({"M": NEVER, "D": NEVER, "H": 7 * DAY}, 500),
    "31 days of months": ({"M": MONTH}, 400),
}
"""The longest windows by sampling, and how longer ones are refused."""


@pytest.mark.parametrize("kind", KINDS)
async def test_a_limit(life: CloudLife, kind: str) -> None:
    longest, how = KINDS[kind]
    life.cloud.quirks.longest = longest
    life.cloud.quirks.window_refusal = how
    least = ceil(DAYS / (longest.get("H", DAYS * DAY) / DAY))
    await whole_life(life, least=least)


async def test_what_was_learned_outlasts_a_restart(life: CloudLife) -> None:
    """Import, restart, action: the limit is found once."""
    life.cloud.quirks.longest = {"H": 7 * DAY}
    life.cloud.quirks.window_refusal = 400
    await life.set_up()
    await life.imported()
    await life.minutes(5)
    await life.restart()
    mark = life.mark
    await life.call("import_history")
    refused = [r for r in life.asked(mark, "H") if r.status == 400]
    # Lengths that worked a few times double again, up to what was refused before.
    assert len(refused) <= 2, f"{len(refused)} refused again"
    await life.right()
