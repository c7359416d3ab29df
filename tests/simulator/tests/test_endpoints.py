"""The simulated cloud over a real socket: what its endpoints answer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.simulator import Quirks, Simulator, sites
from tests.simulator.client import PlainClient, logged_in

pytestmark = pytest.mark.usefixtures("socket_enabled")

NOW = datetime(2026, 6, 16, 10, 5, tzinfo=UTC)


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    site = sites.community(heat=True, charge_points=1)
    served = [site, sites.with_environment_sensors()]
    async with Simulator(served, clock=lambda: NOW, min_interval=0) as simulator:
        yield simulator


@pytest.fixture
async def client(cloud: Simulator) -> AsyncIterator[PlainClient]:
    async with logged_in(cloud) as client:
        yield client


async def test_rows_are_the_model_with_labels_and_rounding(client: PlainClient) -> None:
    site = client.cloud.sites[0]
    times = {"t_s": "2026-06-15T12:00:00", "t_e": "2026-06-15T14:00:00"}
    start = datetime(2026, 6, 15, 10, tzinfo=UTC)
    for kind in ("electricity", "heating", "charge_point"):
        rows = await client.rows(site, kind, **times)
        truth = site.model(kind, "15T", start, start + timedelta(hours=2))
        assert [row.pop("timestamp") for row in rows] == [
            f"2026-06-15 {12 + n // 4}:{n % 4 * 15:02d}:00+02:00" for n in range(1, 9)
        ]
        for number, row in enumerate(rows):
            quarter = start + timedelta(minutes=15 * number)
            assert row == {k: round(v[quarter], 3) for k, v in truth.items()}
    assert await client.rows(site, "cold_water", **times) == []
    assert await client.rows(site, "nonsense", **times) == []


@pytest.mark.parametrize(
    ("sampling", "first", "last", "count"),
    [
        ("H", "2026-03-29 00:00:00+01:00", "2026-03-29 23:00:00+02:00", 23),
        ("D", "2026-03-29 00:00:00+01:00", "2026-03-29 00:00:00+01:00", 1),
        ("M", "2026-03-01 00:00:00+01:00", "2026-03-01 00:00:00+01:00", 1),
        ("Y", "2026-01-01 00:00:00+01:00", "2026-01-01 00:00:00+01:00", 1),
        (None, "2026-03-29 00:15:00+01:00", "2026-03-30 00:00:00+02:00", 92),
    ],
)
async def test_labels_of_periods(
    client: PlainClient, sampling: str | None, first: str, last: str, count: int
) -> None:
    rows = await client.rows(
        client.cloud.sites[0],
        "electricity",
        t_s="2026-03-29 00:00:00",
        t_e="2026-03-30 00:00:00",
        sampling_frequency=sampling,
    )
    labels = [row["timestamp"] for row in rows]
    assert (labels[0], labels[-1], len(labels)) == (first, last, count)


async def test_the_hour_that_comes_twice(client: PlainClient) -> None:
    client.cloud.clock = lambda: datetime(2026, 11, 1, tzinfo=UTC)
    await client.log_in()
    rows = await client.rows(
        client.cloud.sites[0],
        "electricity",
        t_s="2026-10-25T00:00:00",
        t_e="2026-10-26T00:00:00",
        sampling_frequency="H",
    )
    labels = [row["timestamp"] for row in rows]
    assert len(labels) == 25
    assert labels[2:4] == ["2026-10-25 02:00:00+02:00", "2026-10-25 02:00:00+01:00"]


async def test_windows(client: PlainClient) -> None:
    site = client.cloud.sites[0]
    rows = await client.rows(site, "electricity")
    assert len(rows) == 15 * 96 - 2  # 10:05, seventeen minutes late: until 09:45
    assert rows[-1]["timestamp"] == "2026-06-16 11:45:00+02:00"
    path = f"site_data/{site.id}/electricity"
    async with client.session.post(
        f"{client.cloud.url}/{path}", headers=client.headers
    ) as response:
        assert len(await response.json()) == len(rows)
    bodies: tuple[Any, ...] = (
        [],
        "x",
        {"t_s": 5},
        {"t_s": "soon"},
        {"sampling_frequency": "2H"},
    )
    for body in bodies:
        assert (await client.send("POST", path, body))[0] == 400
    early = {"t_s": "2020-01-01T00:00:00", "t_e": "2023-03-01T01:00:00"}
    assert len(await client.rows(site, "electricity", **early)) == 4
    client.cloud.quirks.window_limit = timedelta(days=30)
    assert (await client.send("POST", path, early))[0] == 413


@pytest.mark.parametrize(
    ("quirks", "first"),
    [
        (Quirks(), "2026-06-15 12:15:00+02:00"),
        (Quirks(includes_start=True), "2026-06-15 12:00:00+02:00"),
        (Quirks(requested_times="utc"), "2026-06-15 14:15:00+02:00"),
        (Quirks(timestamps="z"), "2026-06-15T10:15:00Z"),
        (Quirks(timestamps="date_ms"), {"$date": 1781518500000}),
    ],
    ids=["usual", "includes start", "utc", "z", "$date"],
)
async def test_quirks_of_times(
    client: PlainClient, quirks: Quirks, first: object
) -> None:
    client.cloud.quirks = quirks
    site = client.cloud.sites[0]
    rows = await client.rows(site, "electricity", t_s="2026-06-15T12:00:00")
    assert rows[0]["timestamp"] == first


async def test_quirks_of_rows(client: PlainClient) -> None:
    cloud, site = client.cloud, client.cloud.sites[0]
    window = {"t_s": "2026-06-16T09:00:00"}
    usual = await client.rows(site, "electricity", **window)
    cloud.quirks = Quirks(zero_rows=3, storage_columns="never")
    zeros = await client.rows(site, "electricity", **window)
    assert len(zeros) == len(usual) + 1  # until 10:00, what is over at 10:05
    assert set(zeros[-1].values()) == {0.0, zeros[-1]["timestamp"]}
    assert not any(key.startswith("storage") for key in zeros[0])
    cloud.quirks = Quirks(decimals=None, numbers="string")
    exact = await client.rows(site, "electricity", **window)
    assert all(isinstance(value, str) for value in exact[0].values())
    cloud.quirks = Quirks()
    hours = {"t_s": "2026-06-16T09:30:00", "sampling_frequency": "H"}
    part = await client.rows(site, "electricity", **hours)
    cloud.quirks = Quirks(whole_periods=True)
    whole = await client.rows(site, "electricity", **hours)
    assert [r["timestamp"] for r in part] == [r["timestamp"] for r in whole]
    assert part[0]["conso_total"] < whole[0]["conso_total"]
    assert part[1] == whole[1]


async def test_meters_alone(client: PlainClient) -> None:
    cloud, site = client.cloud, client.cloud.sites[0]
    window = {"t_s": "2026-06-16T09:00:00"}
    of_site = await client.rows(site, "electricity", **window)
    for name, keys in (
        ("Appartement 1.1", {"total", "self", "ext"}),
        ("Installation solaire", {"total"}),
    ):
        meter = site.meter(name).id
        path = f"meter_data/{site.id}/{meter}"
        _, rows = await client.send("POST", path, window)
        assert rows == [
            {k: r[f"{k}_{meter}"] for k in keys} | {"timestamp": r["timestamp"]}
            for r in of_site
        ]
        _, raw = await client.send("POST", f"meter_data_raw/{site.id}/{meter}", window)
        key = "en_ex" if name == "Installation solaire" else "en_im"
        counted = [b[key] - a[key] for a, b in pairwise(raw)]
        assert counted == pytest.approx([r["total"] for r in rows[1:]], abs=1e-6)
    path = f"meter_data/{site.id}/{site.meter('Introduction').id}"
    assert await client.send("POST", path, window) == (200, [])
    cloud.grant("demo", [site.id], meters=[site.meter("Appartement 1.2").id])
    path = f"meter_data/{site.id}/{site.meter('Appartement 1.1').id}"
    assert (await client.send("POST", path, window))[0] == 403
    own = (await client.rows(site, "electricity", **window))[0]
    assert len([key for key in own if key.startswith("total_")]) == 1
    assert own["conso_total"] == of_site[0]["conso_total"]


async def test_descriptions(client: PlainClient) -> None:
    cloud, site = client.cloud, client.cloud.sites[0]
    _, ids = await client.send("GET", "all_installations")
    assert ids == [site.id for site in cloud.sites]
    _, infos = await client.send("GET", f"installation_infos/{site.id}")
    assert infos["name"] == site.name
    assert infos["creation_date"] == "2023-03-01T00:00:00+01:00"
    _, meters = await client.send("GET", f"meter_info/{site.id}")
    assert [meter["id"] for meter in meters] == [meter.id for meter in site.meters]
    cloud.quirks = Quirks(installations="oid", address="2022", meter_info="2022")
    _, objects = await client.send("GET", "all_installations")
    assert objects[0] == {"_id": {"$oid": site.id}}
    _, infos = await client.send("GET", f"installation_infos/{site.id}")
    assert infos["address"]["city_name"] == "Lausanne"
    _, meters = await client.send("GET", f"meter_info/{site.id}")
    assert meters[0].keys() == {"id", "type", "prim_ad", "virtual"}
    site.meters.pop()
    site.meters[0].name = "Autre"
    cloud.quirks = Quirks()
    _, meters = await client.send("GET", f"meter_info/{site.id}")
    assert (len(meters), meters[0]["name"]) == (len(site.meters), "Autre")


async def test_environmental_sensors(client: PlainClient) -> None:
    house = client.cloud.sites[1]
    _, sensors = await client.send("GET", f"{house.id}/sensors_list")
    assert len(sensors) == len(house.sensors)
    path = f"{house.id}/sensor_data/{sensors[0]['id']}"
    _, latest = await client.send("GET", path)
    assert latest[0]["timestamp"] == NOW.timestamp() - 300
    _, rows = await client.send("GET", f"{path}?t_s=2026-06-16T11:00:00")
    assert len(rows) == 5
    assert rows[-1] == latest[0]
    other = client.cloud.sites[0]
    assert await client.send("GET", f"{other.id}/sensors_list") == (200, [])
    client.cloud.quirks.sensors = "missing"
    assert (await client.send("GET", f"{house.id}/sensors_list"))[0] == 404
