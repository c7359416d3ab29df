"""One dated version of a tariff, as a user entered it.

A version begins on a local date of the site and ends where the next one begins, so
that a new price on 1 January is a further version and the past stays as it was
billed. Prices are CHF per kWh (of water: per m³), VAT included, as on the bill.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from itertools import product
from math import isfinite
import re
from typing import Any, Final, Self

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SUNDAY: Final = DAYS.index("sun")
MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)

_CLOCK: Final = re.compile(r"\d{2}:\d{2}(:\d{2})?")


class Component(StrEnum):
    """What a price is for."""

    GRID = "grid"
    SOLAR = "solar"
    FEED_IN = "feed_in"
    HEATING = "heating"
    COOLING = "cooling"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"

    @property
    def unit(self) -> str:
        """Return the unit of the amounts that it prices."""
        return "m³" if self in _WATER else "kWh"


_WATER: Final = frozenset({Component.COLD_WATER, Component.HOT_WATER})


class Pricing(StrEnum):
    """How a version tells its price."""

    FIXED = "fixed"
    TIMES = "times"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class Zone:
    """A price for some hours of the day, on some days of the week, in some months."""

    price: float
    start: time
    end: time
    """Not above `start`: the zone goes on from midnight of each of its days, too."""
    days: tuple[str, ...] = ()
    """None named: every day."""
    months: tuple[str, ...] = ()
    """None named: every month."""

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Return the zone that `data` describes; ValueError if it describes none."""
        data = _checked("zone", data, Mapping, "a mapping")
        return cls(
            _number(data, "price"),
            _clock(data, "from"),
            _clock(data, "to"),
            _names(data, "days", DAYS),
            _names(data, "months", MONTHS),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what `from_dict` takes."""
        return {
            "price": self.price,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
        } | _given(days=list(self.days), months=list(self.months))

    def holds(self, weekday: int, month: int, clock: time) -> bool:
        """Return whether it is the price of a local time.

        `weekday` counts from Monday = 0, `month` from January = 1. A zone across
        midnight has both its ends on each of its days: "Mo-Fr 19-07" is Monday
        before seven as well, and not Saturday.
        """
        on_this_day = DAYS[weekday] in (self.days or DAYS)
        in_this_month = MONTHS[month - 1] in (self.months or MONTHS)
        return on_this_day and in_this_month and self._holds_at(clock)

    def _holds_at(self, clock: time) -> bool:
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version: from when on, for what and for whom, at which price."""

    component: Component
    valid_from: date
    """Its first day, in the site's time zone."""
    pricing: Pricing
    meters: tuple[str, ...] = ()
    """The ids of the meters that it is for, sorted; none: the whole site."""
    price: float | None = None
    """The fixed price; with times, the price of all other time."""
    zones: tuple[Zone, ...] = ()
    """The last one that holds wins."""
    workday: str | None = None
    """Whose days off count as Sundays: a sensor of the workday integration."""
    entity_id: str | None = None
    surcharge: float = 0.0
    """What comes on top of the entity's price, in CHF per kWh, before VAT."""
    vat: float = 0.0
    """What comes on top of both, in percent."""
    monthly_fee: float | None = None
    """In CHF per local month, VAT included."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the version that a subentry's data describe.

        Keys of other purposes are passed over, and so are prices of another kind of
        pricing than the chosen one. Raises ValueError, with the reason, for the rest.
        """
        pricing = _choice(data, "pricing", Pricing)
        return cls(
            component=_choice(data, "component", Component),
            valid_from=_date(data, "valid_from"),
            pricing=pricing,
            meters=tuple(sorted(set(_texts(data, "meters")))),
            monthly_fee=_optional_number(data, "monthly_fee"),
            **_PRICES[pricing](data),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what `from_dict` takes, without what is not given."""
        return {
            "component": self.component.value,
            "meters": list(self.meters),
            "valid_from": self.valid_from.isoformat(),
            "pricing": self.pricing.value,
        } | _given(
            price=self.price,
            zones=[zone.as_dict() for zone in self.zones],
            workday=self.workday,
            entity_id=self.entity_id,
            surcharge=self.surcharge or None,
            vat=self.vat or None,
            monthly_fee=self.monthly_fee,
        )


def _fixed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"price": _number(data, "price")}


def _times(data: Mapping[str, Any]) -> dict[str, Any]:
    price = _optional_number(data, "price")
    zones = tuple(_zones(data))
    if price is None and leave_a_hole(zones):
        raise ValueError("price: missing, and the zones do not cover all time")
    return {"price": price, "zones": zones, "workday": _optional_text(data, "workday")}


def _entity(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entity_id": _required("entity_id", _optional_text(data, "entity_id")),
        "surcharge": _added(data, "surcharge"),
        "vat": _added(data, "vat"),
    }


_PRICES: Final[dict[Pricing, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    Pricing.FIXED: _fixed,
    Pricing.TIMES: _times,
    Pricing.ENTITY: _entity,
}


def _zones(data: Mapping[str, Any]) -> list[Zone]:
    zones = []
    for number, zone in enumerate(_list(data, "zones"), 1):
        try:
            zones.append(Zone.from_dict(zone))
        except ValueError as error:
            raise ValueError(f"zones: number {number}: {error}") from error
    return zones


def leave_a_hole(zones: Sequence[Zone]) -> bool:
    """Return whether some time is in no zone; if so, time at the end of a zone is."""
    borders = {time.min, *(zone.end for zone in zones)}
    moments = product(range(len(DAYS)), range(1, len(MONTHS) + 1), borders)
    return not all(any(zone.holds(*moment) for zone in zones) for moment in moments)


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [])}


def _checked[T](
    key: str, value: Any, kinds: type[T] | tuple[type[T], ...], what: str
) -> T:
    if isinstance(value, kinds):
        return value
    raise ValueError(f"{key}: {value!r} is not {what}")


def _choice[E: StrEnum](data: Mapping[str, Any], key: str, choices: type[E]) -> E:
    try:
        return choices(data.get(key, ""))
    except ValueError as error:
        raise ValueError(f"{key}: {data.get(key)!r} is none of its values") from error


def _date(data: Mapping[str, Any], key: str) -> date:
    value = data.get(key)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key}: {value!r} is not a date") from error


def _clock(data: Mapping[str, Any], key: str) -> time:
    value = data.get(key)
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        with suppress(ValueError):  # like 25:00, which is refused with the rest
            return time.fromisoformat(value)
    raise ValueError(f"{key}: {value!r} is not a time of day (HH:MM)")


def _optional_number(data: Mapping[str, Any], key: str) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    number = _checked(key, value, (int, float), "a number")
    if isinstance(number, bool) or not isfinite(number):
        raise ValueError(f"{key}: {value!r} is not a finite number")
    return float(number)


def _number(data: Mapping[str, Any], key: str) -> float:
    return _required(key, _optional_number(data, key))


def _added(data: Mapping[str, Any], key: str) -> float:
    """Return what comes on top of a price: nothing unless it is given."""
    return _optional_number(data, key) or 0.0


def _required[T](key: str, value: T | None) -> T:
    if value is None:
        raise ValueError(f"{key}: missing")
    return value


def _optional_text(data: Mapping[str, Any], key: str) -> str | None:
    return _checked(key, data.get(key) or "", str, "a text") or None


def _list(data: Mapping[str, Any], key: str) -> Sequence[Any]:
    return _checked(key, data.get(key) or (), (list, tuple), "a list")


def _texts(data: Mapping[str, Any], key: str) -> Sequence[str]:
    return [_checked(key, value, str, "a text") for value in _list(data, key)]


def _names(
    data: Mapping[str, Any], key: str, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the names that are given, in the order of the calendar."""
    given = _texts(data, key)
    for name in given:
        if name not in names:
            raise ValueError(f"{key}: {name!r} is none of {', '.join(names)}")
    return tuple(sorted(set(given), key=names.index))
