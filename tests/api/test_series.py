"""Rows to columns: which interval a row means, and what becomes of odd ones."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.api import (
    ClimkitResponseError,
    Column,
    Resolution,
    Series,
    series as module,
)
from custom_components.climkit.api.body import Body
from custom_components.climkit.api.models import Span
from custom_components.climkit.api.series import read_series

START = datetime(2026, 3, 1, tzinfo=UTC)
BEGIN = datetime(2000, 2, 1, tzinfo=UTC)
TOTAL = Column(None, "conso_total")

QUARTER, HOUR = Resolution.QUARTER_HOUR, Resolution.HOUR
DAY, MONTH, YEAR = Resolution.DAY, Resolution.MONTH, Resolution.YEAR


def read(
    rows: Any,
    resolution: Resolution = HOUR,
    start: datetime = BEGIN,
    end: datetime | None = None,
) -> Series:
    """Read rows as a reply."""
    body = rows if isinstance(rows, str) else json.dumps(rows)
    return read_series(Body("site_data", body.encode()), resolution, Span(start, end))


def row(stamp: Any, value: Any = 1.0) -> dict[str, Any]:
    """Return a row with one column."""
    return {"timestamp": stamp, "conso_total": value}


GRID: list[tuple[Resolution, Any, str | None]] = [
    (QUARTER, "2026-03-22 13:15:00+01:00", "2026-03-22T12:00"),
    (QUARTER, "2026-03-22 13:00:00+01:00", "2026-03-22T11:45"),
    (QUARTER, "2026-03-22T00:00:00Z", "2026-03-21T23:45"),
    (QUARTER, {"$date": 1774181700000}, "2026-03-22T12:00"),
    (QUARTER, 1774181700, "2026-03-22T12:00"),
    # The nights in which clocks change: 2:00 is 3:00; 2:15 comes twice.
    (QUARTER, "2026-03-29 03:00:00+02:00", "2026-03-29T00:45"),
    (QUARTER, "2026-03-29 01:45:00+01:00", "2026-03-29T00:30"),
    (QUARTER, "2026-10-25 02:15:00+02:00", "2026-10-25T00:00"),
    (QUARTER, "2026-10-25 02:15:00+01:00", "2026-10-25T01:00"),
    (QUARTER, "2026-03-22 13:14:00+01:00", None),
    (QUARTER, "2026-03-22 13:15:01+01:00", None),
    (QUARTER, "2026-03-22 13:15:00.5+01:00", None),
    (QUARTER, 1774181701, None),
    (HOUR, "2026-03-22 13:00:00+01:00", "2026-03-22T12:00"),
    (HOUR, "2026-03-22T12:00:00Z", "2026-03-22T12:00"),
    (HOUR, "2026-10-25 02:00:00+02:00", "2026-10-25T00:00"),
    (HOUR, "2026-10-25 02:00:00+01:00", "2026-10-25T01:00"),
    (HOUR, "2026-03-22 13:00:00+05:30", "2026-03-22T07:30"),
    (HOUR, "2026-03-22 13:15:00+01:00", None),
    (DAY, "2026-03-29 00:00:00+01:00", "2026-03-28T23:00"),
    (DAY, "2026-03-30 00:00:00+02:00", "2026-03-29T22:00"),
    (DAY, "2026-03-28T23:00:00Z", "2026-03-28T23:00"),
    (DAY, "2026-03-29T22:00:00Z", "2026-03-29T22:00"),
    # Not exactly at local midnight: that is what is meant.
    (DAY, "2026-03-29T00:00:00Z", "2026-03-28T23:00"),
    (DAY, "2026-03-30T00:00:00Z", "2026-03-29T22:00"),
    (DAY, "2026-07-01 02:00:00+02:00", "2026-06-30T22:00"),
    (DAY, "2026-07-01T23:00:00Z", "2026-07-01T22:00"),
    (DAY, "2026-12-01T22:00:00Z", "2026-12-01T23:00"),
    (DAY, "2026-07-01 00:00:00+00:00", "2026-06-30T22:00"),
    (DAY, {"$date": 1774738800000}, "2026-03-28T23:00"),
    (DAY, "2026-03-29 01:00:00+01:00", "2026-03-28T23:00"),
    (DAY, "2026-07-01 03:00:00+02:00", None),
    (DAY, "2026-06-30 21:00:00+02:00", None),
    (DAY, "2026-03-29T12:00:00Z", None),
    (DAY, "2026-03-29T22:30:00Z", None),
    (MONTH, "2026-04-01 00:00:00+02:00", "2026-03-31T22:00"),
    (MONTH, "2026-03-31T22:00:00Z", "2026-03-31T22:00"),
    (MONTH, "2026-03-31 00:00:00+02:00", None),  # as pandas labels ends of months
    (MONTH, "2026-04-01T00:00:00Z", "2026-03-31T22:00"),
    (MONTH, "2026-11-01T00:00:00Z", "2026-10-31T23:00"),
    (MONTH, "2026-03-30T22:00:00Z", None),
    (YEAR, "2026-01-01 00:00:00+01:00", "2025-12-31T23:00"),
    (YEAR, "2025-12-31T23:00:00Z", "2025-12-31T23:00"),
    (YEAR, "2026-01-01T00:00:00Z", "2025-12-31T23:00"),
    (YEAR, "2026-12-31 00:00:00+01:00", None),
    (YEAR, "2026-02-01 00:00:00+01:00", None),
]


@pytest.mark.parametrize(("resolution", "stamp", "start"), GRID, ids=str)
def test_interval(resolution: Resolution, stamp: Any, start: str | None) -> None:
    series = read([row(stamp)], resolution)
    if start is None:
        assert (series.starts, series.dropped) == ((), 1)
    else:
        assert series.starts == (datetime.fromisoformat(f"{start}:00+00:00"),)
        assert series.starts[0].tzinfo is UTC


def test_midnight_of_another_zone() -> None:
    """Days and months begin where the site is; labels far from there are counted."""
    stamps = ("2026-06-30T23:00:00Z", "2026-08-01T00:00:00Z", "2026-09-01T12:00:00Z")
    content = json.dumps([row(stamp) for stamp in stamps]).encode()
    series = read_series(
        Body("site_data", content), MONTH, Span(BEGIN), zone=ZoneInfo("Europe/Lisbon")
    )
    assert series.starts == (
        datetime(2026, 6, 30, 23, tzinfo=UTC),
        datetime(2026, 7, 31, 23, tzinfo=UTC),
    )
    assert series.dropped == 1


VALUES: list[tuple[Any, float | None]] = [
    (0.25, 0.25),
    (0, 0.0),
    ("0.25", 0.25),
    (-0.19, -0.19),
    (1e-16, 0.0),
    (None, None),
    ("", None),
    (True, None),
    ({"$numberDouble": "0.25"}, 0.25),
    (float("nan"), None),  # Python writes and reads NaN and Infinity, JSON has neither
    (float("inf"), None),
    (float("-inf"), None),
]


@pytest.mark.parametrize(("wire", "value"), VALUES, ids=str)
def test_value(wire: Any, value: float | None) -> None:
    series = read([row("2026-03-22T12:00:00Z", wire)])
    assert series.columns == {TOTAL: (value,)}


def test_order_and_repetition() -> None:
    """Rows may come in any order and more than once: of the same the last counts."""
    stamps = [f"2026-03-22T{hour:02}:00:00Z" for hour in (14, 12, 13, 12, 14)]
    series = read([row(stamp, number) for number, stamp in enumerate(stamps)])
    assert [start.hour for start in series.starts] == [12, 13, 14]
    assert series.columns == {TOTAL: (3.0, 2.0, 4.0)}
    assert series.dropped == 0


def test_columns_come_and_go() -> None:
    rows = [
        {"timestamp": "2026-03-22T10:00:00Z", "a": 1},
        {"timestamp": "2026-03-22T11:00:00Z", "a": 2, "b": 5},
        {"timestamp": "2026-03-22T12:00:00Z", "b": 6},
        {"timestamp": "2026-03-22T13:00:00Z", "c": 7},
        {"timestamp": "2026-03-22T14:00:00Z"},
    ]
    assert read(rows).columns == {
        Column(None, "a"): (1.0, 2.0, None, None, None),
        Column(None, "b"): (None, 5.0, 6.0, None, None),
        Column(None, "c"): (None, None, None, 7.0, None),
    }


def test_a_repeated_row_takes_nothing_back() -> None:
    """It may correct a value, or add one; null, or no word of it, is no value."""
    stamp = "2026-03-22T12:00:00Z"
    rows = [
        {"timestamp": stamp, "a": 1, "b": 2, "c": 3},
        {"timestamp": "2026-03-22T13:00:00Z", "a": 4, "b": None},
        {"timestamp": stamp, "a": None, "c": 30},
        {"timestamp": stamp, "a": None, "d": 5},
    ]
    assert read(rows).columns == {
        Column(None, "a"): (1.0, 4.0),
        Column(None, "b"): (2.0, None),
        Column(None, "c"): (30.0, None),
        Column(None, "d"): (5.0, None),
    }


def test_bad_rows_never_cost_the_good_ones() -> None:
    good = row("2026-03-22T12:00:00Z")
    bad: list[Any] = [
        None,
        5,
        [],
        "x",
        {},
        {"conso_total": 1.0},
        row(None),
        row("2026-03-22 12:00:00"),
        row("soon"),
        row("2026-03-22T12:10:00Z"),
        row({"$date": None}),
    ]
    series = read([*bad, good, *bad])
    assert series.columns == {TOTAL: (1.0,)}
    assert series.dropped == 2 * len(bad)


@pytest.mark.parametrize("rows", [[None], [{}, {}], [row("2026-03-22 12:00:00")]])
def test_no_readable_time_at_all(rows: Any) -> None:
    """That is no empty answer, it is one that is not understood."""
    with pytest.raises(ClimkitResponseError, match="elements can be used"):
        read(rows)


def test_empty() -> None:
    assert read([]) == Series(HOUR, (), {})


def test_window() -> None:
    """Rows with start <= interval start < end, for intervals labelled by their end too."""
    start, end = START, START + timedelta(minutes=30)
    stamps = [(START + timedelta(minutes=m)).isoformat() for m in range(-30, 75, 15)]
    series = read([row(stamp) for stamp in stamps], QUARTER, start, end)
    assert series.starts == (START, START + timedelta(minutes=15))
    assert series.dropped == 0


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (timedelta(0), "UTC"),
        (timedelta(minutes=15), "UTC"),
        (timedelta(hours=-1), "local"),
        (timedelta(minutes=-45), "local"),
        (timedelta(hours=-2), "local"),
        (timedelta(minutes=-105), "local"),
        (timedelta(minutes=30), "unknown"),
        (timedelta(days=3), "unknown"),
        (timedelta(hours=-3), "unknown"),
    ],
    ids=str,
)
def test_how_the_cloud_reads_times(first: timedelta, expected: str) -> None:
    seen: dict[str, str] = {}
    stamp = (START - timedelta(hours=3) + first).isoformat()
    body = json.dumps([row(stamp)]).encode()
    read_series(Body("site_data", body, seen.__setitem__), QUARTER, Span(START))
    assert seen["site_data t_s read as"] == expected


def test_more_than_can_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key in each row would make columns grow without end."""
    monkeypatch.setattr(module, "MOST_CELLS", 1000)
    rows = [
        {"timestamp": 1774137600 + 3600 * number, f"key{number}": 1}
        for number in range(100)
    ]
    with pytest.raises(ClimkitResponseError, match="more values"):
        read(rows)


def test_meter_without_its_id_in_the_keys() -> None:
    body = json.dumps(
        [{"timestamp": 1774137600, "total": 1, "self": 0.5, "total_m2": 2}]
    ).encode()
    series = read_series(Body("meter_data", body), HOUR, Span(START), "m1")
    assert series.columns == {
        Column("m1", "total"): (1.0,),
        Column("m1", "self"): (0.5,),
        Column("m2", "total"): (2.0,),
    }


def test_a_time_wrapped_without_end() -> None:
    """It is no time; and no error of Python's own gets out."""
    stamp = '{"$date":' * 5000 + "1774137600" + "}" * 5000
    good = json.dumps(row("2026-03-22T12:00:00Z"))
    series = read(f'[{{"timestamp": {stamp}}}, {good}]')
    assert len(series.starts) == series.dropped == 1
