"""The simulated cloud's limits and hiccups: what each switch does on the wire."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import aiohttp
import pytest

from tests.simulator import Fault, Simulator, sites
from tests.simulator.client import PlainClient, logged_in
from tests.simulator.quirks import Refusal

pytestmark = pytest.mark.usefixtures("socket_enabled")

NOW: Final = datetime(2026, 6, 16, 10, 5, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
REFUSALS: Final[tuple[Refusal, ...]] = (
    *(400, 401, 403, 404, 413, 500),
    *("error_object", "html", "hang"),
)


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    served = sites.many(2)
    async with Simulator(served, clock=lambda: NOW, min_interval=0) as simulator:
        yield simulator


@pytest.fixture
async def client(cloud: Simulator) -> AsyncIterator[PlainClient]:
    async with logged_in(cloud) as client:
        yield client


async def asked(
    client: PlainClient, sampling: str, days: float, *, meter: str = ""
) -> tuple[int, Any]:
    """Return (status, reply) to a window that ends now."""
    site = client.cloud.sites[0].id
    path = f"meter_data/{site}/{meter}" if meter else f"site_data/{site}/electricity"
    start = (NOW - timedelta(days=days)).isoformat()
    body = {"t_s": start, "t_e": NOW.isoformat(), "sampling_frequency": sampling}
    return await client.send("POST", path, body)


async def says_no(client: PlainClient, how: Refusal, **question: Any) -> None:
    """Make sure that a question is refused in this way."""
    if how == "hang":
        with pytest.raises(TimeoutError):
            await asked(client, **question)
        return
    status, reply = await asked(client, **question)
    match how:
        case "error_object":
            assert (status, list(reply)) == (200, ["error"])
        case "html":
            assert status == 200
            assert reply.startswith("<html>")
        case _:
            assert (status, reply["status"]) == (how, how)


@pytest.fixture
async def hasty(
    cloud: Simulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PlainClient]:
    """Return a client that does not wait for long."""
    timeout = aiohttp.ClientTimeout(0.3)
    monkeypatch.setattr("tests.simulator.client._TIMEOUT", timeout)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = PlainClient(cloud, session)
        await client.log_in()
        yield client


@pytest.mark.parametrize("how", REFUSALS)
async def test_longest_window_by_sampling(hasty: PlainClient, how: Refusal) -> None:
    quirks = hasty.cloud.quirks
    quirks.longest = {"15T": DAY, "H": 31 * DAY, "M": timedelta(0)}
    quirks.window_limit = 90 * DAY
    quirks.window_refusal = how
    for sampling, days in (("15T", 1.0), ("H", 31.0), ("D", 90.0)):
        status, rows = await asked(hasty, sampling, days)
        assert status == 200
        assert len(rows) > 80
    await says_no(hasty, how, sampling="15T", days=1.1)
    for sampling, days in (("H", 31.1), ("D", 91.0), ("M", 31.0)):
        if how != "hang":  # one is enough of what takes time
            await says_no(hasty, how, sampling=sampling, days=days)


@pytest.mark.parametrize("how", [*REFUSALS, "empty", "clipped"])
async def test_depth(hasty: PlainClient, how: Any) -> None:
    quirks = hasty.cloud.quirks
    quirks.depth = {"": NOW - 10 * DAY, "M": NOW - 300 * DAY}
    quirks.depth_refusal = how
    status, rows = await asked(hasty, "H", 9)
    assert (status, len(rows)) == (200, 9 * 24)
    assert len((await asked(hasty, "M", 290))[1]) == 11
    if how not in ("empty", "clipped"):
        await says_no(hasty, how, sampling="H", days=11)
        return
    status, rows = await asked(hasty, "H", 11)
    assert (status, len(rows)) == (200, 10 * 24 if how == "clipped" else 0)
    quirks.depth_lifted = NOW + MINUTE
    assert len((await asked(hasty, "H", 11))[1]) == len(rows)
    quirks.depth_lifted = NOW
    assert len((await asked(hasty, "H", 11))[1]) == 11 * 24


@pytest.mark.parametrize(
    ("up_to", "given", "refused"), [("midnight", 10.5, 10.51), ("now", 10, 10.01)]
)
async def test_what_is_kept(
    client: PlainClient, up_to: Any, given: float, refused: float
) -> None:
    """Ten days before midnight, which was twelve hours and five minutes ago, or before now."""
    client.cloud.quirks.kept = {"": 10 * DAY}
    client.cloud.quirks.kept_up_to = up_to
    assert (await asked(client, "H", given))[0] == 200
    await says_no(client, 400, sampling="H", days=refused)
    # What else is not given is not given either.
    client.cloud.quirks.depth = {"": NOW - 9 * DAY}
    await says_no(client, 400, sampling="H", days=given)


@pytest.mark.parametrize(("kept", "lacks"), [("first", -1), ("last", 0)])
async def test_most_rows(client: PlainClient, kept: Any, lacks: int) -> None:
    _, whole = await asked(client, "H", 10)
    client.cloud.quirks.most_rows = 100
    client.cloud.quirks.kept_rows = kept
    status, rows = await asked(client, "H", 10)
    assert (status, len(rows)) == (200, 100)
    assert rows == (whole[:100] if kept == "first" else whole[-100:])
    assert whole[lacks] not in rows
    meter = client.cloud.sites[0].meters[-1].id
    assert len((await asked(client, "H", 10, meter=meter))[1]) == 100
    assert len((await asked(client, "D", 10))[1]) == 11


@pytest.mark.parametrize("how", REFUSALS)
async def test_one_meter_or_medium_that_fails(hasty: PlainClient, how: Refusal) -> None:
    quirks, site = hasty.cloud.quirks, hasty.cloud.sites[0]
    broken, other = site.meters[-1].id, site.meters[-2].id
    quirks.failing = {broken: how}
    await says_no(hasty, how, sampling="H", days=1, meter=broken)
    assert (await asked(hasty, "H", 1, meter=other))[0] == 200
    assert f"total_{broken}" in (await asked(hasty, "H", 1))[1][0]
    quirks.failing_before = NOW - 5 * DAY
    assert len((await asked(hasty, "H", 5, meter=broken))[1]) == 5 * 24
    if how != "hang":
        await says_no(hasty, how, sampling="H", days=6, meter=broken)
    quirks.failing, quirks.failing_before = {"electricity": how}, None
    assert (await asked(hasty, "H", 1, meter=broken))[0] == 200
    if how != "hang":
        await says_no(hasty, how, sampling="H", days=1)


async def test_a_replica_answers_now_and_then(client: PlainClient) -> None:
    client.cloud.quirks.replica_lag = timedelta(hours=6)
    labels = [(await asked(client, "15T", 1))[1][-1]["timestamp"] for _ in range(6)]
    fresh, old = "2026-06-16 11:45:00+02:00", "2026-06-16 05:45:00+02:00"
    assert labels == [fresh, fresh, old] * 2


async def test_lists_that_leave_something_out(client: PlainClient) -> None:
    cloud = client.cloud
    first, second = cloud.sites
    meter = first.meters[-1].id
    cloud.quirks.unlisted = (second.id, meter)
    assert await client.send("GET", "all_installations") == (200, [first.id])
    _, listed = await client.send("GET", f"meter_info/{first.id}")
    assert [m["id"] for m in listed] == [m.id for m in first.meters[:-1]]
    assert (await asked(client, "H", 1, meter=meter))[0] == 200
    cloud.quirks.unlisted = [site.id for site in cloud.sites]
    assert await client.send("GET", "all_installations") == (200, [])


async def test_months_that_are_of_no_use(client: PlainClient) -> None:
    _, right = await asked(client, "M", 90)
    client.cloud.quirks.month_factor = 1000
    _, wrong = await asked(client, "M", 90)
    assert wrong[1]["from_ext"] == pytest.approx(right[1]["from_ext"] * 1000, rel=1e-5)
    client.cloud.quirks.month_factor = 0
    assert not (await asked(client, "M", 90))[1][1]["from_ext"]


async def test_midnights_of_utc(client: PlainClient) -> None:
    _, local = await asked(client, "M", 90)
    client.cloud.quirks.midnights = "utc"
    _, months = await asked(client, "M", 90)
    assert [row["timestamp"] for row in months[1:]] == [
        f"2026-{month:02d}-01 00:00:00+00:00" for month in (4, 5, 6)
    ]
    assert [r["from_ext"] for r in months] == [r["from_ext"] for r in local]
    _, days = await asked(client, "D", 1)
    assert days[-1]["timestamp"] == "2026-06-16 00:00:00+00:00"
    _, hours = await asked(client, "H", 1)
    assert hours[-1]["timestamp"].endswith("+02:00")


async def test_months_by_their_last_day(client: PlainClient) -> None:
    _, first = await asked(client, "M", 90)
    client.cloud.quirks.months_by_last_day = True
    _, last = await asked(client, "M", 90)
    assert [row["timestamp"] for row in last] == [
        f"2026-{day} 00:00:00+02:00" for day in ("03-31", "04-30", "05-31", "06-30")
    ]
    assert [row["from_ext"] for row in last] == [row["from_ext"] for row in first]


async def test_months_at_the_edges_are_cut_or_whole(client: PlainClient) -> None:
    _, cut = await asked(client, "M", 60)
    client.cloud.quirks.whole_periods = True
    _, whole = await asked(client, "M", 60)
    assert cut[0]["timestamp"] == whole[0]["timestamp"]
    assert cut[0]["from_ext"] < whole[0]["from_ext"]
    assert cut[1] == whole[1]


def _same(moment: datetime) -> datetime:
    return moment


async def test_faults_by_the_clock(client: PlainClient) -> None:
    cloud = client.cloud
    fault = Fault("empty_list", path="site_data", since=NOW, until=NOW + MINUTE)
    cloud.faults.add(fault)
    lengths = []
    for seconds in (-1, 0, 59, 60):
        moment = NOW + timedelta(seconds=seconds)
        cloud.clock = partial(_same, moment)
        lengths.append(len((await asked(client, "H", 1))[1]))
    assert lengths[1:3] == [0, 0]
    assert lengths[0]
    assert lengths[3]
    assert fault.hits == 2


ODD_LOGINS: Final[dict[str, tuple[Fault, int, Any]]] = {
    "firewall": (
        Fault("status", status=403, body="<html>Blocked</html>"),
        *(403, "<html>Blocked</html>"),
    ),
    "empty body": (Fault("empty_body"), 200, ""),
    "no token": (Fault("error_object", body='{"valid": 1}'), 200, {"valid": 1}),
    "not found": (
        Fault("status", status=404),
        *(404, {"status": 404, "message": "Fault"}),
    ),
}


@pytest.mark.parametrize("name", ODD_LOGINS)
async def test_odd_refusals_of_a_log_in(client: PlainClient, name: str) -> None:
    fault, status, reply = ODD_LOGINS[name]
    fault.hits = 0
    client.cloud.faults.add(fault)
    body = {"username": "demo", "password": "demo"}
    assert await client.send("POST", "auth", body) == (status, reply)
    client.cloud.faults.clear()
    assert (await client.send("POST", "auth", body))[0] == 200


async def test_a_changed_password(client: PlainClient) -> None:
    client.cloud.accounts["demo"] = "new"
    assert (await asked(client, "H", 1))[0] == 200  # tokens hold on
    client.cloud.expire_tokens()
    assert (await asked(client, "H", 1))[0] == 401
    assert (await client.log_in())[0] == 401
    assert (await client.log_in(password="new"))[0] == 200


@pytest.mark.parametrize("told", [None, "2031-01-01T00:00:00+01:00"])
async def test_creation_dates_that_say_little(client: PlainClient, told: Any) -> None:
    site = client.cloud.sites[0]
    site.info = {"creation_date": told}
    site.first_data = NOW - 5 * DAY
    _, infos = await client.send("GET", f"installation_infos/{site.id}")
    assert infos.get("creation_date") == told
    assert len((await asked(client, "H", 10))[1]) == 5 * 24
    site.id = "house-7"
    assert (await asked(client, "H", 10))[0] == 200
