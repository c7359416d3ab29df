"""From the body of a reply to models: one bad element never costs the good ones."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from mashumaro import DataClassDictMixin
from mashumaro.exceptions import InvalidFieldValue, MissingField

from .document import Document
from .models import HOME_ZONE, Meter, RegisterReading, Sensor, SensorReading, Site
from .wire import amount, identifier, moment, moment_form, number, text

_ID_KEYS: Final = ("id", "_id", "site_id", "installation_id")
_SITE_KEYS: Final = {"site_ref", "name", "address", "creation_date", "timezone"}
_REGISTERS: Final = ("en_im", "en_ex", "heat_energy_kwh", "vol_m3")


def read_site_ids(document: Document) -> tuple[str, ...]:
    """Return the ids of the sites in the cloud's order, each once."""
    ids: dict[str, None] = {}
    for item in document.items(unwrap="list"):
        if found := _site_id(item):
            ids[found] = None
        else:
            document.dropped += 1
    _refuse_nothing(document, usable=len(ids))
    return tuple(ids)


def _site_id(item: object) -> str | None:
    if found := identifier(item):
        return found
    if not isinstance(item, dict):
        return None
    return next(filter(None, (identifier(item.get(key)) for key in _ID_KEYS)), None)


def read_site(document: Document, site_id: str) -> Site:
    """Return a site, of which any key may be missing; reads the disk for time zones."""
    reply = document.object()
    if not reply.keys() & _SITE_KEYS:
        raise document.error("nothing that describes a site")
    address = reply.get("address")
    address = address if isinstance(address, dict) else {}
    city = text(address.get("city")) or text(address.get("city_name")) or None
    created = reply.get("creation_date")
    document.note("creation_date", moment_form(created))
    return Site(
        id=site_id,
        name=text(reply.get("name")) or city or site_id,
        city=city,
        created=_created(created),
        time_zone=_time_zone(text(reply.get("timezone"))),
    )


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


def read_meters(document: Document) -> tuple[Meter, ...]:
    """Return the meters of a site, each once."""
    meters: dict[str, Meter] = {}
    for meter in _read_each(document, Meter):
        meters.setdefault(meter.id, meter)
        document.note("type", meter.type)
        document.note("mode", meter.mode)
    return tuple(meters.values())


def read_sensors(document: Document) -> tuple[Sensor, ...]:
    """Return the sensors of a site, each once."""
    sensors: dict[str, Sensor] = {}
    for sensor in _read_each(document, Sensor):
        sensors.setdefault(sensor.id, sensor)
        document.note("type", sensor.type or "none")
        document.note("unit", sensor.unit or "none")
    return tuple(sensors.values())


def _read_each[T: DataClassDictMixin](
    document: Document, model: type[T]
) -> Iterator[T]:
    usable = 0
    for item in document.items():
        try:
            result = model.from_dict(item if isinstance(item, dict) else {})
        except MissingField, InvalidFieldValue:
            document.dropped += 1
        else:
            usable += 1
            yield result
    _refuse_nothing(document, usable)


def read_sensor_readings(
    document: Document, start: datetime | None
) -> tuple[SensorReading, ...]:
    """Return what a sensor measured since `start`, oldest first."""
    readings: dict[datetime, SensorReading] = {}
    for time, row in _timed_rows(document):
        value = number(row.get("value"))
        if value is not None and (start is None or time >= start):
            readings[time] = SensorReading(time, value)
    return tuple(readings[time] for time in sorted(readings))


def read_registers(
    document: Document, start: datetime, end: datetime | None
) -> tuple[RegisterReading, ...]:
    """Return what stood on a meter in start <= time < end, oldest first."""
    readings: dict[datetime, RegisterReading] = {}
    for time, row in _timed_rows(document):
        if start <= time and (end is None or time < end):
            values = (amount(row.get(key)) for key in _REGISTERS)
            readings[time] = RegisterReading(time, *values)
    return tuple(readings[time] for time in sorted(readings))


def _timed_rows(document: Document) -> Iterator[tuple[datetime, dict[str, Any]]]:
    usable = 0
    for row in document.items(unwrap="row"):
        stamp = row.get("timestamp") if isinstance(row, dict) else None
        if not usable:
            document.note("timestamp", moment_form(stamp))
        if (time := moment(stamp)) is None:
            document.dropped += 1
        else:
            usable += 1
            yield time.astimezone(UTC), row
    _refuse_nothing(document, usable)


def _refuse_nothing(document: Document, usable: int) -> None:
    if document.dropped and not usable:
        raise document.error(f"none of {document.dropped} elements can be used")
