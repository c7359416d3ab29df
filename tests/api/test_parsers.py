"""Descriptions of sites, meters and sensors in every shape that the cloud may send."""

from datetime import UTC, datetime
import json
from typing import Any

import pytest

from custom_components.climkit.api import (
    ClimkitResponseError,
    Meter,
    RegisterReading,
    Sensor,
    SensorReading,
    Site,
    body as body_module,
)
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

ID = "63d9a1f05de9e5093d46bdb6"
OTHER = "63d9a1f05de9e5093d46bdb7"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def body(value: Any) -> Body:
    """Return a reply's body."""
    return Body("endpoint", json.dumps(value).encode())


SITE_IDS: dict[str, tuple[Any, tuple[str, ...], int]] = {
    "none": ([], (), 0),
    "text": ([ID, OTHER], (ID, OTHER), 0),
    "order": ([OTHER, ID], (OTHER, ID), 0),
    "repeated": ([ID, OTHER, ID], (ID, OTHER), 0),
    "oid": ([{"$oid": ID}], (ID,), 0),
    "id": ([{"id": ID, "name": "x"}], (ID,), 0),
    "_id": ([{"_id": {"$oid": ID}}], (ID,), 0),
    "site_id": ([{"site_id": ID}], (ID,), 0),
    "installation_id": ([{"installation_id": {"$oid": ID}}], (ID,), 0),
    "second key": ([{"id": None, "_id": ID}], (ID,), 0),
    "number": ([17], ("17",), 0),
    "wrapped": ({"installations": [ID]}, (ID,), 0),
    "wrapped objects": ({"count": 1, "sites": [{"id": ID}]}, (ID,), 0),
    "wrapped, none": ({"sites": []}, (), 0),
    "some bad": ([ID, None, {}, {"name": "x"}, "..", 1.5], (ID,), 5),
}


@pytest.mark.parametrize(("wire", "ids", "dropped"), SITE_IDS.values(), ids=SITE_IDS)
def test_site_ids(wire: Any, ids: tuple[str, ...], dropped: int) -> None:
    reply = body(wire)
    assert read_site_ids(reply) == ids
    assert reply.dropped == dropped


@pytest.mark.parametrize(
    "wire", [None, 5, "x", {}, {"error": "x"}, {"a": [ID], "b": [ID]}, [None], [{}]]
)
def test_no_site_ids(wire: Any) -> None:
    with pytest.raises(ClimkitResponseError, match=r"^endpoint: "):
        read_site_ids(body(wire))


CREATED = datetime(2023, 3, 1, 7, 30, tzinfo=UTC)

SITES: dict[str, tuple[Any, Site]] = {
    "only a name": ({"name": "A"}, Site(ID, "A")),
    "no name": ({"name": None, "address": {"city": "B"}}, Site(ID, "B", "B")),
    "nothing but a reference": ({"site_ref": "r"}, Site(ID, ID)),
    "not printable": (
        {"name": "\x00A\u0085b\x1b", "address": {"city": "\udfffB\x7f"}},
        Site(ID, "A b", "B"),
    ),
    "city_name": ({"name": "A", "address": {"city_name": "B"}}, Site(ID, "A", "B")),
    "address is text": ({"name": "A", "address": "Street 1"}, Site(ID, "A")),
    "zone": ({"timezone": "Europe/Paris"}, Site(ID, ID, time_zone="Europe/Paris")),
    "zone unknown": ({"timezone": "Europe/Atlantis"}, Site(ID, ID)),
    "zone empty": ({"timezone": ""}, Site(ID, ID)),
    "zone null": ({"timezone": None}, Site(ID, ID)),
    "zone is a path": ({"timezone": "../../etc/passwd"}, Site(ID, ID)),
    "zone is a folder": ({"timezone": "Europe"}, Site(ID, ID)),
    "zone with a zero": ({"timezone": "Europe/\x00"}, Site(ID, ID)),
    "zone too long": ({"timezone": "x" * 5000}, Site(ID, ID)),
    "created, offset": (
        {"creation_date": "2023-03-01T08:30:00+01:00"},
        Site(ID, ID, None, CREATED),
    ),
    "created, naive": (
        {"creation_date": "2023-03-01T07:30:00"},
        Site(ID, ID, None, CREATED),
    ),
    "created, micros": (
        {"creation_date": "2023-03-01 07:30:00.000000"},
        Site(ID, ID, None, CREATED),
    ),
    "created, $date": (
        {"creation_date": {"$date": 1677655800000}},
        Site(ID, ID, None, CREATED),
    ),
    "created, day": (
        {"creation_date": "2023-03-01"},
        Site(ID, ID, None, datetime(2023, 3, 1, tzinfo=UTC)),
    ),
    "created, nonsense": ({"creation_date": "long ago"}, Site(ID, ID)),
    "created, null": ({"creation_date": None}, Site(ID, ID)),
    "created, year 1": ({"creation_date": "0001-01-01T00:00:00"}, Site(ID, ID)),
}


@pytest.mark.parametrize(("wire", "site"), SITES.values(), ids=SITES)
def test_site(wire: Any, site: Site) -> None:
    assert read_site(body(wire), ID) == site


@pytest.mark.parametrize("wire", [{}, {"error": "x"}, [], [{"name": "A"}], None, "x"])
def test_no_site(wire: Any) -> None:
    with pytest.raises(ClimkitResponseError, match=r"^endpoint: "):
        read_site(body(wire), ID)


METERS: dict[str, tuple[Any, Meter]] = {
    "documented": (
        {
            "id": ID,
            "type": "hot_water",
            "name": "Flat 1",
            "mode": "consumption",
            "prim_ad": 11,
            "is_rule_meter": True,
        },
        Meter(ID, "hot_water", "Flat 1", "consumption", 11, True),
    ),
    "of 2022, grid": (
        {"id": ID, "type": "electricity", "prim_ad": "10", "virtual": False},
        Meter(
            ID,
            "electricity",
            "electricity 10",
            "introduction",
            10,
            False,
        ),
    ),
    "of 2022, flat": (
        {"id": ID, "type": "electricity", "prim_ad": "11", "virtual": True},
        Meter(ID, "electricity", "electricity 11", "consumption", 11, True),
    ),
    "of 2022, last consumer": (
        {"id": ID, "type": "electricity", "prim_ad": "99"},
        Meter(ID, "electricity", "electricity 99", "consumption", 99),
    ),
    "of 2022, PV": (
        {"id": ID, "type": "electricity", "prim_ad": "101"},
        Meter(ID, "electricity", "electricity 101", "production", 101),
    ),
    "of 2022, second PV": (
        {"id": ID, "type": "electricity", "prim_ad": 102.0},
        Meter(ID, "electricity", "electricity 102", "production", 102),
    ),
    "address between": (
        {"id": ID, "type": "heating", "prim_ad": 100},
        Meter(ID, "heating", "heating 100", "consumption", 100),
    ),
    "unknown type and mode": (
        {"id": ID, "type": "Reactive Power", "mode": "Exotic", "name": " N "},
        Meter(ID, "reactive_power", "N", "exotic"),
    ),
    "only an id": (
        {"_id": {"$oid": ID}},
        Meter(ID, "unknown", ID, "consumption"),
    ),
    "nulls": (
        {"id": ID, "type": None, "name": None, "mode": None, "prim_ad": None},
        Meter(ID, "unknown", ID, "consumption"),
    ),
    "odd types": (
        {"id": 7, "type": 5, "name": 12, "mode": [], "prim_ad": {}, "virtual": "no"},
        Meter("7", "5", "12", "consumption"),
    ),
    "flags as text": (
        {"id": ID, "type": "heating", "is_rule_meter": "True", "prim_ad": "12a"},
        Meter(ID, "heating", ID, "consumption", None, True),
    ),
    "address 0": (
        {"id": ID, "type": "heating", "prim_ad": 0},
        Meter(ID, "heating", "heating 0", "consumption", 0),
    ),
    "name of spaces": (
        {"id": ID, "type": "heating", "name": " \x00\n"},
        Meter(ID, "heating", ID, "consumption"),
    ),
    "name not printable": (
        {"id": ID, "type": "heating", "name": "Fl\x00at\u200b\u00a01\ud800\t☃"},
        Meter(ID, "heating", "Flat 1 ☃", "consumption"),
    ),
}


@pytest.mark.parametrize(("wire", "meter"), METERS.values(), ids=METERS)
def test_meter(wire: Any, meter: Meter) -> None:
    assert read_meters(body([wire])) == (meter,)


def test_bad_meters_are_left_out() -> None:
    good = {"id": ID, "type": "heating"}
    reply = body([None, good, {}, {"id": None}, 5, [], good, {"id": ".."}])
    assert [meter.id for meter in read_meters(reply)] == [ID]
    assert reply.dropped == 6


def test_no_meters() -> None:
    assert read_meters(body([])) == ()
    with pytest.raises(ClimkitResponseError, match="none of 2 elements"):
        read_meters(body([{"name": "Secret"}, None]))


def test_object_that_is_too_long_to_look_into() -> None:
    reply = body({"sites": [ID], "more": "x" * 2_000_000})
    with pytest.raises(ClimkitResponseError, match="a list was expected"):
        read_site_ids(reply)


def test_long_list_in_pieces() -> None:
    """Pieces end within words, numbers and characters, or anywhere."""
    names = [f"{'é' * (number % 7)}☃{number}" for number in range(60_000)]
    wire = [{"id": f"m{at}", "name": name} for at, name in enumerate(names)]
    content = json.dumps(wire, ensure_ascii=False, indent=1).encode()
    meters = read_meters(Body("endpoint", b"\xef\xbb\xbf" + content + b"\n "))
    assert [meter.name for meter in meters] == names
    numbers = json.dumps(list(range(300_000))).encode()
    assert list(Body("endpoint", numbers).items()) == list(range(300_000))
    huge = json.dumps([{"id": "a", "name": "x" * 1_000_000}, {"id": "b"}]).encode()
    assert [meter.id for meter in read_meters(Body("endpoint", huge))] == ["a", "b"]


SENSORS: dict[str, tuple[Any, Sensor]] = {
    "documented": (
        {"id": "s", "name": "A", "type": "CO2", "unit": " ppm ", "model": "X1"},
        Sensor("s", "A", "co2", "ppm", "X1"),
    ),
    "not printable": (
        {"id": "s", "name": "A\x00", "type": "co\x002", "unit": "p\x00pm"},
        Sensor("s", "A", "co2", "ppm"),
    ),
    "no name": ({"id": "s", "type": "humidity"}, Sensor("s", "humidity", "humidity")),
    "only an id": ({"_id": {"$oid": ID}}, Sensor(ID, ID, "")),
    "nulls": (
        {"id": "s", "name": None, "type": None, "unit": None, "model": None},
        Sensor("s", "s", ""),
    ),
    "odd types": (
        {"id": 1, "name": [], "type": {}, "unit": 5, "model": True},
        Sensor("1", "1", "", "5", None),
    ),
}


@pytest.mark.parametrize(("wire", "sensor"), SENSORS.values(), ids=SENSORS)
def test_sensor(wire: Any, sensor: Sensor) -> None:
    assert read_sensors(body([wire, wire, {}])) == (sensor,)


def test_sensor_readings() -> None:
    reply = body(
        [
            {"timestamp": 1774137660, "value": "12.5"},
            {"timestamp": 1774137600000, "value": 5e-7},
            {"timestamp": 1774137660, "value": 13},
            {"timestamp": 1774137720, "value": None},
            {"timestamp": "2026-03-22 00:00:00", "value": 1},
            {"value": 1},
            None,
        ]
    )
    first = datetime(2026, 3, 22, tzinfo=UTC)
    assert read_sensor_readings(reply, None) == (
        SensorReading(first, 5e-7),  # a temperature, not an energy: no dust
        SensorReading(first.replace(minute=1), 13.0),
    )
    assert reply.dropped == 3


def test_latest_reading_alone() -> None:
    reply = body({"timestamp": 1774137600, "value": 1})
    (reading,) = read_sensor_readings(reply, None)
    assert reading.value == 1.0


@pytest.mark.parametrize("wire", [[{"value": 1}], [None], {"value": 1}, None, "x"])
def test_no_readings(wire: Any) -> None:
    with pytest.raises(ClimkitResponseError, match=r"^endpoint: "):
        read_sensor_readings(body(wire), None)
    with pytest.raises(ClimkitResponseError, match=r"^endpoint: "):
        read_registers(body(wire), Span(EPOCH))


def test_registers() -> None:
    time = datetime(2026, 3, 22, 0, 7, 13, tzinfo=UTC)
    row = {"timestamp": "2026-03-22T00:07:13Z", "en_im": "1.5", "en_ex": None}
    later = {"timestamp": "2026-03-22T00:07:14Z", "heat_energy_kwh": 2, "vol_m3": 3}
    reading = RegisterReading(time, 1.5, None, None, None)
    assert read_registers(body([later, row]), Span(time)) == (
        reading,
        RegisterReading(time.replace(second=14), None, None, 2.0, 3.0),
    )
    assert read_registers(body([later, row]), Span(time, time.replace(second=14))) == (
        reading,
    )


def test_elements_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that is small enough to be read may still be too much to be kept."""
    monkeypatch.setattr(body_module, "MOST_ELEMENTS", 100)
    ids = [f"m{number}" for number in range(100)]
    assert len(read_site_ids(body(ids))) == 100
    for more in ("m100", None):
        with pytest.raises(ClimkitResponseError, match="more elements"):
            read_site_ids(body([*ids, more]))
