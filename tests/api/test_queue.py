"""Who may send when: the pace, the order, pauses, and callers that give up."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from math import inf, nan
from time import monotonic

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.climkit.api import (
    ClimkitClient,
    Priority,
    RequestQueue,
    Resolution,
    queue,
)
from tests.fast_clock import fast_clock

from .conftest import PASSWORD, USER, Answer, Cloud
from .test_client import START


@pytest.fixture(autouse=True)
async def _no_real_time(freezer: FrozenDateTimeFactory) -> AsyncIterator[None]:
    """Let pauses be as long as they are meant to be, however busy the machine is."""
    with fast_clock(freezer):
        yield


LIVE, BACKGROUND = Priority.LIVE, Priority.BACKGROUND


@pytest.mark.rate_limit
async def test_one_request_a_second(
    cloud: Cloud, session: aiohttp.ClientSession
) -> None:
    """Whoever asks and whatever happens, a second passes between two arrivals."""
    requests = RequestQueue()
    client, other = (
        ClimkitClient(session, USER, password, queue=requests, url=cloud.url)
        for password in (PASSWORD, "old")
    )
    cloud.answer("meter_info", Answer("", 401), Answer([]))
    cloud.answer("site_data", Answer("", 302, {"Location": "moved"}))
    cloud.answer("all_installations", Answer(broken=True))
    await asyncio.gather(
        client.meters("s"),
        client.site_series(
            "s", "heating", Resolution.HOUR, START, priority=Priority.BACKGROUND
        ),
        other.authenticate(),
        client.site_ids(),
        return_exceptions=True,
    )
    arrivals = [asked.at for asked in cloud.asked]
    assert len(arrivals) >= 7
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    assert min(gaps) >= 1.0
    assert max(gaps) < 1.5
    assert requests.requests_last_hour <= len(arrivals)


@pytest.mark.rate_limit
async def test_pause_after_a_slow_connection(
    requests: RequestQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrived late, because a connection had to be made, counts from then."""
    monkeypatch.setattr(queue, "MIN_INTERVAL", 0.22)
    requests = RequestQueue()
    await requests.pace()
    await asyncio.sleep(0.15)
    requests.answered()
    requests.answered()
    arrived = monotonic()
    await asyncio.sleep(0.05)
    requests.answered()  # nothing new is on the way
    await requests.pace()
    assert 0.199 <= monotonic() - arrived < 0.24


async def _worker(
    requests: RequestQueue, name: str, priority: Priority, order: list[str]
) -> None:
    async with requests.turn(priority):
        order.append(name)
        await asyncio.sleep(0)


async def test_order(requests: RequestQueue) -> None:
    """By priority, then by arrival."""
    order: list[str] = []
    async with asyncio.TaskGroup() as group, requests.turn(BACKGROUND):
        for name, priority in (
            ("b1", BACKGROUND),
            ("l1", LIVE),
            ("b2", BACKGROUND),
            ("l2", LIVE),
            ("l3", LIVE),
        ):
            group.create_task(_worker(requests, name, priority, order))
            await asyncio.sleep(0)
    assert order == ["l1", "l2", "l3", "b1", "b2"]


@pytest.mark.rate_limit
async def test_overtaking_during_a_pause(requests: RequestQueue) -> None:
    """Who comes late but is more urgent goes first, even if another waits for its time."""
    order: list[str] = []
    requests.pause(0.1)
    async with asyncio.TaskGroup() as group:
        group.create_task(_worker(requests, "history", BACKGROUND, order))
        await asyncio.sleep(0.05)
        group.create_task(_worker(requests, "live", LIVE, order))
    assert order == ["live", "history"]


@pytest.mark.rate_limit
async def test_alone(requests: RequestQueue) -> None:
    """At no time do two hold a turn."""
    inside = 0

    async def enter(number: int) -> None:
        nonlocal inside
        async with requests.turn(Priority(number % 2)):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.001)
            inside -= 1

    await asyncio.gather(*(enter(number) for number in range(20)))


@pytest.mark.parametrize("moment", ["waiting", "granted", "pausing"])
async def test_cancelled_while_waiting(requests: RequestQueue, moment: str) -> None:
    """Whoever gives up neither blocks those behind nor takes a turn along."""
    order: list[str] = []
    async with asyncio.timeout(5):
        holder = requests.turn(LIVE)
        await holder.__aenter__()
        gives_up = asyncio.create_task(_worker(requests, "gone", LIVE, order))
        stays = asyncio.create_task(_worker(requests, "stays", LIVE, order))
        await asyncio.sleep(0)
        if moment == "waiting":
            gives_up.cancel()
            await asyncio.sleep(0)
        if moment == "pausing":
            requests.pause(0.05)
        await holder.__aexit__(None, None, None)
        gives_up.cancel()  # the turn was granted, but it has not run yet
        with pytest.raises(asyncio.CancelledError):
            await gives_up
        await stays
        await _worker(requests, "next", BACKGROUND, order)
    assert order == ["stays", "next"]


async def test_cancelled_in_a_turn(requests: RequestQueue) -> None:
    order: list[str] = []
    async with asyncio.timeout(5):

        async def never() -> None:
            async with requests.turn(LIVE):
                await asyncio.Event().wait()

        task = asyncio.create_task(never())
        await asyncio.sleep(0)
        task.cancel()
        await _worker(requests, "next", BACKGROUND, order)
    assert order == ["next"]


async def test_failing_in_a_turn(requests: RequestQueue) -> None:
    with pytest.raises(ZeroDivisionError):
        async with requests.turn(LIVE):
            raise ZeroDivisionError
    async with asyncio.timeout(5), requests.turn(LIVE):
        pass


async def test_pause(requests: RequestQueue) -> None:
    started = monotonic()
    requests.pause(0.1)
    requests.pause(0.01)  # does not shorten it
    async with requests.turn():
        await requests.pace()
    assert monotonic() - started >= 0.099


async def test_pause_while_waiting_to_send(requests: RequestQueue) -> None:
    started = monotonic()
    requests.pause(0.05)
    task = asyncio.create_task(requests.pace())
    await asyncio.sleep(0.01)
    requests.pause(0.1)
    await task
    assert 0.109 <= monotonic() - started < 0.2


@pytest.mark.rate_limit
async def test_pause_while_waiting_for_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "MIN_INTERVAL", 0.05)
    requests = RequestQueue()
    await requests.pace()
    started = monotonic()
    task = asyncio.create_task(requests.pace())
    await asyncio.sleep(0.01)
    requests.pause(0.1)
    await task
    assert 0.109 <= monotonic() - started < 0.2


@pytest.mark.parametrize("seconds", [0.0, -5.0, nan, -inf])
async def test_pause_that_is_none(requests: RequestQueue, seconds: float) -> None:
    requests.pause(seconds)
    assert requests.paused_for == 0.0


@pytest.mark.parametrize("seconds", [86400.0, 1e12, inf])
async def test_longest_pause(requests: RequestQueue, seconds: float) -> None:
    requests.pause(seconds)
    assert requests.paused_for == pytest.approx(86400.0, abs=1)


async def test_turn_comes_at_once_in_a_long_pause(requests: RequestQueue) -> None:
    """So that callers find out, and fail instead of waiting."""
    async with asyncio.timeout(1):
        waiting = asyncio.create_task(_worker(requests, "a", LIVE, []))
        requests.pause(3600)
        await waiting
        async with requests.turn(LIVE):
            assert requests.paused_for > 60


async def test_refusals(requests: RequestQueue) -> None:
    """Pauses double up to a minute, as long as nothing succeeds."""
    assert [requests.refused(None) for _ in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert requests.refused(7.5) == 7.5
    for _ in range(2000):
        assert requests.refused(None) == 60
    requests.accepted()
    assert requests.refused(None) == 2


async def test_requests_last_hour(
    requests: RequestQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    now = loop.time()
    for _ in range(3):
        await requests.pace()
    assert requests.requests_last_hour == 3
    monkeypatch.setattr(loop, "time", lambda: now + 3700)
    assert requests.requests_last_hour == 0


async def test_starts_are_forgotten(
    requests: RequestQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody ever asks how many there were: a month, one site."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    for _ in range(30 * 24 * 8):
        now += 450.0
        await requests.pace()
    assert len(requests._starts) == 9  # eight an hour, and that of an hour ago
