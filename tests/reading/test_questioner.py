"""Asking until a span is settled: what a no means, and what a yes may leave out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.api import (
    ClimkitConnectionError,
    ClimkitError,
    Resolution,
)
from custom_components.climkit.reading.answers import Question

from ..conftest import NOW
from ..simulator import Fault
from .asker import CREATED, DAY, EARLIER, HOURS, POLL, Asker, hours

pytestmark = pytest.mark.freeze_time(NOW)


async def test_one_request_where_nothing_is_limited(asker: Asker) -> None:
    end = CREATED + 120 * DAY
    assert await asker.settle(CREATED, end) == hours(CREATED, end)
    assert asker.asked == [("H", 120)]


async def test_a_window_that_is_too_long_is_halved(asker: Asker) -> None:
    """And longer after four, but never as long as what was refused."""
    asker.refuse(lambda _, start, end: end - start > 31 * DAY)
    end = CREATED + 150 * DAY
    assert await asker.settle(CREATED, end) == hours(CREATED, end)
    # A control, since nobody has answered yet: the last day. Then the first one, for it
    # might be too old; then five times a month.
    control = first = ("H", 1)
    halves = [("H", 60), *[("H", 30)] * 5]
    assert asker.asked == [("H", 120), control, first, *halves]
    assert asker.limits.length(HOURS, dt_util.utcnow()) == 45 * DAY


async def test_a_bad_day_in_the_middle_is_left_out(asker: Asker) -> None:
    """It is said that something is not known; the rest comes."""
    bad = datetime(2026, 3, 10, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < bad + DAY and end > bad)
    end = CREATED + 120 * DAY
    await asker.settle(CREATED, CREATED + 30 * DAY)
    found = await asker.settle(CREATED, end)
    assert asker.error is not None
    missing = hours(CREATED, end) - found
    assert hours(bad, bad + DAY) <= missing
    assert len(missing) <= 72
    assert asker.limits.of(HOURS).depth is None


async def test_a_slip_changes_nothing(asker: Asker) -> None:
    """A length that has worked is asked for once more before it counts as too long."""
    await asker.settle(CREATED, CREATED + 120 * DAY)
    asker.refuse(lambda res, start, end: end - start > DAY, status=502, times=1)
    await asker.settle(CREATED, CREATED + 120 * DAY)
    assert asker.asked == [("H", 120), ("H", 120), ("H", 1), ("H", 120)]
    assert asker.limits.length(HOURS, dt_util.utcnow()) == 120 * DAY


@pytest.mark.parametrize("status", [400, 403, 404, 500])
async def test_weather_teaches_nothing(asker: Asker, status: int) -> None:
    asker.refuse(lambda *_: True, status=status)
    with pytest.raises(ClimkitError):
        await asker.settle(CREATED, CREATED + 120 * DAY)
    assert asker.asked == [("H", 120), ("H", 1)]
    assert asker.limits.as_dict() == {}


async def test_a_connection_that_is_refused_is_weather(asker: Asker) -> None:
    asker.cloud.faults.add(Fault("refuse", path="site_data"))
    with pytest.raises(ClimkitError):
        await asker.settle(CREATED, CREATED + 120 * DAY)
    assert len(asker.cloud.requests.to("site_data")) == 1
    assert asker.limits.as_dict() == {}


async def test_a_search_that_weather_breaks_off(asker: Asker) -> None:
    """Nothing is too old because the cloud went away amid the halvings."""
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < kept)
    end = datetime(2026, 6, 15, tzinfo=UTC)
    refusing = asker.cloud.faults.hitting

    def away(endpoint: str, path: str) -> Fault | None:
        return Fault("refuse") if len(asker.asked) > 8 else refusing(endpoint, path)

    asker.cloud.faults.hitting = away  # type: ignore[method-assign]
    with pytest.raises(ClimkitConnectionError):
        await asker.settle(CREATED, end)
    assert asker.limits.of(HOURS).depth is None
    asker.cloud.faults.hitting = refusing  # type: ignore[method-assign]
    assert await asker.settle(CREATED, end) == hours(kept - EARLIER, end)


async def test_a_resolution_that_is_never_given(asker: Asker) -> None:
    """Is not known, and not taken for a past that lies too far back."""
    start = datetime(2026, 6, 14, tzinfo=UTC)
    present = dt_util.utcnow()
    quarters = Question("electricity", (), Resolution.QUARTER_HOUR, start)
    await asker.questioner.async_settle(
        "electricity", quarters, (start, present), present
    )
    asker.refuse(lambda resolution, *_: resolution == "H")
    assert await asker.settle(CREATED, CREATED + 120 * DAY) == set()
    assert asker.error is not None
    assert asker.limits.of(HOURS).depth is None


async def test_nothing_is_said_of_what_is_too_long(asker: Asker) -> None:
    """That is no depth: older days are given, one by one."""
    asker.cloud.quirks.longest = {"H": 40 * DAY}
    asker.cloud.quirks.window_refusal = "empty"
    await asker.settle(POLL, None)
    end = POLL + DAY
    assert await asker.settle(end - 100 * DAY, end) == hours(end - 100 * DAY, end)
    assert asker.limits.of(HOURS).depth is None


@pytest.mark.parametrize("kept", ["first", "last"])
async def test_a_reply_that_is_cut(asker: Asker, kept: Any) -> None:
    """What was cut off is asked for, and no more at once than fits from then on."""
    asker.cloud.quirks.most_rows = 500
    asker.cloud.quirks.kept_rows = kept
    end = CREATED + 100 * DAY
    assert await asker.settle(CREATED, end) == hours(CREATED, end)
    # 500 rows are 494 hours, and three more on either side: 2400 hours by five windows.
    assert len(asker.asked) <= 2 + 5 + 1
    assert asker.limits.length(HOURS, dt_util.utcnow()) == timedelta(hours=494)
    before = len(asker.asked)
    assert await asker.settle(CREATED, end) == hours(CREATED, end)
    assert len(asker.asked) <= before + 5


async def test_a_reply_that_has_less_than_is_known(asker: Asker) -> None:
    """As of an older replica: what is missing is asked for again."""
    await asker.settle(POLL, None)
    known = await asker.settle(POLL, None)
    before = len(asker.asked)
    asker.cloud.quirks.replica_lag = timedelta(hours=6)
    asker.cloud.quirks.replica_every = before + 1
    assert await asker.settle(POLL, None) == known
    assert len(asker.asked) == before + 2
