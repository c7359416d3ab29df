"""Every way in which a request can fail, as a table: which error, and how many requests."""

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

import aiohttp
import pytest

from custom_components.climkit.api import (
    ClimkitAccessError,
    ClimkitAuthenticationError,
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
    Resolution,
    transport,
)

from .conftest import PASSWORD, USER, Answer, Cloud

START = datetime(2026, 3, 22, tzinfo=UTC)
HTML = "<!doctype html><title>Oops</title>"


class Failure(NamedTuple):
    """What the cloud says, and what the caller gets."""

    answer: Answer
    error: type[ClimkitError]
    text: str
    requests: int = 2
    """Log-in and call; more when the token is renewed."""


DATA = {
    "not found": Failure(Answer(HTML, 404), ClimkitAccessError, "no access"),
    "forbidden": Failure(Answer(HTML, 403), ClimkitAccessError, "no access"),
    "unauthorized": Failure(Answer({}, 401), ClimkitAccessError, "no access", 4),
    "server error": Failure(Answer(HTML, 500), ClimkitResponseError, "status 500"),
    "maintenance": Failure(Answer(HTML, 503), ClimkitResponseError, "status 503"),
    "bad request": Failure(
        Answer({"error": "x"}, 400), ClimkitResponseError, "status 400"
    ),
    "HTML": Failure(Answer(HTML), ClimkitResponseError, "HTML instead of JSON"),
    "empty": Failure(Answer(""), ClimkitResponseError, "empty"),
    "no content": Failure(Answer("", 204), ClimkitResponseError, "empty"),
    "text": Failure(Answer("Oops"), ClimkitResponseError, "not valid JSON"),
    "truncated": Failure(
        Answer('[{"id": "a"}, {"id'), ClimkitResponseError, "not valid"
    ),
    "no comma": Failure(
        Answer('[{"id": "a"} {"id": "b"}]'), ClimkitResponseError, "valid"
    ),
    "open end": Failure(Answer('[{"id": "a"}'), ClimkitResponseError, "not valid JSON"),
    "more after": Failure(
        Answer('[{"id": "a"}] x'), ClimkitResponseError, "text after"
    ),
    "too deep": Failure(Answer("[" * 200_000), ClimkitResponseError, "not valid JSON"),
    "too deep object": Failure(Answer('{"a":' * 90_000), ClimkitResponseError, "valid"),
    "too long a number": Failure(
        Answer(f"[{'9' * 9999}]"), ClimkitResponseError, "valid"
    ),
    "error object": Failure(
        Answer({"error": "Oops", "code": 5}),
        ClimkitResponseError,
        "a list was expected, not {code:int, error:str}",
    ),
    "null": Failure(
        Answer("null"), ClimkitResponseError, "a list was expected, not null"
    ),
    "number": Failure(
        Answer("17"), ClimkitResponseError, "a list was expected, not int"
    ),
    "all unusable": Failure(
        Answer([{}, 7]), ClimkitResponseError, "none of 2 elements"
    ),
    "hangs up": Failure(Answer(broken=True), ClimkitConnectionError, "meter_info: "),
}


@pytest.mark.parametrize("failure", DATA.values(), ids=DATA)
async def test_data_call(cloud: Cloud, client: ClimkitClient, failure: Failure) -> None:
    cloud.answer("meter_info", failure.answer)
    with pytest.raises(failure.error) as caught:
        await client.meters("63d9a1f05de9e5093d46bdb6")
    assert type(caught.value) is failure.error
    assert failure.text in str(caught.value)
    assert "63d9a1f05de9e5093d46bdb6" not in str(caught.value)
    assert "Oops" not in str(caught.value)
    # A server that hangs up on a connection used before may be asked again by aiohttp.
    assert len(cloud.asked) == failure.requests or failure.answer.broken
    cloud.answer("meter_info", Answer([{"id": "m1", "type": "heating"}]))
    assert [meter.id for meter in await client.meters("s")] == ["m1"]


REASONS: dict[str, tuple[Answer, int, str]] = {
    "redirect": (
        Answer("", 301, {"Location": "http://example.org"}),
        301,
        "redirected to another server",
    ),
    "400": (Answer({"error": "x"}, 400), 400, "unexpected status"),
    "500": (Answer(HTML, 500), 500, "unexpected status"),
    "error object": (
        Answer({"error": "x"}),
        200,
        "a list was expected, not {error:str}",
    ),
    "page": (Answer(HTML), 200, "HTML instead of JSON"),
    "no content": (Answer("", 204), 204, "empty"),
    "cut": (Answer('[{"id": "a"}, {"id'), 200, "not valid JSON"),
    "unusable": (Answer([{}]), 200, "none of 1 elements can be used"),
}


@pytest.mark.parametrize(("answer", "status", "reason"), REASONS.values(), ids=REASONS)
async def test_what_an_error_tells(
    cloud: Cloud, client: ClimkitClient, answer: Answer, status: int, reason: str
) -> None:
    """Whoever reads learns which kind of no it was."""
    cloud.answer("meter_info", answer)
    with pytest.raises(ClimkitResponseError) as caught:
        await client.meters("s")
    err = caught.value
    assert (err.endpoint, err.status, err.reason) == ("meter_info", status, reason)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_no_access(cloud: Cloud, client: ClimkitClient, status: int) -> None:
    cloud.answer("meter_info", Answer("", status))
    with pytest.raises(ClimkitAccessError) as caught:
        await client.meters("s")
    assert (caught.value.endpoint, caught.value.status) == ("meter_info", status)


AUTH: dict[str, tuple[Answer, type[ClimkitError]]] = {
    "400": (Answer({"error": "x"}, 400), ClimkitAuthenticationError),
    "401": (Answer({"error": "x"}, 401), ClimkitAuthenticationError),
    "403": (Answer({"error": "x"}, 403), ClimkitAuthenticationError),
    "422": (Answer([], 422), ClimkitAuthenticationError),
    "long JSON": (Answer({"error": "x" * 5000}, 401), ClimkitAuthenticationError),
    "page in JSON": (Answer({"error": HTML}, 401), ClimkitAuthenticationError),
    "short text": (Answer("Wrong password", 401), ClimkitAuthenticationError),
    "200 characters": (Answer("é" * 200, 403), ClimkitAuthenticationError),
    "201 characters": (Answer("é" * 201, 403), ClimkitResponseError),
    **{
        f"{status} with {name}": (Answer(body, status), ClimkitResponseError)
        for status in (400, 401, 403, 422)
        for name, body in {
            "a page": HTML,
            "a page after spaces": f"\ufeff \n{HTML}",
            "an empty body": "",
            "spaces": " \r\n ",
        }.items()
    },
    "no token": (Answer({"error": "x"}), ClimkitResponseError),
    "null token": (Answer({"access_token": None}), ClimkitResponseError),
    "404 with JSON": (Answer({"error": "x"}, 404), ClimkitResponseError),
    "503 with JSON": (Answer({"error": "x"}, 503), ClimkitResponseError),
    "404": (Answer("", 404), ClimkitResponseError),
    "405": (Answer("", 405), ClimkitResponseError),
    "500": (Answer(HTML, 500), ClimkitResponseError),
    "502": (Answer(HTML, 502), ClimkitResponseError),
    "HTML": (Answer(HTML), ClimkitResponseError),
    "empty": (Answer(""), ClimkitResponseError),
    "list": (Answer([]), ClimkitResponseError),
    "text": (Answer('"token"'), ClimkitResponseError),
    "number as token": (Answer({"access_token": 5}), ClimkitResponseError),
    "empty token": (Answer({"access_token": ""}), ClimkitResponseError),
    "header in token": (Answer({"access_token": "a\r\nb: c"}), ClimkitResponseError),
    "elsewhere": (
        Answer("", 302, {"Location": "http://example.org/auth"}),
        ClimkitResponseError,
    ),
    "hangs up": (Answer(broken=True), ClimkitConnectionError),
}


@pytest.mark.parametrize(("answer", "error"), AUTH.values(), ids=AUTH)
async def test_log_in(
    cloud: Cloud, client: ClimkitClient, answer: Answer, error: type[ClimkitError]
) -> None:
    cloud.answer("auth", answer)
    with pytest.raises(error) as caught:
        await client.authenticate()
    assert type(caught.value) is error
    assert caught.value.endpoint == "auth"
    expected = None if answer.broken else answer.status
    assert caught.value.status == expected
    with pytest.raises(error):
        await client.site_ids()
    assert set(cloud.paths()) == {"auth"}
    cloud.answers.clear()
    await client.authenticate()
    assert await client.site_ids() == ()


async def test_timeout(
    cloud: Cloud, client: ClimkitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    cloud.answer("meter_info", Answer(delay=0.5), Answer())
    with pytest.raises(ClimkitTimeoutError) as caught:
        await client.meters("s")
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, ClimkitConnectionError)
    assert str(caught.value) == "meter_info: no answer in time"
    assert (caught.value.endpoint, caught.value.status) == ("meter_info", None)
    assert await client.meters("s") == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "nonsense",
        "ftp://127.0.0.1/",
        "http://[bad/",
        "http://a:b",
    ],
)
async def test_nobody_there(session: aiohttp.ClientSession, url: str) -> None:
    client = ClimkitClient(session, USER, PASSWORD, url=url)
    with pytest.raises(ClimkitConnectionError) as caught:
        await client.site_ids()
    assert (caught.value.endpoint, caught.value.status) == ("auth", None)


async def test_closed_session(cloud: Cloud) -> None:
    async with aiohttp.ClientSession() as session:
        client = ClimkitClient(session, USER, PASSWORD, url=cloud.url)
    with pytest.raises(ClimkitConnectionError):
        await client.site_ids()


@pytest.mark.parametrize("size", [999, 1000, 1001, 5000])
async def test_length(
    cloud: Cloud, client: ClimkitClient, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY", 1000)
    cloud.answer("meter_info", Answer("[" + " " * (size - 2) + "]"))
    if size <= 1000:
        assert await client.meters("s") == ()
    else:
        with pytest.raises(ClimkitResponseError, match="longer than 1000 bytes"):
            await client.meters("s")


async def test_long_error_page(cloud: Cloud, client: ClimkitClient) -> None:
    cloud.answer("meter_info", Answer(b"x" * 1_000_000, 500), Answer())
    with pytest.raises(ClimkitResponseError, match="status 500"):
        await client.meters("s")
    assert await client.meters("s") == ()


SAME_SERVER: dict[str, tuple[int, str]] = {
    "absolute": (302, "{origin}/api/v1/moved"),
    "root": (301, "/api/v1/moved"),
    "sibling": (303, "moved"),
    "temporary": (307, "/api/v1/moved"),
    "permanent": (308, "/api/v1/moved"),
    "user in address": (308, "http://x:y@{host}/api/v1/moved"),
}


@pytest.mark.parametrize(("status", "location"), SAME_SERVER.values(), ids=SAME_SERVER)
async def test_redirect(
    cloud: Cloud, client: ClimkitClient, status: int, location: str
) -> None:
    origin = str(cloud.server.make_url("/")).rstrip("/")
    location = location.format(origin=origin, host=origin.removeprefix("http://"))
    cloud.answer("site_data/s/moved", Answer([]))
    cloud.answer("site_data", Answer("", status, {"Location": location}))
    cloud.answer("moved", Answer([]))
    await client.site_series("s", "electricity", Resolution.HOUR, START)
    _, first, second = cloud.asked
    assert second.path.endswith("moved")
    assert (second.method, second.json) == (first.method, first.json)
    assert second.token == first.token


ELSEWHERE = (
    "http://localhost:{port}/x",
    "http://127.0.0.1:1/x",
    "https://127.0.0.1:{port}/x",
    "//example.org/x",
    "ftp://127.0.0.1/x",
    "http://[bad",
    "javascript:x",
)


@pytest.mark.parametrize("location", ELSEWHERE)
async def test_redirect_elsewhere(
    cloud: Cloud, client: ClimkitClient, location: str
) -> None:
    location = location.format(port=cloud.server.port)
    cloud.answer("meter_info", Answer("", 302, {"Location": location}))
    with pytest.raises(ClimkitResponseError, match="another server"):
        await client.meters("s")
    assert cloud.paths() == ["auth", "meter_info/s"]


@pytest.mark.parametrize(("hops", "arrives"), [(3, True), (4, False)])
async def test_redirects_without_end(
    cloud: Cloud, client: ClimkitClient, hops: int, arrives: bool
) -> None:
    hop = Answer("", 302, {"Location": "/api/v1/meter_info/s"})
    cloud.answer("meter_info", *[hop] * hops, Answer([]))
    if arrives:
        assert await client.meters("s") == ()
    else:
        with pytest.raises(ClimkitResponseError, match="too many redirects"):
            await client.meters("s")
    assert len(cloud.asked) == 5  # one log-in, four hops


async def test_cancelled_call_leaves_the_queue_open(
    cloud: Cloud, client: ClimkitClient
) -> None:
    cloud.answer("meter_info", Answer(delay=30), Answer())
    task: asyncio.Task[Any] = asyncio.create_task(client.meters("s"))
    await cloud.has_been_asked(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await client.meters("s") == ()
