"""The token: how long it is used, when it is renewed, and that one caller logs in."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.climkit.api import (
    ClimkitAccessError,
    ClimkitAuthenticationError,
    ClimkitClient,
)

from .conftest import PASSWORD, USER, Answer, Cloud

NOW = datetime(2026, 3, 22, 12, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)


def iso(minutes: float) -> str:
    """Return a time so many minutes from now."""
    return (NOW + timedelta(minutes=minutes)).isoformat()


LIVES: dict[str, tuple[Any, float]] = {
    "documented": ({"$date": MS + 900_000}, 14),
    "shorter": ({"$date": MS + 600_000}, 9),
    "seconds": ({"$date": MS // 1000 + 600}, 9),
    "numberLong": ({"$date": {"$numberLong": str(MS + 600_000)}}, 9),
    "number of its own": ({"$numberLong": str(MS + 600_000)}, 9),
    "ISO in $date": ({"$date": "2026-03-22T12:10:00Z"}, 9),
    "ISO with offset": (iso(10), 9),
    "ISO with a space": ("2026-03-22 13:10:00.000+01:00", 9),
    "bare milliseconds": (MS + 600_000, 9),
    "bare seconds": (MS // 1000 + 600, 9),
    "seconds with fraction": (MS / 1000 + 600.5, 9),
    "seconds as text": (str(MS // 1000 + 600), 9),
    "longer than documented": ({"$date": MS + 86_400_000}, 14),
    "missing": (None, 13),
    "long past": ({"$date": 0}, 13),
    "past, their clock or ours": ({"$date": MS - 600_000}, 13),
    "nearly over, a clock again": ({"$date": MS + 30_000}, 13),
    "naive": ("2026-03-22T12:10:00", 13),
    "text": ("soon", 13),
    "list": ([MS], 13),
    "true": (True, 13),
    "huge": (10**400, 13),
    "nested": ({"$date": {"$date": {"$date": {"$date": {"$date": MS}}}}}, 13),
}


@pytest.mark.parametrize(("valid_until", "minutes"), LIVES.values(), ids=LIVES)
async def test_life(
    cloud: Cloud,
    client: ClimkitClient,
    freezer: FrozenDateTimeFactory,
    valid_until: Any,
    minutes: float,
) -> None:
    """A token is used until a minute before its end, and then not any more."""
    freezer.move_to(NOW)
    cloud.valid_until = lambda: valid_until
    await client.site_ids()
    freezer.tick(timedelta(minutes=minutes, seconds=-2))
    await client.site_ids()
    assert cloud.tokens == 1
    freezer.tick(timedelta(seconds=4))
    await client.site_ids()
    assert cloud.tokens == 2
    assert cloud.asked[-1].token == "Bearer t0ken-2-xyz"


async def test_one_log_in_for_many(cloud: Cloud, client: ClimkitClient) -> None:
    await asyncio.gather(*(client.meters(str(number)) for number in range(20)))
    assert cloud.paths().count("auth") == 1
    assert len(cloud.asked) == 21


async def test_one_renewal_for_many(cloud: Cloud, client: ClimkitClient) -> None:
    await client.site_ids()
    cloud.answer("meter_info", Answer("", 401), Answer([]))
    await asyncio.gather(*(client.meters(str(number)) for number in range(20)))
    assert cloud.paths().count("auth") == 2
    assert len(cloud.asked) == 2 + 1 + 1 + 20


async def test_one_attempt_for_many(cloud: Cloud, client: ClimkitClient) -> None:
    """With wrong credentials, those who wait do not try again: accounts get locked."""
    cloud.answer("auth", Answer({"error": "x"}, 401, delay=0.05))
    calls = [client.meters(str(number)) for number in range(20)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} == {ClimkitAuthenticationError}
    assert cloud.paths() == ["auth"]
    cloud.answers.clear()
    with pytest.raises(ClimkitAuthenticationError):  # nor does whoever comes later
        await client.site_ids()
    assert cloud.paths() == ["auth"]
    client.try_again()  # until somebody has looked at it
    assert await client.site_ids() == ()


RENEWALS: dict[str, tuple[float, list[int], list[str]]] = {
    "401": (1, [401], ["x", "auth", "x"]),
    "401 again": (1, [401, 401], ["x", "auth", "x"]),
    "401, then 403": (1, [401, 403], ["x", "auth", "x"]),
    "401, then 404": (1, [401, 404], ["x", "auth", "x"]),
    "403 with a young token": (1, [403], ["x"]),
    "403 with an old token": (8, [403], ["x", "auth", "x"]),
    "403 again": (8, [403, 403], ["x", "auth", "x"]),
    "404": (8, [404], ["x"]),
}


@pytest.mark.parametrize(
    ("age", "statuses", "requests"), RENEWALS.values(), ids=RENEWALS
)
async def test_renewal(
    cloud: Cloud,
    session: aiohttp.ClientSession,
    age: float,
    statuses: list[int],
    requests: list[str],
) -> None:
    """A new token is tried once, where it may help; the call is repeated once."""
    client = ClimkitClient(session, USER, PASSWORD, url=cloud.url)
    with freeze_time(NOW) as now:
        await client.authenticate()
        now.tick(timedelta(minutes=age))
        cloud.answer("meter_info", *(Answer("", s) for s in statuses), Answer([]))
        status = 200
        try:
            await client.meters("s")
        except ClimkitAccessError as err:
            status = err.status
    sent = len(requests) - requests.count("auth")
    assert status == [*statuses, 200][sent - 1]
    found = ["auth" if path == "auth" else "x" for path in cloud.paths()[1:]]
    assert found == requests


async def test_refused_forever(cloud: Cloud, client: ClimkitClient) -> None:
    """A resource that answers 403 does not cost a log-in each time."""
    cloud.answer("meter_info", Answer("", 403))
    for _ in range(5):
        with pytest.raises(ClimkitAccessError):
            await client.meters("s")
    assert cloud.tokens == 1


async def test_password_changed_meanwhile(cloud: Cloud, client: ClimkitClient) -> None:
    await client.site_ids()
    cloud.answer("all_installations", Answer("", 401))
    cloud.answer("auth", Answer({"error": "x"}, 401))
    with pytest.raises(ClimkitAuthenticationError):
        await client.site_ids()


async def test_authenticate_always_asks(cloud: Cloud, client: ClimkitClient) -> None:
    await client.authenticate()
    await client.authenticate()
    await client.site_ids()
    assert cloud.paths() == ["auth", "auth", "all_installations"]


async def test_odd_characters(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """Whatever somebody types reaches the cloud, even what is no valid text."""
    client = ClimkitClient(session, "Zoë", "pä\udc80\n☃", url=cloud.url)
    await client.authenticate()
    assert cloud.asked[0].json == {"username": "Zoë", "password": "pä\udc80\n☃"}
    assert client.has_password("pä\udc80\n☃")


async def test_two_accounts_have_their_own_tokens(
    cloud: Cloud, session: aiohttp.ClientSession
) -> None:
    first = ClimkitClient(session, USER, PASSWORD, url=cloud.url)
    second = ClimkitClient(session, "other", PASSWORD, url=cloud.url)
    await first.site_ids()
    await second.site_ids()
    await first.site_ids()
    assert [asked.token for asked in cloud.asked if asked.token] == [
        "Bearer t0ken-1-xyz",
        "Bearer t0ken-2-xyz",
        "Bearer t0ken-1-xyz",
    ]
