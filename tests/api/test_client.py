"""What goes over the wire for each endpoint, and what comes back."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from custom_components.climkit.api import (
    ClimkitClient,
    Column,
    Meter,
    RegisterReading,
    Resolution,
    Sensor,
    SensorReading,
    Site,
)

from .conftest import PASSWORD, USER, Answer, Cloud

START = datetime(2026, 3, 22, tzinfo=UTC)
END = datetime(2026, 3, 23, tzinfo=UTC)
IN_ZURICH = datetime(2026, 3, 22, 1, tzinfo=timezone(timedelta(hours=1)))

SITE = "63d9a1f05de9e5093d46bdb6"
METER = "63d9a1f0cd0d6d4e4e86b2d4"

T_S, T_E = "2026-03-21T21:00:00", "2026-03-23T03:00:00"

type Call = Callable[[ClimkitClient], Awaitable[Any]]


class Wire(NamedTuple):
    """A call, and the request that it must become."""

    call: Call
    method: str
    path: str
    query: dict[str, str]
    body: dict[str, str] | None


WIRE = {
    "site ids": Wire(lambda c: c.site_ids(), "GET", "all_installations", {}, None),
    "site": Wire(
        lambda c: c.site(SITE),
        "GET",
        f"installation_infos/{SITE}",
        {},
        None,
    ),
    "meters": Wire(lambda c: c.meters(SITE), "GET", f"meter_info/{SITE}", {}, None),
    "site series, open end": Wire(
        lambda c: c.site_series(SITE, "electricity", Resolution.QUARTER_HOUR, START),
        "POST",
        f"site_data/{SITE}/electricity",
        {},
        {"t_s": T_S, "sampling_frequency": "15T"},
    ),
    "site series, from local time": Wire(
        lambda c: c.site_series(SITE, "hot_water", Resolution.DAY, IN_ZURICH, END),
        "POST",
        f"site_data/{SITE}/hot_water",
        {},
        {"t_s": T_S, "t_e": T_E, "sampling_frequency": "D"},
    ),
    "meter series, not earlier": Wire(
        lambda c: c.meter_series(
            *(SITE, METER, Resolution.HOUR, START, END),
            earliest=START + timedelta(hours=2),
        ),
        "POST",
        f"meter_data/{SITE}/{METER}",
        {},
        {"t_s": "2026-03-22T02:00:00", "t_e": T_E, "sampling_frequency": "H"},
    ),
    "site series, later than it may begin": Wire(
        lambda c: c.site_series(
            *(SITE, "electricity", Resolution.QUARTER_HOUR, START),
            earliest=START - timedelta(days=9),
        ),
        "POST",
        f"site_data/{SITE}/electricity",
        {},
        {"t_s": T_S, "sampling_frequency": "15T"},
    ),
    "meter series": Wire(
        lambda c: c.meter_series(SITE, METER, Resolution.HOUR, START, END),
        "POST",
        f"meter_data/{SITE}/{METER}",
        {},
        {"t_s": T_S, "t_e": T_E, "sampling_frequency": "H"},
    ),
    "registers": Wire(
        lambda c: c.register_readings(SITE, METER, START, END),
        "POST",
        f"meter_data_raw/{SITE}/{METER}",
        {},
        {"t_s": T_S, "t_e": T_E},
    ),
    "sensors": Wire(lambda c: c.sensors(SITE), "GET", f"{SITE}/sensors_list", {}, None),
    "sensor readings": Wire(
        lambda c: c.sensor_readings(SITE, "s1", START),
        "GET",
        f"{SITE}/sensor_data/s1",
        {"t_s": T_S},
        None,
    ),
    "latest sensor reading": Wire(
        lambda c: c.sensor_readings(SITE, "s1"),
        "GET",
        f"{SITE}/sensor_data/s1",
        {},
        None,
    ),
    "id with a slash": Wire(
        lambda c: c.meters("a/../b c?x=1#y"),
        "GET",
        "meter_info/a%2F..%2Fb%20c%3Fx%3D1%23y",
        {},
        None,
    ),
}


@pytest.mark.parametrize("wire", WIRE.values(), ids=WIRE)
async def test_wire(cloud: Cloud, client: ClimkitClient, wire: Wire) -> None:
    cloud.answer("installation_infos", Answer({"name": "Les Tilleuls"}))
    await wire.call(client)
    log_in, asked = cloud.asked
    assert (log_in.method, log_in.path) == ("POST", "auth")
    assert log_in.json == {"username": USER, "password": PASSWORD}
    assert not log_in.token
    assert (asked.method, asked.path) == (wire.method, wire.path)
    assert asked.query == wire.query
    assert asked.json == wire.body
    assert asked.token == "Bearer t0ken-1-xyz"
    assert asked.headers.get("Content-Type") == (wire.body and "application/json")


async def test_site(cloud: Cloud, client: ClimkitClient) -> None:
    cloud.answer(
        "installation_infos",
        Answer(
            {
                "site_ref": "A-12",
                "name": " Les Tilleuls ",
                "address": {
                    "street_name": "Secret Street",
                    "street_number": "7",
                    "city": "Lausanne",
                    "postal_code": 1000,
                },
                "creation_date": "2023-03-01T08:30:00+01:00",
                "latitude": 46.5196,
                "longitude": 6.6323,
                "timezone": "Europe/Paris",
            }
        ),
    )
    created = datetime(2023, 3, 1, 7, 30, tzinfo=UTC)
    site = await client.site(SITE)
    assert site == Site(SITE, "Les Tilleuls", "Lausanne", created, "Europe/Paris")
    assert site.created is not None
    assert site.created.tzinfo is UTC
    assert "Secret" not in repr(site)
    assert "46.5" not in repr(site)


async def test_meters(cloud: Cloud, client: ClimkitClient) -> None:
    described = {
        "id": METER,
        "type": "electricity",
        "name": "Flat 1",
        "mode": "consumption",
        "prim_ad": 11,
        "is_rule_meter": False,
    }
    cloud.answer("meter_info", Answer([described]))
    assert await client.meters(SITE) == (
        Meter(METER, "electricity", "Flat 1", "consumption", 11, False),
    )


async def test_site_series(cloud: Cloud, client: ClimkitClient) -> None:
    cloud.answer(
        "site_data",
        Answer(
            [
                {
                    "timestamp": "2026-03-22 01:00:00+01:00",  # 23:45 to 0:00: before
                    "conso_total": 9.0,
                    f"total_{METER}": 9.0,
                },
                {
                    "timestamp": "2026-03-22 01:15:00+01:00",
                    "conso_total": 0.5,
                    f"total_{METER}": 0.25,
                },
                {
                    "timestamp": "2026-03-22 01:30:00+01:00",
                    "conso_total": 0.75,
                    f"total_{METER}": None,
                },
            ]
        ),
    )
    series = await client.site_series(
        SITE, "electricity", Resolution.QUARTER_HOUR, START
    )
    assert series.starts == (START, START + timedelta(minutes=15))
    assert series.columns == {
        Column(None, "conso_total"): (0.5, 0.75),
        Column(METER, "total"): (0.25, None),
    }
    assert series.values(Column(METER, "total")) == {START: 0.25}
    assert series.values(Column(METER, "ext")) == {}
    assert series.dropped == 0


async def test_meter_series(cloud: Cloud, client: ClimkitClient) -> None:
    row = {"ext": 0.028, "self": 0.001, "total": 0.029}
    rows = [
        {"timestamp": f"2026-03-22 0{hour}:00:00+01:00", **row} for hour in range(4)
    ]
    cloud.answer("meter_data", Answer(rows))
    end = START + timedelta(hours=2)
    series = await client.meter_series(SITE, METER, Resolution.HOUR, START, end)
    assert series.starts == (START, START + timedelta(hours=1))
    assert series.columns == {
        Column(METER, "ext"): (0.028, 0.028),
        Column(METER, "self"): (0.001, 0.001),
        Column(METER, "total"): (0.029, 0.029),
    }


@pytest.mark.parametrize(
    ("zone", "starts"),
    [
        ("Europe/Zurich", [datetime(2026, 2, 28, 23, tzinfo=UTC)]),
        ("Europe/Lisbon", [datetime(2026, 3, 1, tzinfo=UTC)]),
        ("Asia/Tokyo", []),
    ],
    ids=str,
)
@pytest.mark.parametrize("of", ["site", "meter"])
async def test_months_of_utc(
    cloud: Cloud,
    client: ClimkitClient,
    zone: str,
    starts: list[datetime],
    of: str,
) -> None:
    """Labels of UTC stand for the site's midnight; too far from it, they are counted."""
    rows = [{"timestamp": "2026-03-01T00:00:00+00:00", "total": 5.0}]
    cloud.answer(f"{of}_data", Answer(rows))
    ask = client.site_series if of == "site" else client.meter_series
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    series = await ask(SITE, METER, Resolution.MONTH, begin, zone=ZoneInfo(zone))
    assert list(series.starts) == starts
    assert series.dropped == 1 - len(starts)


async def test_registers(cloud: Cloud, client: ClimkitClient) -> None:
    cloud.answer(
        "meter_data_raw",
        Answer(
            [
                {"timestamp": {"$date": 1774137600000}, "en_im": "12.5", "en_ex": 3},
                {"timestamp": "2026-03-21T23:59:59Z", "en_im": 12.4},
                {"timestamp": "2026-03-22T00:00:01Z", "vol_m3": 1.5},
            ]
        ),
    )
    assert await client.register_readings(SITE, METER, START, END) == (
        RegisterReading(START, 12.5, 3.0, None, None),
        RegisterReading(START + timedelta(seconds=1), None, None, None, 1.5),
    )


async def test_sensors(cloud: Cloud, client: ClimkitClient) -> None:
    cloud.answer(
        f"{SITE}/sensors_list",
        Answer([{"id": "s1", "name": "Cellar", "type": "temperature", "unit": "°C"}]),
    )
    cloud.answer(
        f"{SITE}/sensor_data",
        Answer(
            [
                {"timestamp": 1774137660, "value": 12},
                {"timestamp": 1774137600000, "value": 11.5},
                {"timestamp": 1774137599, "value": 11.0},
            ]
        ),
    )
    assert await client.sensors(SITE) == (
        Sensor("s1", "Cellar", "temperature", "°C", None),
    )
    assert await client.sensor_readings(SITE, "s1", START) == (
        SensorReading(START, 11.5),
        SensorReading(START + timedelta(minutes=1), 12.0),
    )


@pytest.mark.parametrize(
    ("argument", "variable", "expected"),
    [
        (None, None, "https://api.climkit.io/api/v1"),
        (None, "http://127.0.0.1:9/api/v1", "http://127.0.0.1:9/api/v1"),
        ("http://127.0.0.1:8/", "http://127.0.0.1:9/", "http://127.0.0.1:8/"),
    ],
)
async def test_address(
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    argument: str | None,
    variable: str | None,
    expected: str,
) -> None:
    monkeypatch.delenv("CLIMKIT_API_URL", raising=False)
    if variable:
        monkeypatch.setenv("CLIMKIT_API_URL", variable)
    assert ClimkitClient(session, USER, PASSWORD, url=argument).url == expected


async def test_credentials(client: ClimkitClient) -> None:
    assert client.username == USER
    assert client.has_password(PASSWORD)
    assert not client.has_password("another")
    assert not client.has_password("ümläut")
