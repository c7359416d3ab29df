"""Clouds that give less than was asked for, without a word, or now and then."""

from datetime import timedelta
from typing import Any, Final

from homeassistant.util import dt as dt_util
import pytest

from tests.ledger import rows_of
from tests.simulator import Fault

from .life import DAYS, START, CloudLife, bound, whole_life

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(START)]

ROWS: Final = DAYS * 24


@pytest.mark.parametrize("kept", ["first", "last"])
@pytest.mark.parametrize("rows", [1000, 500, 200])
async def test_cut_replies(life: CloudLife, rows: int, kept: Any) -> None:
    life.cloud.quirks.most_rows = rows
    life.cloud.quirks.kept_rows = kept
    await whole_life(life, least=ROWS / rows + 1)


MONTHS: Final[dict[str, dict[str, Any]]] = {
    "a thousandfold": {"month_factor": 1000.0},
    "nothing": {"month_factor": 0.0},
    "UTC midnights": {"midnights": "utc"},
    "whole at the edges": {"whole_periods": True},
    "times are UTC": {"requested_times": "utc"},
    "labels in UTC": {"timestamps": "z"},
}


@pytest.mark.parametrize("kind", MONTHS)
async def test_months_that_are_odd(life: CloudLife, kind: str) -> None:
    for name, value in MONTHS[kind].items():
        setattr(life.cloud.quirks, name, value)
    await whole_life(life, least=1)


SHORT: Final[dict[str, dict[str, Any]]] = {
    "empty list": {"kind": "empty_list"},
    "nulls": {"kind": "all_null"},
    "some nulls": {"kind": "nulls"},
    "some keys": {"kind": "missing_keys"},
    "error object": {"kind": "error_object"},
}
"""What is less than the truth for a while."""


@pytest.mark.parametrize("kind", SHORT)
@pytest.mark.parametrize("seconds", [20, 600])
async def test_less_while_importing(life: CloudLife, kind: str, seconds: int) -> None:
    """No hole is left, and what is there is not taken for all."""
    now = dt_util.utcnow()
    # Set-up and its first poll take a few seconds; the rest is the import's.
    life.cloud.faults.add(
        Fault(
            **SHORT[kind],
            path="site_data",
            since=now + timedelta(seconds=5),
            until=now + timedelta(seconds=5 + seconds),
        )
    )
    await life.set_up()
    await life.minutes(15)
    await life.imported()
    await life.right()
    assert life.past() <= bound(5)


@pytest.mark.parametrize("kind", SHORT)
async def test_less_while_polling(life: CloudLife, kind: str) -> None:
    """Neither a total nor today nor a row falls."""
    await life.set_up()
    await life.imported()
    await life.minutes(120)
    before = {key: float(life.site_value(key) or "nan") for key in _RISING}
    rows = await rows_of(life.hass, f"climkit:{life.site.id}_consumption")
    fault = Fault(**SHORT[kind], path="site_data")
    life.cloud.faults.add(fault)
    for _ in range(4):
        await life.minutes(15)
        for key, value in before.items():
            state = life.site_value(key)
            if state != "unavailable":  # an error may say so, in time
                assert float(state or "nan") >= value - 0.001, key
    assert fault.hits
    now = await rows_of(life.hass, f"climkit:{life.site.id}_consumption")
    assert {hour: now[hour] for hour in rows if hour in now} == rows
    life.cloud.faults.clear()
    await life.minutes(60)
    await life.right()
    assert len(life.lines()) <= 1, life.lines()


_RISING: Final = ("consumption", "consumption_today")


@pytest.mark.parametrize("hours", [3, 30])
async def test_an_older_replica_now_and_then(life: CloudLife, hours: int) -> None:
    """Every third answer is some hours old; corrections are found all the same."""
    life.cloud.quirks.replica_lag = timedelta(hours=hours)
    await life.set_up()
    await life.imported()
    await life.minutes(15)
    highest = 0.0
    for _ in range(12):
        await life.minutes(15)
        state = life.site_value("consumption")
        assert state not in (None, "unknown", "unavailable")
        assert float(state) >= highest - 0.001
        highest = float(state)
    life.cloud.quirks.replica_lag = timedelta(0)
    await life.minutes(20)
    await life.right()
    assert not life.lines()
