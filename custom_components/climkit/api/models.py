"""What the cloud tells, in clean words: here every oddity of the wire ends.

Times are aware and in UTC, intervals are told by their start. Sources: Climkit's API
documentation, and replies that others have observed of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import isfinite
import re
from typing import Any, Final, NamedTuple, Self, override

from mashumaro import DataClassDictMixin, field_options

DUST: Final = 1e-6
"""Amounts below are artefacts of floating point (kWh or m³)."""

DEFAULT_TIME_ZONE: Final = "Europe/Zurich"

MILLISECONDS_FROM: Final = 1e11
"""Numbers from here on are milliseconds since 1970: in seconds, the year would be 5138."""


class Resolution(StrEnum):
    """Length of the intervals of a series, in the words of the API."""

    QUARTER_HOUR = "15T"
    HOUR = "H"
    DAY = "D"
    MONTH = "M"
    YEAR = "Y"


class MeterType(StrEnum):
    """What a meter measures; the cloud may know more."""

    ELECTRICITY = "electricity"
    HEATING = "heating"
    COOLING = "cooling"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"
    CHARGE_POINT = "charge_point"


class MeterMode(StrEnum):
    """What a meter is for; the cloud may know more."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"
    INTRODUCTION = "introduction"
    BATTERY = "battery"


class Column(NamedTuple):
    """A column of a series."""

    meter_id: str | None
    """The meter, or None for a quantity of the whole site."""
    quantity: str


# --- Values -------------------------------------------------------------------------


def parse_time(value: object) -> datetime:
    """Return a time of the cloud in UTC.

    Understands ISO 8601 with an offset (a space or a T between date and time), seconds
    or milliseconds since 1970, and what MongoDB makes of dates. Raises ValueError.
    """
    if isinstance(value, Mapping):
        value = value.get("$date", value.get("$numberLong"))
        return parse_time(value)
    if isinstance(value, bool) or value is None:
        raise ValueError("not a time")
    if isinstance(value, str) and re.fullmatch(r"-?\d{9,}(\.\d+)?", value):
        value = float(value)
    try:
        if isinstance(value, int | float):
            seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
        time = datetime.fromisoformat(str(value).strip())
        if time.tzinfo is None:
            raise ValueError("a time without offset")
        return time.astimezone(UTC)
    except (OverflowError, OSError) as err:
        raise ValueError("not a time") from err


def parse_amount(value: object) -> float | None:
    """Return an amount, or None for what is none: null, NaN, text, true."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(value)
    except ValueError, OverflowError:
        return None
    if not isfinite(amount):
        return None
    return 0.0 if abs(amount) < DUST else amount


def parse_id(value: object) -> str:
    """Return an id: a string, a number, or what MongoDB makes of ids. Raises ValueError."""
    if isinstance(value, Mapping):
        value = next(
            (value[key] for key in ID_KEYS if value.get(key) is not None), None
        )
        return parse_id(value)
    if isinstance(value, str) and (text := value.strip()):
        return text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("not an id")


ID_KEYS: Final = ("$oid", "id", "_id", "site_id", "installation_id")


# --- Descriptions -------------------------------------------------------------------


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Site:
    """A metered installation. Street and coordinates are not kept: nobody needs them."""

    id: str
    name: str
    city: str | None = None
    created: datetime | None = None
    """Since when Climkit knows the site; data may begin months later."""
    time_zone: str = DEFAULT_TIME_ZONE
    """IANA name of the zone by which the site's days and months begin."""

    @classmethod
    def from_wire(cls, site_id: str, data: Mapping[str, Any]) -> Site:
        """Read `installation_infos`; everything in it is optional."""
        address = data.get("address")
        address = address if isinstance(address, Mapping) else {}
        created: datetime | None = None
        try:
            value = data.get("creation_date")
            if isinstance(value, str) and "+" not in value and "Z" not in value[10:]:
                value = (
                    f"{value.strip()[:19]}+00:00"
                    if len(value) > 10
                    else f"{value}T00:00+00:00"
                )
            created = parse_time(value)
        except ValueError:
            created = None
        return cls(
            site_id,
            _text(data.get("name")) or _text(data.get("site_ref")) or site_id,
            _text(address.get("city")) or _text(address.get("city_name")),
            created,
            _text(data.get("timezone")) or DEFAULT_TIME_ZONE,
        )


def _number(value: object) -> int | None:
    """Return a whole number that may come as text."""
    try:
        return int(str(value))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Meter(DataClassDictMixin):
    """A meter, physical or made of others."""

    id: str = field(metadata=field_options(deserialize=parse_id))
    type: str
    name: str
    mode: str
    prim_ad: int | None = None
    """Bus address; by convention it tells the mode (installer's manual, 4.1)."""
    is_rule_meter: bool = False
    """Whether it is the sum or the difference of other meters."""

    @classmethod
    @override
    def __pre_deserialize__(cls, d: dict[Any, Any]) -> dict[Any, Any]:
        prim_ad = _number(d.get("prim_ad"))
        type_ = (_text(d.get("type")) or MeterType.ELECTRICITY).lower()
        label = type_.replace("_", " ").capitalize()
        return {
            "id": d.get("id", d.get("_id")),
            "type": type_,
            "name": _text(d.get("name"))
            or (label if prim_ad is None else f"{label} {prim_ad}"),
            "mode": (_text(d.get("mode")) or _mode_of(prim_ad)).lower(),
            "prim_ad": prim_ad,
            "is_rule_meter": bool(d.get("is_rule_meter", d.get("virtual", False))),
        }


def _mode_of(prim_ad: int | None) -> str:
    """Return what a bus address stands for: 10 the grid, 101 and up production."""
    if prim_ad == 10:
        return MeterMode.INTRODUCTION
    if prim_ad is not None and prim_ad > 100:
        return MeterMode.PRODUCTION
    return MeterMode.CONSUMPTION


@dataclass(frozen=True, slots=True)
class Sensor(DataClassDictMixin):
    """An environmental sensor of a site."""

    id: str = field(metadata=field_options(deserialize=parse_id))
    name: str
    type: str
    """What it measures, in the cloud's words."""
    unit: str | None = None
    model: str | None = None

    @classmethod
    @override
    def __pre_deserialize__(cls, d: dict[Any, Any]) -> dict[Any, Any]:
        type_ = _text(d.get("type")) or ""
        return {
            "id": d.get("id", d.get("_id")),
            "name": _text(d.get("name")) or type_ or "Sensor",
            "type": type_,
            "unit": _text(d.get("unit")),
            "model": _text(d.get("model")),
        }


@dataclass(frozen=True, slots=True)
class SensorReading:
    """A value of an environmental sensor, in the sensor's unit."""

    time: datetime
    value: float

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read a row. Raises ValueError."""
        if (value := parse_amount(data.get("value"))) is None:
            raise ValueError("no value")
        return cls(parse_time(data.get("timestamp")), value)


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """What a physical meter itself showed, or measured in an interval; not validated."""

    time: datetime
    en_im: float | None = None
    """kWh drawn."""
    en_ex: float | None = None
    """kWh delivered: produced, or fed into the grid."""
    heat_energy_kwh: float | None = None
    vol_m3: float | None = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read a row. Raises ValueError."""
        return cls(
            parse_time(data.get("timestamp")),
            *(
                parse_amount(data.get(key))
                for key in ("en_im", "en_ex", "heat_energy_kwh", "vol_m3")
            ),
        )


# --- Series -------------------------------------------------------------------------

_PER_METER: Final = ("total", "self", "ext")


def column_of(key: str, meter_id: str | None) -> Column:
    """Return the column of a key: `total_<id>` and the like belong to a meter."""
    if meter_id is not None:
        return Column(meter_id, key)
    quantity, _, of = key.partition("_")
    if of and quantity in _PER_METER:
        return Column(of, quantity)
    return Column(None, key)


@dataclass(frozen=True, slots=True)
class Series:
    """Amounts per interval: kWh, or m³ of water, column by column."""

    resolution: Resolution
    starts: tuple[datetime, ...]
    """Starts of the intervals in UTC, ascending, each once."""
    columns: Mapping[Column, tuple[float | None, ...]]
    """As long as `starts`; None where the cloud has no amount."""
    dropped: int = 0
    """How many rows could not be read."""

    def values(self, column: Column) -> dict[datetime, float]:
        """Return the amounts of a column by the start of the interval."""
        return {
            start: amount
            for start, amount in zip(
                self.starts, self.columns.get(column, ()), strict=False
            )
            if amount is not None
        }

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[object],
        resolution: Resolution,
        start: datetime,
        end: datetime | None,
        meter_id: str | None = None,
    ) -> Series:
        """Read rows as they come, keeping those with start <= interval < end."""
        table: dict[datetime, tuple[float | None, ...]] = {}
        names: dict[str, int] = {}
        dropped = 0
        for row in rows:
            try:
                cells = _cells(row)
                begin = interval_start(cells.get("timestamp"), resolution)
            except ValueError:
                dropped += 1
                continue
            if begin < start or (end is not None and begin >= end):
                continue
            for key in cells:
                if key != "timestamp" and key not in names:
                    names[key] = len(names)
            table[begin] = tuple(parse_amount(cells.get(name)) for name in names)
        starts = tuple(sorted(table))
        columns = {
            column_of(name, meter_id): tuple(
                row[at] if at < len(row := table[begin]) else None for begin in starts
            )
            for name, at in names.items()
        }
        return cls(resolution, starts, columns, dropped)


def _cells(row: object) -> Mapping[str, object]:
    """Return a row by its keys. Raises ValueError if it is none."""
    if isinstance(row, Mapping):
        return row
    raise ValueError("not a row")


def interval_start(value: object, resolution: Resolution) -> datetime:
    """Return when the interval of a row begins: quarters are labelled by their end.

    Raises ValueError for what is no time, or not on the grid of the resolution.
    """
    time = parse_time(value)
    if time.second or time.microsecond:
        raise ValueError("off the grid")
    if resolution is Resolution.QUARTER_HOUR:
        if time.minute % 15:
            raise ValueError("off the grid")
        return time - timedelta(minutes=15)
    if time.minute:
        raise ValueError("off the grid")
    return time
