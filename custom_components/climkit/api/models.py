"""What the cloud knows, with its oddities settled: aware UTC, interval starts, no null.

Street, house number and coordinates of a site are never kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self, override

from mashumaro import DataClassDictMixin, field_options

from .values import identifier, number, text

HOME_ZONE: Final = "Europe/Zurich"


class Resolution(StrEnum):
    """Lengths of the intervals that the cloud sums up to."""

    QUARTER_HOUR = "15T"
    HOUR = "H"
    DAY = "D"
    MONTH = "M"
    YEAR = "Y"


class MeterType(StrEnum):
    """What a meter can measure, as far as known: `Meter.type` may be another."""

    ELECTRICITY = "electricity"
    HEATING = "heating"
    COOLING = "cooling"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"
    CHARGE_POINT = "charge_point"


class MeterMode(StrEnum):
    """What a meter can be for, as far as known: `Meter.mode` may be another."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"
    INTRODUCTION = "introduction"
    BATTERY = "battery"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of time: start <= time < end, both aware; without `end`, all there is."""

    start: datetime
    end: datetime | None = None
    earliest: datetime | None = None
    """No question about it may begin before this, if that would be refused."""

    def __contains__(self, time: datetime) -> bool:
        """Return whether a time is in it."""
        return self.start <= time and (self.end is None or time < self.end)


class Column(NamedTuple):
    """The name of one column of a series."""

    meter_id: str | None
    """None for what the site has in all."""
    quantity: str
    """"total", "self" or "ext" of a meter; "conso_total", "from_ext", ... of the site."""


@dataclass(frozen=True, slots=True)
class Series:
    """Energies (kWh) or volumes (m³) per interval."""

    resolution: Resolution
    starts: tuple[datetime, ...]
    """Starts of the intervals in UTC, ascending, without repetition."""
    columns: Mapping[Column, Sequence[float | None]] = field(repr=False)
    """As long as `starts`, each; None where the cloud has no value."""
    dropped: int = 0
    """Rows that could not be used."""
    rows: int = 0
    """Rows of the reply, also those outside of the span."""

    def values(self, column: Column) -> dict[datetime, float]:
        """Return what is known of a column, by the start of the interval in UTC."""
        return {
            start: value
            for start, value in zip(
                self.starts, self.columns.get(column, ()), strict=False
            )
            if value is not None
        }


def _word(value: object) -> str:
    return "_".join(text(value).lower().split())


def _maybe(value: object) -> str | None:
    return text(value) or None


def _id(value: object) -> str:
    if (result := identifier(value)) is None:
        raise ValueError
    return result


def _whole(value: object) -> int | None:
    result = number(value)
    return int(result) if result is not None and result.is_integer() else None


def _flag(value: object) -> bool:
    return value is True or text(value).lower() in {"true", "1", "yes"}


@dataclass(frozen=True, slots=True)
class Meter(DataClassDictMixin):
    """A meter of a site, physical or computed from others."""

    id: str = field(metadata=field_options(deserialize=_id))
    type: str = field(default="", metadata=field_options(deserialize=_word))
    name: str = field(default="", metadata=field_options(deserialize=text))
    mode: str = field(default="", metadata=field_options(deserialize=_word))
    prim_ad: int | None = field(
        default=None, metadata=field_options(deserialize=_whole)
    )
    """Address on the bus: 10 is the grid connection, 11 to 99 consume, from 101 produce."""
    is_rule_meter: bool = field(
        default=False, metadata=field_options(deserialize=_flag)
    )
    """Whether it is computed from other meters."""

    @classmethod
    @override
    def __pre_deserialize__(cls, d: dict[Any, Any]) -> dict[Any, Any]:
        """Accept the names that keys had in earlier years."""
        earlier = {"id": d.get("_id"), "is_rule_meter": d.get("virtual", False)}
        return earlier | d

    @classmethod
    @override
    def __post_deserialize__(cls, obj: Self) -> Self:
        """Put a name and a mode where the cloud has none."""
        return replace(
            obj,
            type=obj.type or "unknown",
            name=obj.name or _name_by_address(obj),
            mode=obj.mode or _mode_by_address(obj.prim_ad),
        )


def _name_by_address(meter: Meter) -> str:
    addressed = meter.type and meter.prim_ad is not None
    return f"{meter.type} {meter.prim_ad}" if addressed else meter.id


def _mode_by_address(prim_ad: int | None) -> MeterMode:
    if prim_ad == 10:
        return MeterMode.INTRODUCTION
    if prim_ad is not None and prim_ad >= 101:
        return MeterMode.PRODUCTION
    return MeterMode.CONSUMPTION


@dataclass(frozen=True, slots=True)
class Sensor(DataClassDictMixin):
    """A sensor of the surroundings: temperature, air, light."""

    id: str = field(metadata=field_options(deserialize=_id))
    name: str = field(default="", metadata=field_options(deserialize=text))
    type: str = field(default="", metadata=field_options(deserialize=_word))
    """What it measures; the cloud's vocabulary is not known."""
    unit: str | None = field(default=None, metadata=field_options(deserialize=_maybe))
    model: str | None = field(default=None, metadata=field_options(deserialize=_maybe))

    @classmethod
    @override
    def __pre_deserialize__(cls, d: dict[Any, Any]) -> dict[Any, Any]:
        """Accept an id under the name that MongoDB gives it."""
        return {"id": d.get("_id")} | d

    @classmethod
    @override
    def __post_deserialize__(cls, obj: Self) -> Self:
        """Put a name where the cloud has none."""
        return replace(obj, name=obj.name or obj.type or obj.id)


@dataclass(frozen=True, slots=True)
class Site:
    """A building or a group of buildings with one connection to the grid."""

    id: str
    name: str
    city: str | None = None
    created: datetime | None = None
    """When Climkit set it up, in UTC; months before the first reading, at times."""
    time_zone: str = HOME_ZONE
    """A name of the IANA database that this system knows."""


@dataclass(frozen=True, slots=True)
class SensorReading:
    """What a sensor of the surroundings measured, in its own unit."""

    time: datetime
    """In UTC."""
    value: float


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """What stood on a meter; some meters give amounts per interval instead."""

    time: datetime
    """In UTC."""
    en_im: float | None = None
    """kWh drawn."""
    en_ex: float | None = None
    """kWh fed back."""
    heat_energy_kwh: float | None = None
    vol_m3: float | None = None
