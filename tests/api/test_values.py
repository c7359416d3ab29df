"""Numbers, times and ids in every form that the cloud may write them."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

import pytest

from custom_components.climkit.api.values import (
    amount,
    identifier,
    moment,
    number,
    split_column,
    text,
)

NOON = datetime(2026, 3, 22, 12, tzinfo=UTC)
S = 1774180800
MS = S * 1000
assert datetime.fromtimestamp(S, UTC) == NOON

NUMBERS: list[tuple[Any, float | None]] = [
    (0, 0.0),
    (12, 12.0),
    (-0.19, -0.19),
    (0.2599999999999999, 0.2599999999999999),
    ("0.25", 0.25),
    (" 12 ", 12.0),
    ("-1.5e-2", -0.015),
    ("+3.", 3.0),
    (".5", 0.5),
    ({"$numberDouble": "0.25"}, 0.25),
    ({"$numberLong": "7"}, 7.0),
    ({"$numberInt": 7}, 7.0),
    ({"$numberDecimal": "1.25"}, 1.25),
    (None, None),
    ("", None),
    ("n/a", None),
    ("NaN", None),
    ("inf", None),
    ("-Infinity", None),
    ("1_000", None),
    ("1,5", None),
    ("0x10", None),
    ("١٢", None),
    ("1e999", None),
    (float("nan"), None),
    (float("inf"), None),
    (10**400, None),
    (True, None),
    (False, None),
    ([1.0], None),
    ({}, None),
    ({"value": 1.0}, None),
    ({"$numberDouble": "NaN"}, None),
    ({"$numberDouble": {"$numberDouble": "1"}}, None),
    ({"$numberDouble": "1", "$numberLong": "2"}, None),
]


@pytest.mark.parametrize(("wire", "expected"), NUMBERS, ids=lambda v: str(v)[:30])
def test_number(wire: Any, expected: float | None) -> None:
    assert number(wire) == expected
    assert amount(wire) == expected


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (9.9e-7, 0.0),
        (-9.9e-7, 0.0),
        (-1.1102230246251565e-16, 0.0),
        ("1e-9", 0.0),
        (1.1e-6, 1.1e-6),
        (-1.1e-6, -1.1e-6),
    ],
)
def test_dust(wire: Any, expected: float) -> None:
    assert amount(wire) == expected
    assert str(amount(-1e-9)) == "0.0"


# With how they are written, for the shape report.
MOMENTS: dict[str, tuple[Any, str]] = {
    "observed": ("2026-03-22 13:00:00+01:00", "ISO space offset"),
    "T": ("2026-03-22T13:00:00+01:00", "ISO T offset"),
    "Z": ("2026-03-22T12:00:00Z", "ISO T UTC"),
    "space and Z": ("2026-03-22 12:00:00.000Z", "ISO space UTC"),
    "offset without colon": ("2026-03-22T13:00:00+0100", "ISO T offset"),
    "around": (" 2026-03-22 12:00:00+00:00 ", "ISO space UTC"),
    "seconds": (S, "s"),
    "milliseconds": (MS, "ms"),
    "seconds, float": (float(S), "s"),
    "seconds, text": (str(S), "digits"),
    "milliseconds, text": (str(MS), "digits"),
    "$date ms": ({"$date": MS}, "$date ms"),
    "$date s": ({"$date": S}, "$date s"),
    "$date ISO": ({"$date": "2026-03-22T12:00:00Z"}, "$date ISO T UTC"),
    "$date long": ({"$date": {"$numberLong": str(MS)}}, "$date $numberLong"),
}


@pytest.mark.parametrize("wire", [wire for wire, _ in MOMENTS.values()], ids=MOMENTS)
def test_moment(wire: Any) -> None:
    found = moment(wire)
    assert found == NOON
    assert found.tzinfo is not None


def test_moment_keeps_the_offset() -> None:
    """The grid of days and months is told by it."""
    found = moment("2026-03-22 13:00:00+01:00")
    assert found is not None
    assert (found.hour, found.utcoffset()) == (13, timedelta(hours=1))


NO_MOMENTS: dict[str, tuple[Any, str]] = {
    "null": (None, "NoneType"),
    "true": (True, "bool"),
    "naive": ("2026-03-22 13:00:00", "ISO naive"),
    "date": ("2026-03-22", "ISO naive"),
    "text": ("yesterday", "text"),
    "empty": ("", "text"),
    "impossible": ("2026-02-30 13:00:00+01:00", "ISO naive"),
    "hour 25": ("2026-03-22 25:00:00+01:00", "ISO naive"),
    "year 1": ("0001-01-01 00:00:00+14:00", "ISO space offset"),
    "year 9999": ("9999-12-31 23:59:59-14:00", "ISO space offset"),
    "zero": (0, "s"),
    "negative": (-S, "s"),
    "huge": (10**30, "ms"),
    "huger": (10**400, "ms"),
    "infinite": (float("inf"), "ms"),
    "not a number": (float("nan"), "s"),
    "list": ([S], "list"),
    "empty object": ({}, "dict"),
    "other object": ({"time": S}, "dict"),
    "$date null": ({"$date": None}, "$date NoneType"),
    "nested": (
        {"$date": {"$date": {"$date": {"$date": S}}}},
        "$date $date $date $date s",
    ),
    "nested without end": (
        json.loads('{"$date":' * 5000 + "0" + "}" * 5000),
        "$date $date $date $date $date dict",
    ),
}


@pytest.mark.parametrize(
    "wire", [wire for wire, _ in NO_MOMENTS.values()], ids=NO_MOMENTS
)
def test_no_moment(wire: Any) -> None:
    assert moment(wire) is None


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("63d9a1f05de9e5093d46bdb6", "63d9a1f05de9e5093d46bdb6"),
        (" flat 7 ", "flat 7"),
        ({"$oid": "63d9a1f05de9e5093d46bdb6"}, "63d9a1f05de9e5093d46bdb6"),
        (17, "17"),
        (0, "0"),
        ("v1.2", "v1.2"),
        ("", None),
        (" ", None),
        (".", None),
        ("..", None),
        ("a\nb", None),
        ("x" * 129, None),
        (-1, None),
        (1 << 128, None),
        (1.5, None),
        (True, None),
        (None, None),
        (["a"], None),
        ({}, None),
        ({"$oid": {"$oid": "a"}}, None),
        ({"$oid": None}, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_identifier(wire: Any, expected: str | None) -> None:
    assert identifier(wire) == expected


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (" a ", "a"),
        ("a  b", "a  b"),
        ("\x00a\u200bb\u00a0c\nd\ud800", "ab c d"),
        ("é☃", "é☃"),
        (5, "5"),
        (1.5, "1.5"),
        (10**400, ""),
        (float("nan"), ""),
        (True, ""),
        (None, ""),
        ([], ""),
        ({}, ""),
    ],
)
def test_text(wire: Any, expected: str) -> None:
    assert text(wire) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("total_63d9a1f05de9e5093d46bdb6", ("63d9a1f05de9e5093d46bdb6", "total")),
        ("self_63d9a1f05de9e5093d46bdb6", ("63d9a1f05de9e5093d46bdb6", "self")),
        ("ext_meter_7", ("meter_7", "ext")),
        ("conso_total", (None, "conso_total")),
        ("self", (None, "self")),
        ("from_ext", (None, "from_ext")),
        ("storage_charging_self", (None, "storage_charging_self")),
        ("self_consumption", (None, "self_consumption")),
    ],
)
def test_split_column(key: str, expected: tuple[str | None, str]) -> None:
    assert split_column(key) == expected
