"""The simulated cloud over a real socket: accounts, limits, faults, speed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
import signal
import sys
from time import perf_counter, process_time, sleep, thread_time
from typing import Final

import aiohttp
from freezegun import freeze_time
import pytest

from tests.simulator import Fault, Simulator, server, sites
from tests.simulator.accounts import monotonic
from tests.simulator.client import PlainClient, logged_in
from tests.simulator.faults import FaultKind

pytestmark = pytest.mark.usefixtures("socket_enabled")

NOW = datetime(2026, 6, 16, 10, 5, tzinfo=UTC)


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    served = [sites.community(), sites.no_pv()]
    async with Simulator(served, clock=lambda: NOW, min_interval=0) as simulator:
        yield simulator


@pytest.fixture
async def client(cloud: Simulator) -> AsyncIterator[PlainClient]:
    async with logged_in(cloud) as client:
        yield client


async def test_accounts_and_tokens(client: PlainClient) -> None:
    cloud = client.cloud
    first, second = (site.id for site in cloud.sites)
    status, reply = await client.log_in(password="wrong")
    assert (status, "access_token" in reply) == (401, False)
    assert (await client.send("GET", "all_installations"))[0] == 401
    _, reply = await client.log_in()
    expires = int((NOW + timedelta(minutes=15)).timestamp() * 1000)
    assert reply["valid_until"] == {"$date": expires}
    assert (await client.send("GET", "all_installations"))[0] == 200
    cloud.grant("demo", [second])
    assert await client.send("GET", "all_installations") == (200, [second])
    assert (await client.send("GET", f"meter_info/{first}"))[0] == 403
    assert (await client.send("GET", "meter_info/unknown"))[0] == 404
    assert (await client.send("GET", "nonsense"))[0] == 404
    cloud.clock = lambda: NOW + timedelta(minutes=15)
    assert (await client.send("GET", "all_installations"))[0] == 401
    await client.log_in()
    cloud.expire_tokens()
    assert (await client.send("GET", "all_installations"))[0] == 401


async def test_the_rate_limit_is_per_account(
    client: PlainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = monotonic()
    monkeypatch.setattr(server, "monotonic", lambda: now)
    cloud = client.cloud
    cloud.accounts["other"] = "secret"
    other = PlainClient(cloud, client.session)
    await other.log_in("other", "secret")
    cloud.min_interval = 0.3
    cloud.quirks.retry_after = "1"
    now += 0.35
    told = [
        await client.send("GET", "all_installations"),
        await other.send("GET", "all_installations"),
        await client.send("GET", "all_installations"),
    ]
    now += 0.35
    told.append(await client.send("GET", "all_installations"))
    assert [status for status, _ in told] == [200, 200, 429, 200]
    assert [r.status for r in cloud.requests][-4:] == [200, 200, 429, 200]
    assert cloud.requests.smallest_gap("demo") < 0.2
    assert cloud.most_in_flight == {"demo": 1, "other": 1}


def test_the_rate_limit_runs_on_while_time_is_frozen() -> None:
    with freeze_time("2026-06-16"):
        before = monotonic()
        sleep(0.01)
        assert 0.009 < monotonic() - before < 5


ANSWERS: Final[Mapping[FaultKind, tuple[int, str]]] = {
    "wait": (200, '[{"'),
    "status": (500, '{"status"'),
    "slow": (200, '[{"'),
    "html": (200, "<html>"),
    "truncated": (200, '[{"'),
    "wrong_type": (200, '{"data":[{'),
    "huge": (200, "[0,0,0,"),
    "deep": (200, "[[[["),
    "empty_body": (200, ""),
    "empty_list": (200, "[]"),
    "error_object": (200, '{"error"'),
    "nan": (200, '[{"'),
    "nulls": (200, '[{"'),
    "all_null": (200, '[{"'),
    "missing_keys": (200, '[{"'),
    "missing_timestamps": (200, '[{"'),
    "bad_rows": (200, "[null, 7, "),
    "duplicates": (200, '[{"'),
    "shuffled": (200, '[{"'),
    "reversed": (200, '[{"'),
    "strings": (200, '[{"'),
    "garbage_values": (200, '[{"'),
    "redirect": (200, '[{"'),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_faults_that_answer(client: PlainClient, kind: FaultKind) -> None:
    site = client.cloud.sites[0]
    url = f"{client.cloud.url}/site_data/{site.id}/electricity"
    right, spoiled, after = b"", b"", b""
    fault = Fault(kind, path="site_data", times=1, after=1, delay=0.05)
    client.cloud.faults.add(fault)
    for number in range(3):
        async with client.session.post(url, headers=client.headers) as response:
            body = await response.read()
            if number == 1:
                assert response.status == ANSWERS[kind][0]
                spoiled = body
            right, after = (body, after) if number == 0 else (right, body)
    assert (fault.seen, fault.hits) == (2, 1)
    assert right == after
    assert spoiled.decode().startswith(ANSWERS[kind][1])
    assert (spoiled != right) == (kind not in ("wait", "slow", "redirect"))


@pytest.mark.parametrize("kind", ["refuse", "hang", "reset"])
async def test_faults_that_do_not_answer(client: PlainClient, kind: FaultKind) -> None:
    cloud = client.cloud
    path = f"site_data/{cloud.sites[0].id}/electricity"
    cloud.faults.add(Fault(kind, path="auth"))
    cloud.faults.add(Fault(kind, path="site_.*/electricity$", delay=0.1))
    with pytest.raises(aiohttp.ClientError):
        await client.send("POST", path)
    cloud.faults.clear()
    assert (await client.send("POST", path))[0] == 200


async def test_a_stopped_cloud_comes_back_at_the_same_address(
    client: PlainClient,
) -> None:
    cloud, url = client.cloud, client.cloud.url
    hanging = cloud.faults.add(Fault("hang"))
    waiting = asyncio.create_task(client.send("GET", "all_installations"))
    await asyncio.sleep(0.05)
    started = perf_counter()
    await cloud.stop()
    assert perf_counter() - started < 30  # aiohttp would give it a minute
    with pytest.raises(aiohttp.ClientError):
        await waiting
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.send("GET", "all_installations")
    cloud.faults.remove(hanging)
    await cloud.start()
    assert cloud.url == url
    assert (await client.send("GET", "all_installations"))[0] == 200


async def test_it_is_fast_and_leaves_the_loop_alone(client: PlainClient) -> None:
    """Bars are wide, of the processor's time: machines differ, and how busy they are."""
    site = sites.large(40)
    client.cloud.sites.append(site)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = thread_time()
            await asyncio.sleep(0.001)
            longest = max(longest, thread_time() - before)

    watching = asyncio.create_task(watch())
    started = process_time()
    window = {"t_s": "2024-01-01T00:00:00", "t_e": "2024-04-30T00:00:00"}
    async with client.session.post(
        f"{client.cloud.url}/site_data/{site.id}/electricity",
        json={**window, "sampling_frequency": "H"},
        headers=client.headers,
    ) as response:
        body = await response.read()
    assert process_time() - started < 3
    watching.cancel()
    assert body.count(b"timestamp") == 120 * 24 - 1
    assert longest < 0.5


async def test_it_runs_alone() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.simulator", "--port", "0"),
        *("--site", "battery", "--account", "me:secret", "--min-interval", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(600):
        line = (await process.stdout.readline()).decode()
        url = line.split()[-1]
        body = {"username": "me", "password": "secret"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/auth", json=body) as response,
        ):
            assert response.status == 200
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
