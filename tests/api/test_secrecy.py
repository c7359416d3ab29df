"""Nothing secret in any log, error or repr, whatever happens, at any level."""

import asyncio
import logging
import traceback

import aiohttp
import pytest

from custom_components.climkit.api import (
    ClimkitClient,
    ClimkitError,
    Resolution,
    transport,
)

from .conftest import PASSWORD, USER, Answer, Cloud
from .test_client import METER, SITE, START

TOKEN = "t0ken"
CONTENT = "Rue-du-Secret"
SECRETS = (PASSWORD, TOKEN, CONTENT, SITE, METER)

ANSWERS: dict[str, Answer] = {
    "fine": Answer([{"id": METER, "name": CONTENT}]),
    "some bad": Answer([{"id": METER}, {"name": CONTENT}, CONTENT, {"id": [CONTENT]}]),
    "all bad": Answer([{"name": CONTENT}]),
    "truncated": Answer(f'[{{"name": "{CONTENT}"'),
    "object": Answer({CONTENT: CONTENT, METER: PASSWORD}),
    "echo of the token": Answer({"error": f"{TOKEN} is over"}, 401),
    "echo of the password": Answer(f"{PASSWORD} {CONTENT}", 500),
    "forbidden": Answer(CONTENT, 403),
    "too many": Answer(CONTENT, 429, {"Retry-After": "1000", "X-Token": TOKEN}),
    "redirect": Answer("", 302, {"Location": f"http://example.org/{CONTENT}"}),
    "no HTTP": Answer(broken=True),
    "slow": Answer(delay=0.3),
    "odd header": Answer([], 200, {"Content-Encoding": "gzip"}),
}


@pytest.fixture(autouse=True)
def _everything_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(transport, "_TIMEOUT", aiohttp.ClientTimeout(total=0.2))


def everything(error: BaseException | None) -> str:
    """Return all that could be printed of an error and of those behind it."""
    parts = []
    while error is not None:
        parts += [repr(error), str(error), repr(error.args), repr(vars(error))]
        parts += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("path", ["auth", ""])
async def test_secrets(
    cloud: Cloud,
    client: ClimkitClient,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    path: str,
) -> None:
    if path:
        cloud.answer(path, answer)
    else:
        for prefix in ("all", "inst", "meter", "site_data", SITE):
            cloud.answer(prefix, answer)
    found = ""
    for call in (
        client.site_ids(),
        client.site(SITE),
        client.meters(SITE),
        client.site_series(SITE, "heating", Resolution.HOUR, START),
        client.meter_series(SITE, METER, Resolution.HOUR, START),
        client.register_readings(SITE, METER, START),
        client.sensors(SITE),
        client.sensor_readings(SITE, METER),
        client.authenticate(),
    ):
        try:
            await call
        except ClimkitError as err:
            found += everything(err)
    found += repr(client) + repr(vars(client)) + repr(client.observations.as_dict())
    found += "".join(map(repr, (client._auth, client._session, client.queue)))
    # The access log is the cloud's, which runs in this process too.
    own = [r for r in caplog.records if r.name != "aiohttp.access"]
    found += "".join(f"{record.getMessage()}{record.args}" for record in own)
    assert [secret for secret in SECRETS if secret in found] == []
    assert PASSWORD not in caplog.text
    assert TOKEN not in caplog.text


async def test_reply_that_is_no_http(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """The error that aiohttp makes of it has all the headers of the request."""
    lines = [
        b'HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{"access_token": "t0ken-1"}'
    ]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(lines.pop() if lines else b"HTTP/9 nonsense\r\n\r\n")
            await reader.read(10_000)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = ClimkitClient(session, USER, PASSWORD, url=f"http://127.0.0.1:{port}")
    with pytest.raises(ClimkitError) as caught:
        await client.site_ids()
    server.close()
    assert TOKEN not in everything(caught.value)
    assert TOKEN not in caplog.text


async def test_left_out_is_said_once(
    cloud: Cloud, client: ClimkitClient, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.answer("meter_info", ANSWERS["some bad"])
    for _ in range(3):
        await client.meters(SITE)
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert warnings == [
        "meter_info: 3 elements cannot be used and are left out; said only once"
    ]
