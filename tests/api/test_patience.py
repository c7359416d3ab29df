"""What the client does when it is told to ask less often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.climkit.api import (
    ClimkitAccessError,
    ClimkitClient,
    ClimkitRateLimitError,
    queue,
)
from tests.fast_clock import fast_clock

from .conftest import Answer, Cloud

pytestmark = pytest.mark.usefixtures("short_pauses")


@pytest.fixture(autouse=True)
async def _no_real_time(freezer: FrozenDateTimeFactory) -> AsyncIterator[None]:
    """Let pauses be as long as they are meant to be, however busy the machine is."""
    with fast_clock(freezer):
        yield


REFUSALS: dict[str, Answer] = {
    "429": Answer("", 429),
    "429 with HTML": Answer("<h1>Slow down</h1>", 429),
    "403 that says so": Answer({"error": "Too many requests"}, 403),
    "401 that says so": Answer("TOO_MANY_REQUESTS", 401),
    "400 that says so": Answer("too many  requests, calm down", 400),
    "503 that says so": Answer("<h1>503</h1> too-many-requests", 503),
    "object in a 200": Answer({"message": "too many requests"}),
    "text in a 200": Answer("Too Many Requests"),
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("path", ["auth", "meter_info"])
async def test_again_after_a_pause(
    cloud: Cloud, client: ClimkitClient, answer: Answer, path: str
) -> None:
    good = Answer({"access_token": "t"}) if path == "auth" else Answer([])
    cloud.answer(path, answer, answer, good)
    started = monotonic()
    assert await client.meters("s") == ()
    assert monotonic() - started >= 0.055  # 20 and 40 ms
    assert [p.startswith(path) for p in cloud.paths()].count(True) == 3
    assert len(cloud.asked) == 4  # a token is not asked for again


NO_REFUSALS: dict[str, Answer] = {
    "a name in a list": Answer([{"id": "m", "name": "Too many requests"}]),
    "long object": Answer({"a": "too many requests", "b": "x" * 400}),
}


@pytest.mark.parametrize("answer", NO_REFUSALS.values(), ids=NO_REFUSALS)
async def test_not_meant(cloud: Cloud, client: ClimkitClient, answer: Answer) -> None:
    cloud.answer("all_installations", answer)
    cloud.answer("installation_infos", answer)
    try:
        await client.site_ids()
    except ClimkitRateLimitError:
        raise
    except Exception:  # noqa: BLE001
        pass
    assert len(cloud.asked) == 2


def header_of(value: str | int) -> dict[str, str]:
    """Return the header; a number is a date so many seconds from now."""
    if isinstance(value, int):
        time = datetime.now(UTC) + timedelta(seconds=value)
        value = format_datetime(time, usegmt=True)
    return {"Retry-After": value.encode().decode("latin-1")}


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("3600", 3599, 3600),
        (" 100 ", 99, 100),
        ("70.5", 70, 70.5),
        (1800, 1700, 1801),
    ],
)
async def test_long_pause_fails_at_once(
    cloud: Cloud, client: ClimkitClient, header: str | int, least: float, most: float
) -> None:
    """Whoever asks or waits during a long pause is told so, and sends nothing."""
    cloud.answer("meter_info", Answer("", 429, header_of(header), delay=0.05))
    waiting = [asyncio.create_task(client.site_ids()) for _ in range(3)]
    started = monotonic()
    waiting.insert(0, asyncio.create_task(client.site_ids()))
    with pytest.raises(ClimkitRateLimitError) as caught:
        await client.meters("s")
    assert least <= caught.value.retry_after <= most
    await asyncio.wait(waiting)
    asked = len(cloud.asked)
    for call in (client.meters("s"), client.site_ids(), client.authenticate()):
        with pytest.raises(ClimkitRateLimitError) as caught:
            await call
        assert least - 2 <= caught.value.retry_after <= most
    assert len(cloud.asked) == asked
    assert monotonic() - started < 5


async def test_those_waiting_fail_too(cloud: Cloud, client: ClimkitClient) -> None:
    cloud.answer("meter_info", Answer("", 429, {"Retry-After": "3600"}, delay=0.1))
    first = asyncio.create_task(client.meters("s"))
    await cloud.has_been_asked(2)
    others = [asyncio.create_task(client.site_ids()) for _ in range(5)]
    results = await asyncio.gather(first, *others, return_exceptions=True)
    assert [type(result) for result in results] == [ClimkitRateLimitError] * 6
    assert len(cloud.asked) == 2


@pytest.mark.parametrize(
    "header",
    [
        "",
        "0",
        "-5",
        "nan",
        "inf",
        "1e3",
        "soon",
        "9" * 400,
        "86401",
        "١٢",
        "12 s",
        -60,
        90_000,
        "Mon, 99 Foo 2026 00:00:00 GMT",
    ],
)
async def test_nonsense_in_retry_after(
    cloud: Cloud, client: ClimkitClient, header: str | int
) -> None:
    """It is the same as none: 20 ms."""
    refusal = Answer("", 429, header_of(header))
    cloud.answer("meter_info", refusal, Answer([]))
    started = monotonic()
    assert await client.meters("s") == ()
    assert 0.019 <= monotonic() - started < 2


async def test_retry_after_in_seconds(cloud: Cloud, client: ClimkitClient) -> None:
    cloud.answer("meter_info", Answer("", 429, {"Retry-After": "0.3"}), Answer([]))
    started = monotonic()
    assert await client.meters("s") == ()
    assert 0.29 <= monotonic() - started < 0.6


async def test_gives_up_after_a_minute_in_all(
    cloud: Cloud, client: ClimkitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2, 4, 8 and 16 s are waited for, 32 more would be too long: scaled by 1:1000."""
    monkeypatch.setattr(queue, "FIRST_PAUSE", 0.002)
    monkeypatch.setattr(queue, "LONGEST_PAUSE", 0.06)
    monkeypatch.setattr("custom_components.climkit.api.session.LONGEST_PAUSE", 0.06)
    cloud.answer("meter_info", Answer("", 429))
    with pytest.raises(ClimkitRateLimitError) as caught:
        await client.meters("s")
    assert caught.value.retry_after == pytest.approx(0.032)
    assert cloud.paths().count("meter_info/s") == 5


async def test_a_success_ends_the_doubling(
    cloud: Cloud, client: ClimkitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    refused = client.queue.refused

    def note(retry_after: float | None) -> float:
        pauses.append(refused(retry_after))
        return pauses[-1]

    monkeypatch.setattr(client.queue, "refused", note)
    refusal = Answer("", 429)
    cloud.answer("meter_info", refusal, refusal, Answer([]), refusal, Answer([]))
    await client.meters("s")
    await client.meters("s")
    first = pauses[0]
    assert pauses == [first, 2 * first, first]


async def test_others_go_first_meanwhile(cloud: Cloud, client: ClimkitClient) -> None:
    """Who was refused waits at the end of the queue again."""
    cloud.answer("meter_info", Answer("", 429), Answer([]))
    cloud.answer("all_installations", Answer([], delay=0.01))
    await client.site_ids()
    refused = asyncio.create_task(client.meters("s"))
    await cloud.has_been_asked(3)
    await asyncio.gather(refused, client.site_ids())
    assert cloud.paths()[2:] == ["meter_info/s", "all_installations", "meter_info/s"]


async def test_never_an_authentication_error(
    cloud: Cloud, client: ClimkitClient
) -> None:
    cloud.answer("auth", Answer({"error": "x"}, 429, {"Retry-After": "100"}))
    with pytest.raises(ClimkitRateLimitError):
        await client.authenticate()


async def test_refusal_of_a_resource_is_no_haste(
    cloud: Cloud, client: ClimkitClient
) -> None:
    cloud.answer("meter_info", Answer("Forbidden", 403))
    with pytest.raises(ClimkitAccessError):
        await client.meters("s")
    assert client.queue.paused_for == 0
