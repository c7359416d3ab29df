"""From the body of a reply to models: one bad element never costs the good ones."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from mashumaro import DataClassDictMixin
from mashumaro.exceptions import InvalidFieldValue, MissingField

from .body import Body
from .models import HOME_ZONE, Meter, RegisterReading, Sensor, SensorReading, Site, Span
from .shape_report import moment_form
from .values import amount, identifier, moment, number, text

_ID_KEYS: Final = ("id", "_id", "site_id", "installation_id")
_SITE_KEYS: Final = {"site_ref", "name", "address", "creation_date", "timezone"}
_REGISTERS: Final = ("en_im", "en_ex", "heat_energy_kwh", "vol_m3")

type Row = Mapping[str, Any]


def read_site_ids(body: Body) -> tuple[str, ...]:
    """Return the ids of the sites in the cloud's order, each once."""
    return tuple(dict.fromkeys(body.usable(_site_id, body.items(_only_list))))


def _only_list(value: Row) -> Sequence[Any] | None:
    """Return the list that an object wraps, if it is the only one in it."""
    lists = [inner for inner in value.values() if isinstance(inner, list)]
    return lists[0] if len(lists) == 1 else None


def _site_id(item: Any) -> str | None:
    keys = _ID_KEYS if isinstance(item, dict) else ()
    candidates = (item, *(item.get(key) for key in keys))
    return next(filter(None, map(identifier, candidates)), None)


def read_site(body: Body, site_id: str) -> Site:
    """Return a site, of which any key may be missing; reads the disk for time zones."""
    reply = body.object()
    if not reply.keys() & _SITE_KEYS:
        raise body.error("nothing that describes a site")
    city = _city(reply.get("address"))
    created = reply.get("creation_date")
    body.note("creation_date", moment_form(created))
    return Site(
        id=site_id,
        name=text(reply.get("name")) or city or site_id,
        city=city,
        created=_created(created),
        time_zone=_time_zone(text(reply.get("timezone"))),
    )


def _city(address: object) -> str | None:
    found = address if isinstance(address, dict) else {}
    return text(found.get("city")) or text(found.get("city_name")) or None


def _created(value: object) -> datetime | None:
    stamp = text(value)
    # Without an offset it is wrong by an hour or two, which does not matter here.
    naive = (f"{stamp}+00:00", f"{stamp}T00:00+00:00")
    time = next(filter(None, map(moment, (value, *naive))), None)
    return time and time.astimezone(UTC)


def _time_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except ValueError, OSError, KeyError:  # of which an unknown name is the last
        return HOME_ZONE


def read_meters(body: Body) -> tuple[Meter, ...]:
    """Return the meters of a site, each once."""
    meters: dict[str, Meter] = {}
    for meter in _described(body, Meter):
        meters.setdefault(meter.id, meter)
        body.note("type", meter.type)
        body.note("mode", meter.mode)
    return tuple(meters.values())


def read_sensors(body: Body) -> tuple[Sensor, ...]:
    """Return the sensors of a site, each once."""
    sensors: dict[str, Sensor] = {}
    for sensor in _described(body, Sensor):
        sensors.setdefault(sensor.id, sensor)
        body.note("type", sensor.type or "none")
        body.note("unit", sensor.unit or "none")
    return tuple(sensors.values())


def _described[T: DataClassDictMixin](body: Body, model: type[T]) -> Iterator[T]:
    def read(item: Any) -> T | None:
        try:
            return model.from_dict(item if isinstance(item, dict) else {})
        except MissingField, InvalidFieldValue:
            return None

    return body.usable(read, body.items())


def read_sensor_readings(
    body: Body, start: datetime | None
) -> tuple[SensorReading, ...]:
    """Return what a sensor measured since `start`, oldest first."""
    readings: dict[datetime, SensorReading] = {}
    for label, row in timed_rows(body):
        time, value = label.astimezone(UTC), number(row.get("value"))
        if value is not None and (start is None or time >= start):
            readings[time] = SensorReading(time, value)
    return _by_time(readings)


def read_registers(body: Body, span: Span) -> tuple[RegisterReading, ...]:
    """Return what stood on a meter within a span, oldest first."""
    readings: dict[datetime, RegisterReading] = {}
    for label, row in timed_rows(body):
        if label in span:
            time = label.astimezone(UTC)
            values = (amount(row.get(key)) for key in _REGISTERS)
            readings[time] = RegisterReading(time, *values)
    return _by_time(readings)


def _by_time[T](readings: Mapping[datetime, T]) -> tuple[T, ...]:
    return tuple(readings[time] for time in sorted(readings))


def timed_rows(body: Body) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield the rows with a readable time, and this time with its own offset.

    Raises ClimkitResponseError if there are rows, but not one of them has such a time.
    """

    def read(row: Any) -> tuple[datetime, dict[str, Any]] | None:
        stamp = row.get("timestamp") if isinstance(row, dict) else None
        if (time := moment(stamp)) is None:
            body.note("unreadable timestamp", moment_form(stamp))
            return None
        return time, row

    rows = body.usable(read, body.items(_lone_row))
    for time, row in islice(rows, 1):
        body.note("timestamp", moment_form(row["timestamp"]))
        yield time, row
    yield from rows


def _lone_row(value: Row) -> Sequence[Any] | None:
    """Return the one row that an object is, if it is one."""
    return [value] if "timestamp" in value else None
