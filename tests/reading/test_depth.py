"""From when on a cloud gives something: where the search begins, and what comes of it."""

from datetime import UTC, datetime, timedelta

from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.api import Resolution
from custom_components.climkit.reading.answers import Question
from custom_components.climkit.reading.limits import Kind

from ..conftest import NOW
from .asker import CREATED, DAY, EARLIER, HOURS, POLL, Asker, hours

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.mark.parametrize("status", [400, 403, 404, 413, 500, 503])
async def test_a_past_that_is_too_old_is_found_by_halving(
    asker: Asker, status: int
) -> None:
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < kept, status=status)
    end = datetime(2026, 6, 15, tzinfo=UTC)
    assert await asker.settle(CREATED, end) == hours(kept - EARLIER, end)
    assert asker.error is None
    assert asker.limits.of(HOURS).depth == kept - EARLIER
    # Half a year: seven questions of a day, five within it, controls; where it is not
    # said that it is the question which is wrong, seven halvings before.
    assert len(asker.asked) <= (19 if status < 500 else 31)
    before = len(asker.asked)
    assert await asker.settle(CREATED, end) == hours(kept - EARLIER, end)
    assert len(asker.asked) == before + 1
    # Nothing was wrong with long windows.
    assert asker.asked[-1] == ("H", round((end - kept) / DAY, 2))


async def test_a_past_is_looked_for_where_months_begin(asker: Asker) -> None:
    """It takes the days of a month, and not those of half a year."""
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    months = Kind("electricity", Resolution.MONTH)
    asker.limits.of(months).depth = datetime(2026, 4, 30, 22, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < kept)
    start, end = (
        datetime(2026, 3, 31, 22, tzinfo=UTC),
        datetime(2026, 6, 15, tzinfo=UTC),
    )
    assert await asker.settle(start, end) == hours(kept - EARLIER, end)
    # Twice in vain, a control, where months begin, five of a day, five within it, all.
    assert len(asker.asked) <= 15


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("restarted", [False, True])
async def test_others_begin_where_one_does(
    asker: Asker, status: int, restarted: bool
) -> None:
    """Two questions tell: there, and an hour before. Then so much at once as the other."""
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.refuse(
        lambda _, start, end: start < kept or end - start > 31 * DAY, status=status
    )
    end = datetime(2026, 6, 13, tzinfo=UTC)
    assert await asker.settle(CREATED, end) == hours(kept - EARLIER, end)
    if restarted:
        asker.restart()
    before = len(asker.asked)
    heating = await asker.settle(CREATED, end, "heating")
    assert heating == hours(kept - EARLIER, end)
    # A no and a control, two of a day; two months are two or three windows.
    assert len(asker.asked) <= before + 4 + 3


async def test_another_depth_is_found_all_the_same(asker: Asker) -> None:
    """Where it is not the same, one question is in vain."""
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < kept)
    end = datetime(2026, 6, 13, tzinfo=UTC)
    await asker.settle(CREATED, end)
    later = datetime(2026, 5, 3, 7, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < later)
    heating = await asker.settle(CREATED, end, "heating")
    assert heating == hours(later - EARLIER, end)


async def test_a_past_of_which_nothing_is_said(asker: Asker) -> None:
    """Not even of the part of a question that the cloud has."""
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.cloud.quirks.depth = {"": kept}
    asker.cloud.quirks.depth_refusal = "empty"
    await asker.settle(POLL, None)  # a poll, so that something is known
    end = POLL + DAY
    assert await asker.settle(CREATED, end) == hours(kept, end)
    limit = asker.limits.of(HOURS)
    assert (limit.depth, limit.is_silent) == (kept, True)
    before = len(asker.asked)
    assert await asker.settle(CREATED, end) == hours(kept, end)
    assert len(asker.asked) == before + 1
    # A month later it has a day of it more.
    asker.cloud.quirks.depth = {"": kept - DAY}
    question = Question("electricity", (), Resolution.HOUR, CREATED, end)
    assert await asker.questioner.async_look_further_back(HOURS, question)
    assert limit.depth is None


async def test_what_reaches_to_the_present_is_not_too_old(asker: Asker) -> None:
    """That it is refused, the newest day at last, says nothing of the past."""
    now = dt_util.utcnow()
    await asker.settle(CREATED, CREATED + 30 * DAY)
    asker.refuse(lambda _, start, end: end > now - timedelta(hours=1))
    start = datetime(2026, 6, 6, tzinfo=UTC)
    found = await asker.settle(start, now)
    assert asker.error is not None
    assert hours(start, now - 2 * DAY) <= found
    assert asker.limits.of(HOURS).depth is None


async def test_a_past_that_stays_too_old(asker: Asker) -> None:
    """One question tells that what lies before the depth is not given now either."""
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < kept)
    end = datetime(2026, 6, 15, tzinfo=UTC)
    await asker.settle(CREATED, end)
    before = len(asker.asked)
    question = Question("electricity", (), Resolution.HOUR, CREATED, end)
    assert not await asker.questioner.async_look_further_back(HOURS, question)
    assert len(asker.asked) == before + 1
    assert asker.limits.of(HOURS).depth == kept - EARLIER
