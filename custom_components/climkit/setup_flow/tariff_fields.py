"""What the action that sets a tariff takes: a tariff's data, as YAML may write them."""

from collections.abc import Iterable
from datetime import time
from math import isfinite
from typing import Any, Final

from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..const import CONF_DASHBOARD, CONF_METERS
from ..metering.tariff import DAYS, MONTHS, Component, Pricing
from .tariff_forms import (
    CONF_COMPONENT,
    CONF_CONFIRMED,
    CONF_ENTITY_ID,
    CONF_FROM,
    CONF_MONTHLY_FEE,
    CONF_PRICE,
    CONF_PRICING,
    CONF_SURCHARGE,
    CONF_TO,
    CONF_VALID_FROM,
    CONF_VAT,
    CONF_WORKDAY,
    CONF_ZONES,
    ENTITY_DOMAINS,
    WORKDAY_DOMAIN,
)

_HOUR: Final = 60
_MINUTES: Final = range(24 * _HOUR + 1)
"""What YAML may have read a time of day as that has minutes."""
_SECONDS: Final = range(_HOUR * 60, _MINUTES.stop * 60)
"""What it may have read one as that has seconds, too: from 01:00:00 on."""

_FIELDS_OF: Final[dict[Pricing, set[str]]] = {
    Pricing.FIXED: {CONF_PRICE},
    Pricing.TIMES: {CONF_PRICE, CONF_ZONES, CONF_WORKDAY},
    Pricing.ENTITY: {CONF_ENTITY_ID, CONF_SURCHARGE, CONF_VAT},
}
_FIELDS: Final = set[str]().union(*_FIELDS_OF.values())
_NEEDED: Final[dict[Pricing, set[str]]] = {
    Pricing.FIXED: {CONF_PRICE},
    Pricing.TIMES: set(),
    Pricing.ENTITY: {CONF_ENTITY_ID},
}
"""What a kind of pricing can't do without; of times, the forms' own words say it."""


def _clock(value: Any) -> str:
    """Return a time of day, `24:00` as midnight."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _clock_of_number(value)
    if value in ("24:00", "24:00:00"):
        return time.min.isoformat()
    found: time = cv.time(value)
    return found.isoformat()


def _clock_of_number(value: int) -> str:
    """Return the time of day that YAML has read as a number: it was not quoted.

    20:00 becomes minutes, and 20:00:00 seconds. No time of day is a number between those
    of the two: it would have to be guessed what was meant.
    """
    minutes = value // 60 if value in _SECONDS else value
    if minutes not in _MINUTES:
        raise vol.Invalid(f"Invalid time specified: {value}")
    return time(minutes // _HOUR % 24, minutes % _HOUR).isoformat()


def _number(value: Any) -> float:
    """Return a number; neither true nor infinity is a price."""
    number = vol.Coerce(float)(value)
    if isinstance(value, bool) or not isfinite(number):
        raise vol.Invalid(f"expected a number, got {value!r}")
    return float(number)


_NOT_NEGATIVE: Final = vol.All(_number, vol.Range(min=0))

_ZONE: Final = vol.Schema(
    {
        vol.Required(CONF_PRICE): _number,
        vol.Required(CONF_FROM): _clock,
        vol.Required(CONF_TO): _clock,
        vol.Optional("days"): vol.All(cv.ensure_list, [vol.In(DAYS)]),
        vol.Optional("months"): vol.All(cv.ensure_list, [vol.In(MONTHS)]),
    }
)

TARIFF_FIELDS: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_COMPONENT): vol.In([each.value for each in Component]),
    vol.Optional(CONF_METERS, default=list): vol.All(cv.ensure_list, [cv.string]),
    vol.Required(CONF_VALID_FROM): cv.date,
    vol.Optional(CONF_PRICING): vol.In([each.value for each in Pricing]),
    vol.Optional(CONF_PRICE): _number,
    vol.Optional(CONF_ZONES): vol.All(cv.ensure_list, [_ZONE]),
    vol.Optional(CONF_WORKDAY): cv.entity_domain(WORKDAY_DOMAIN),
    vol.Optional(CONF_ENTITY_ID): cv.entity_domain(ENTITY_DOMAINS),
    vol.Optional(CONF_SURCHARGE): _number,
    vol.Optional(CONF_VAT): _NOT_NEGATIVE,
    vol.Optional(CONF_MONTHLY_FEE): _NOT_NEGATIVE,
    vol.Optional(CONF_DASHBOARD): cv.boolean,
    vol.Optional(CONF_CONFIRMED, default=False): cv.boolean,
}
"""A tariff's data, and what its forms ask beside them."""


def of_one_kind(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with their kind of pricing, which what is given may tell.

    Raises Invalid for what is missing, and for what another kind would need: it would
    be dropped, and nobody would see.
    """
    given = {key for key in _FIELDS if data.get(key)}
    pricing = Pricing(data.get(CONF_PRICING) or _told_by(given))
    _refuse(given - _FIELDS_OF[pricing], f"not used with {CONF_PRICING}: {pricing}")
    _refuse(_NEEDED[pricing] - data.keys(), f"required with {CONF_PRICING}: {pricing}")
    return data | {CONF_PRICING: pricing.value}


def _refuse(keys: Iterable[str], reason: str) -> None:
    """Raise Invalid for the first of the keys, if there is any."""
    for key in sorted(keys):
        raise vol.Invalid(reason, path=[key])


def _told_by(given: set[str]) -> Pricing:
    if CONF_ENTITY_ID in given:
        return Pricing.ENTITY
    return Pricing.TIMES if CONF_ZONES in given else Pricing.FIXED
