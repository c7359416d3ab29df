"""Real shapes, mutated: nothing but our own error, and no number that was not there."""

from collections.abc import Callable
import copy
from datetime import UTC, datetime
from functools import partial
import json
import math
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.climkit.api import ClimkitResponseError, Resolution, Series
from custom_components.climkit.api.body import Body
from custom_components.climkit.api.models import Span
from custom_components.climkit.api.parsers import (
    read_meters,
    read_registers,
    read_sensor_readings,
    read_sensors,
    read_site,
    read_site_ids,
)
from custom_components.climkit.api.series import read_series

ROOT = Path(__file__).parents[2]

M1, M2 = "63d9a1f05de9e5093d46bdb6", "63d9a1f05de9e5093d46bdb7"
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)

SITE_ROW = {
    "conso_total": 0.2599999999999999,
    f"ext_{M1}": 0.04807692307692303,
    f"self_{M1}": 0.0019230769230769015,
    f"total_{M1}": 0.04999999999999993,
    f"total_{M2}": 0.0,
    "from_ext": 0.25,
    "prod_total": -0.19,
    "self": 1e-16,
    "storage_charging_self": 0.0,
    "to_ext": 0,
    "timestamp": "2022-05-05 18:30:00+02:00",
}

DOORS: dict[str, tuple[Callable[[Body], Any], Any]] = {
    "site ids": (read_site_ids, ["a1", {"$oid": M1}, {"id": "x"}]),
    "wrapped site ids": (read_site_ids, {"sites": [{"_id": {"$oid": M1}}]}),
    "site": (
        lambda body: read_site(body, "s"),
        {
            "site_ref": "r",
            "name": "A",
            "address": {"city": "B", "postal_code": 1000},
            "creation_date": "2022-01-13T08:00:00",
            "latitude": 46.5,
            "timezone": "Europe/Zurich",
        },
    ),
    "meters": (
        read_meters,
        [
            {
                "id": M1,
                "type": "electricity",
                "name": "A",
                "mode": "consumption",
                "prim_ad": 11,
                "is_rule_meter": False,
            },
            {"id": M2, "type": "electricity", "prim_ad": "101", "virtual": False},
        ],
    ),
    "sensors": (
        read_sensors,
        [{"id": "s", "name": "A", "type": "co2", "unit": "ppm", "model": "X"}],
    ),
    "sensor readings": (
        lambda body: read_sensor_readings(body, None),
        [
            {"timestamp": 1774137600, "value": 21.5},
            {"timestamp": 1774137660, "value": 3},
        ],
    ),
    "registers": (
        lambda body: read_registers(body, Span(BEGIN)),
        [{"timestamp": {"$date": 1774137600000}, "en_im": 12.5, "en_ex": "3.25"}],
    ),
    **{
        f"series {resolution.name}": (
            partial(read_series, resolution=resolution, span=Span(BEGIN)),
            [SITE_ROW, SITE_ROW | {"timestamp": "2022-06-01 00:00:00+02:00"}],
        )
        for resolution in Resolution
    },
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "1e999",
            "NaN",
            "1_000",
            "0.5",
            "2022-05-05 18:30:00",
            "2022-05-05T18:30:00Z",
            "0001-01-01 00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "2022-10-30 02:30:00+01:00",
            10**400,
            -(10**400),
            {"$date": 1651768200000},
            {"$date": {"$numberLong": "1651768200000"}},
            {"$numberDouble": "0.75"},
            {"$oid": M1},
            "../..",
            "\x00",
            "\ud800",
        ]
    )
)
# Copied, as what is drawn may be mutated further.
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["id", "$date", "timestamp"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
).map(copy.deepcopy)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to all values within a value."""
    found = [path]
    if isinstance(value, dict | list):
        keys = value.keys() if isinstance(value, dict) else range(len(value))
        for key in keys:
            found += places(value[key], (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """Return the value with some parts replaced, removed, repeated or added."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(places(value)))
        if not path:
            if draw(st.integers(0, 9)) == 0:
                value = draw(VALUES)
            continue
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                parent[path[-1]] = draw(VALUES)
            case "remove":
                del parent[path[-1]]
            case "add" if isinstance(parent, list):
                parent.insert(
                    path[-1],
                    draw(VALUES | st.just(parent[path[-1]]).map(copy.deepcopy)),
                )
            case "add":
                parent[draw(st.text(max_size=6))] = draw(VALUES)
    return value


def numbers_in(value: Any) -> set[float]:
    """Return all numbers in a value, those written as text too."""
    match value:
        case bool() | None:
            return set()
        case int() | float() | str():
            try:
                return {float(value)}
            except ValueError, OverflowError:
                return set()
        case dict():
            return set().union(*map(numbers_in, value.values()))
        case list():
            return set().union(*map(numbers_in, value))
    raise AssertionError(value)


def numbers_out(result: Any) -> list[float]:
    """Return the measured values of a result."""
    if isinstance(result, Series):
        assert list(result.starts) == sorted(set(result.starts))
        assert all(start.tzinfo is UTC for start in result.starts)
        assert {len(values) for values in result.columns.values()} <= {
            len(result.starts)
        }
        cells = [cell for values in result.columns.values() for cell in values]
        return [cell for cell in cells if cell is not None]
    keys = ("value", "en_im", "en_ex", "heat_energy_kwh", "vol_m3")
    rows = result if isinstance(result, tuple) else ()
    cells = [getattr(row, key, None) for row in rows for key in keys]
    return [cell for cell in cells if cell is not None]


def check(door: str, body: bytes) -> None:
    """Let a body in: it is refused with our own error, or its numbers come through."""
    read, _ = DOORS[door]
    try:
        result = read(Body(door, body))
    except ClimkitResponseError as err:
        behind = (err.__cause__, err.__context__)
        if behind != (None, None):  # the parser's error carries the whole body
            raise
        return
    there = numbers_in(json.loads(body.decode("utf-8-sig", errors="replace")))
    for number in numbers_out(result):
        assert math.isfinite(number)
        assert number in there or (number == 0 and min(map(abs, there)) < 1e-6)


@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_mutated(door: str, data: st.DataObject) -> None:
    value = data.draw(mutated(DOORS[door][1]))
    check(door, json.dumps(value).encode())


@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged(door: str, data: st.DataObject) -> None:
    """A body cut off, or with bytes that are not its own."""
    body = json.dumps(DOORS[door][1]).encode()
    start = data.draw(st.integers(0, len(body)))
    stop = data.draw(st.integers(start, min(len(body), start + 20)))
    body = body[:start] + data.draw(st.binary(max_size=8)) + body[stop:]
    body = body[: data.draw(st.integers(0, len(body)) | st.just(len(body)))]
    check(door, body)


ENOUGH = 40_000
"""Inputs, after which nothing new is reached in the code: so it was in 100 000."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "runs", [ENOUGH, pytest.param(10 * ENOUGH, marks=pytest.mark.weekly)]
)
def test_guided(runs: int) -> None:
    """The same with bytes that are chosen by what they reach in the code."""
    pytest.importorskip("atheris", reason="atheris is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.api.fuzz", str(runs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    # libFuzzer's last word; what it begins with makes it a few more.
    last = re.search(r"Done (\d+) runs", done.stderr)
    assert last is not None
    assert int(last[1]) >= runs
