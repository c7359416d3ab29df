"""Asking until a span is settled: what a no means, and what a yes may leave out.

A real client asks the real simulator; only what is refused is decided by the test, by
who is asked, in which resolution, for which span.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.api import (
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitError,
    Column,
    Priority,
    Resolution,
)
from custom_components.climkit.reading.answers import Question
from custom_components.climkit.reading.limits import Kind, Limits
from custom_components.climkit.reading.questioner import Questioner

from ..conftest import NOW
from ..simulator import Fault, SimulatedSite, Simulator, sites

pytestmark = pytest.mark.freeze_time(NOW)

DAY = timedelta(days=1)
CREATED = datetime(2025, 12, 31, 23, tzinfo=UTC)
PADDING = timedelta(hours=3)
"""The client asks for that much more on either side, in vain where nothing is cut."""
POLL = datetime(2026, 6, 14, 10, tzinfo=UTC)
"""Since when a poll asks."""
HOURS = Kind("electricity", Resolution.HOUR)

type Rule = Callable[[str, datetime, datetime], bool]
"""Whether to refuse a resolution from a start, without the client's padding, to an end."""


@dataclass
class Asker:
    """A questioner, what it asks with, and whom."""

    questioner: Questioner
    limits: Limits
    cloud: Simulator
    site: SimulatedSite

    def refuse(
        self, rule: Rule, *, status: int = 400, times: int | None = None
    ) -> None:
        """Refuse what a rule says, some times or always."""
        left = [times]

        def hitting(endpoint: str, path: str) -> Fault | None:
            body = self.cloud.requests[-1].json
            if endpoint != "site_data" or not body or left[0] == 0:
                return None
            if not rule(body["sampling_frequency"].upper(), *self._window(body)):
                return None
            left[0] = None if left[0] is None else left[0] - 1
            return Fault("status", status=status)

        self.cloud.faults.hitting = hitting  # type: ignore[method-assign]

    def _window(self, body: dict[str, str]) -> tuple[datetime, datetime]:
        start = datetime.fromisoformat(body["t_s"]).replace(tzinfo=UTC) + PADDING
        if "t_e" not in body:
            return start, dt_util.utcnow()
        end = datetime.fromisoformat(body["t_e"]).replace(tzinfo=UTC) - PADDING
        return start, end

    @property
    def asked(self) -> list[tuple[str, float]]:
        """Return resolution and length, in days, of all that was asked.

        Without the second spelling that the client tries of what no cloud has accepted.
        """
        return [
            (body["sampling_frequency"], round((end - start) / DAY, 2))
            for request in self.cloud.requests.to("site_data")
            if (body := request.json) and body["sampling_frequency"] != "h"
            for start, end in [self._window(body)]
        ]

    async def settle(self, start: datetime, end: datetime | None) -> set[datetime]:
        """Settle a span of hours of consumption, and return those that came."""
        present = dt_util.utcnow()
        question = Question(
            "electricity", (), Resolution.HOUR, start, end, Priority.BACKGROUND
        )
        settled = await self.questioner.async_settle(
            "electricity", question, (start, end or present), present
        )
        self.error = settled.error
        column = Column(None, "conso_total")
        return {hour for series in settled.replies for hour in series.values(column)}


@pytest.fixture
async def asker(socket_enabled: None) -> AsyncIterator[Asker]:
    """Return who asks a small site, half a year old."""
    site = sites.community(created=CREATED)
    cloud = Simulator([site], clock=dt_util.utcnow, min_interval=0)
    async with cloud, aiohttp.ClientSession() as session:
        client = ClimkitClient(session, "demo", "demo", url=cloud.url)
        limits = Limits()
        yield Asker(Questioner(client, site.id, limits), limits, cloud, site)


def hours(start: datetime, end: datetime) -> set[datetime]:
    """Return every hour between two."""
    return {
        start + n * timedelta(hours=1)
        for n in range((end - start) // timedelta(hours=1))
    }


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


@pytest.mark.parametrize("status", [400, 403, 404, 413, 500, 503])
async def test_a_past_that_is_too_old_is_found_by_halving(
    asker: Asker, status: int
) -> None:
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.refuse(lambda _, start, end: start < kept, status=status)
    end = datetime(2026, 6, 15, tzinfo=UTC)
    assert await asker.settle(CREATED, end) == hours(kept, end)
    assert asker.error is None
    assert asker.limits.of(HOURS).depth == kept
    # Half a year: seven questions of a day, five within it, controls; where it is not
    # said that it is the question which is wrong, seven halvings before.
    assert len(asker.asked) <= (19 if status < 500 else 31)
    before = len(asker.asked)
    assert await asker.settle(CREATED, end) == hours(kept, end)
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
    assert await asker.settle(start, end) == hours(kept, end)
    # Twice in vain, a control, where months begin, five of a day, five within it, all.
    assert len(asker.asked) <= 15


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
    assert await asker.settle(CREATED, end) == hours(kept, end)


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


async def test_a_past_of_which_nothing_is_said(asker: Asker) -> None:
    """Not even of the part of a question that the cloud has."""
    kept = datetime(2026, 4, 20, tzinfo=UTC)
    asker.cloud.quirks.depth = {"": kept}
    asker.cloud.quirks.depth_refusal = "empty"
    await asker.settle(POLL, None)  # a poll, so that something is known
    end = POLL + DAY
    # The client asks for three hours more, and the cloud takes that for local time.
    first = kept + PADDING + timedelta(hours=2)
    assert await asker.settle(CREATED, end) == hours(first, end)
    limit = asker.limits.of(HOURS)
    assert (limit.depth, limit.is_silent) == (first, True)
    before = len(asker.asked)
    assert await asker.settle(CREATED, end) == hours(first, end)
    assert len(asker.asked) == before + 1
    # A month later it has a day of it more.
    asker.cloud.quirks.depth = {"": kept - DAY}
    question = Question("electricity", (), Resolution.HOUR, CREATED, end)
    assert await asker.questioner.async_look_further_back(HOURS, question)
    assert limit.depth is None


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
    assert asker.limits.of(HOURS).depth == kept
