"""Actions: fetch the history again, and give the readings of a period to a script."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    selector,
    service,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .api import ClimkitError, Resolution
from .const import CONF_METERS, DOMAIN
from .devices import ids_of
from .history.billing import async_costs_of_readings, async_statement
from .metering.calendar import first_from, start_of_period
from .metering.costs import CURRENCY
from .metering.flows import Flow
from .metering.spans import Span
from .reading.account import action_errors
from .reading.answers import Question, joined
from .reading.reader import async_answers
from .runtime import ClimkitConfigEntry
from .setup_flow.tariff_action import async_set_tariff
from .setup_flow.tariff_fields import TARIFF_FIELDS, of_one_kind

SERVICE_IMPORT_HISTORY: Final = "import_history"
SERVICE_GET_READINGS: Final = "get_readings"
SERVICE_GET_STATEMENT: Final = "get_statement"
SERVICE_SET_TARIFF: Final = "set_tariff"

ATTR_START: Final = "start"
ATTR_END: Final = "end"
ATTR_METER: Final = "meter"
ATTR_PERIOD: Final = "period"

PERIODS: Final[dict[str, Resolution]] = {
    "quarter_hour": Resolution.QUARTER_HOUR,
    "hour": Resolution.HOUR,
    "day": Resolution.DAY,
    "month": Resolution.MONTH,
    "year": Resolution.YEAR,
}

LONGEST: Final[dict[str, timedelta]] = {
    "quarter_hour": timedelta(days=31),
    "hour": timedelta(days=124),
}
"""More rows than these would not fit into one reply of the cloud, nor into a script."""

_ENTRY: Final = {
    vol.Required(ATTR_CONFIG_ENTRY_ID): selector.ConfigEntrySelector(
        {"integration": DOMAIN}
    )
}


def _moment(value: Any) -> datetime:
    """Validate a time; those at the edge of the calendar have none in another zone."""
    time = cv.datetime(value)
    if not 1 < time.year < 9999:
        raise vol.Invalid(f"Invalid datetime specified: {value}")
    return time


IMPORT_HISTORY_SCHEMA: Final = vol.Schema({**_ENTRY, vol.Optional(ATTR_START): _moment})
GET_STATEMENT_SCHEMA: Final = vol.Schema(
    {
        **_ENTRY,
        vol.Optional(ATTR_METER): cv.string,
        vol.Optional(ATTR_START): _moment,
        vol.Optional(ATTR_END): _moment,
    }
)
GET_READINGS_SCHEMA: Final = GET_STATEMENT_SCHEMA.extend(
    {vol.Optional(ATTR_PERIOD, default="hour"): vol.In(PERIODS)}
)
SET_TARIFF_SCHEMA: Final = vol.All(vol.Schema({**_ENTRY, **TARIFF_FIELDS}), of_one_kind)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions; they exist whether or not an entry is loaded."""
    for name, act, schema in (
        (SERVICE_IMPORT_HISTORY, _async_import_history, IMPORT_HISTORY_SCHEMA),
        (SERVICE_SET_TARIFF, _async_set_tariff, SET_TARIFF_SCHEMA),
    ):
        hass.services.async_register(DOMAIN, name, act, schema)
    only = SupportsResponse.ONLY
    for name, answer, schema in (
        (SERVICE_GET_READINGS, _async_get_readings, GET_READINGS_SCHEMA),
        (SERVICE_GET_STATEMENT, _async_get_statement, GET_STATEMENT_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN, name, answer, schema, supports_response=only
        )


async def _async_set_tariff(call: ServiceCall) -> None:
    """Add or replace a version of a tariff; costs are priced anew by it."""
    meters = [_owner_of(call.hass, meter)[0] for meter in call.data[CONF_METERS]]
    data = {**call.data, CONF_METERS: meters}
    await async_set_tariff(call.hass, _entry_of(call), data)


async def _async_import_history(call: ServiceCall) -> None:
    """Fetch the history again from `start`, or all of it, and reconcile.

    Whatever can be fetched is fetched; then an error names what could not.
    """
    entry = _entry_of(call)
    start = _aware(entry, call.data.get(ATTR_START))
    missing = await _async_with_entry(
        call.hass, entry, entry.runtime_data.history.async_import_again(start)
    )
    _raise_if_missing(call.hass, entry, missing, entry.runtime_data.site.data.flows)


async def _async_get_readings(call: ServiceCall) -> ServiceResponse:
    """Return the amounts of the site's flows, or of a meter's, by interval.

    And what they cost, where there is a tariff.
    """
    entry = _entry_of(call)
    data = entry.runtime_data
    flows = _flows_of(call.hass, entry, call.data.get(ATTR_METER))
    zone, period = data.site.data.zone, call.data[ATTR_PERIOD]
    start, end = _period_of(entry, call.data, period, dt_util.utcnow())
    _refuse_long(period, end - start)
    span = start, first_from(PERIODS[period], end, zone)  # the last one is whole, too
    readings = await _async_readings(call.hass, entry, flows, PERIODS[period], span)
    costs = await async_costs_of_readings(
        data.pricing, flows[0].owner_id, readings, PERIODS[period], span
    )
    series = {
        flow.kind.value: _series_of(flow.unit, amounts, zone)
        for flow, amounts in readings.items()
    }
    return {
        "period": period,
        "start": _text(start, zone),
        "end": _text(end, zone),
        "readings": series
        | {kind: _series_of(CURRENCY, some, zone) for kind, some in costs.items()},
    }


async def _async_readings(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    flows: Sequence[Flow],
    resolution: Resolution,
    span: Span,
) -> dict[Flow, dict[datetime, float]]:
    """Ask the cloud for the amounts of flows, by the start of the interval.

    Raises HomeAssistantError unless all of them can be had.
    """
    reader, zone = entry.runtime_data.reader, entry.runtime_data.site.data.zone
    questions = [
        Question(medium, tuple(some), resolution, *span, zone=zone)
        for medium, some in groupby(flows, attrgetter("medium"))
    ]
    answers = await _async_with_entry(hass, entry, async_answers(reader, questions))
    _raise_if_missing(hass, entry, joined(answers).unknown, flows)
    return {
        flow: answer.of(flow)
        for question, answer in zip(questions, answers, strict=True)
        for flow in question.flows
    }


async def _async_get_statement(call: ServiceCall) -> ServiceResponse:
    """Return the bill of the site or of a meter: of the last full month, or any time."""
    entry = _entry_of(call)
    data = entry.runtime_data
    owner = _flows_of(call.hass, entry, call.data.get(ATTR_METER))[0].owner_id
    zone, now = data.site.data.zone, dt_util.utcnow()
    this_month = start_of_period(Resolution.MONTH, now, zone)
    until = now if ATTR_START in call.data else this_month
    start, end = span = _period_of(entry, call.data, "month", until, latest=now)
    bill = await _async_with_entry(
        call.hass, entry, async_statement(data.pricing, data.reader, owner, span)
    )
    return {
        "start": _text(start, zone),
        "end": _text(end, zone),
        **bill.as_dict(),
        "currency": CURRENCY,
    }


async def _async_with_entry[T](
    hass: HomeAssistant, entry: ClimkitConfigEntry, work: Coroutine[Any, Any, T]
) -> T:
    """Do the work of an action, which ends when its entry is unloaded or removed."""
    task = entry.async_create_background_task(hass, work, f"{entry.title} (action)")
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()  # where whoever called gives up
    if task.cancelled():
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="action_ended",
            translation_placeholders={"site": entry.title},
        )
    with action_errors(hass, entry):
        return task.result()


def _raise_if_missing(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    missing: Mapping[Flow, ClimkitError],
    wanted: Iterable[Flow],
) -> None:
    """Raise an error that names what could not be had, or why there is nothing at all."""
    if not missing:
        return
    if missing.keys() >= set(wanted):
        with action_errors(hass, entry):
            raise next(iter(missing.values()))
    info = entry.runtime_data.site.data
    meters: dict[str | None, str] = {meter.id: meter.name for meter in info.meters}
    names = dict.fromkeys(
        meters.get(flow.meter_id, flow.kind.replace("_", " ")) for flow in missing
    )
    raise HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="incomplete",
        translation_placeholders={"site": entry.title, "what": ", ".join(names)},
    )


def _series_of(
    unit: str | None, amounts: Mapping[datetime, float], zone: tzinfo
) -> dict[str, Any]:
    """Return a series for templates, in which `x.values` would be a dict's method."""
    return {
        "unit": unit,
        "total": round(sum(amounts.values()), 4 if unit == CURRENCY else 3)
        if amounts
        else None,
        "intervals": [
            {"start": _text(begin, zone), "value": amount}
            for begin, amount in amounts.items()
        ],
    }


def _text(time: datetime, zone: tzinfo) -> str:
    """Return a time by the site's clock, whose days and months the intervals are."""
    return time.astimezone(zone).isoformat()


@callback
def _entry_of(call: ServiceCall) -> ClimkitConfigEntry:
    entry: ClimkitConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    return entry


def _flows_of(
    hass: HomeAssistant, entry: ClimkitConfigEntry, meter: str | None
) -> tuple[Flow, ...]:
    """Return the flows of the site, or of a meter given by its id or its device's."""
    info = entry.runtime_data.site.data
    owner, name = _owner_of(hass, meter) if meter else (info.site.id, entry.title)
    flows = info.flows_of(owner)
    if not flows:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_meter",
            translation_placeholders={"meter": name, "site": entry.title},
        )
    return flows


def _owner_of(hass: HomeAssistant, meter: str) -> tuple[str, str]:
    """Return id and name of what is given by its own id, or by its device's."""
    device = dr.async_get(hass).async_get(meter)
    if device is None:
        return meter, meter
    return next(iter(ids_of(device)), ""), device.name_by_user or device.name or meter


def _period_of(
    entry: ClimkitConfigEntry,
    data: Mapping[str, Any],
    period: str,
    until: datetime,
    latest: datetime | None = None,
) -> Span:
    """Return the time asked for; up to `until`, from its beginning, if none is given.

    It ends at the `latest` then: what is to come, has not cost anything yet.
    """
    zone = entry.runtime_data.site.data.zone
    end = _aware(entry, data.get(ATTR_END)) or until
    end = min(end, latest or end)
    start = _aware(entry, data.get(ATTR_START)) or _beginning(end, period, zone)
    if start >= end:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="end_before_start"
        )
    return start, end


def _refuse_long(period: str, length: timedelta) -> None:
    longest = LONGEST.get(period, timedelta.max)
    if length > longest:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="period_too_long",
            translation_placeholders={"days": str(longest.days)},
        )


def _beginning(end: datetime, period: str, zone: tzinfo) -> datetime:
    """Return the beginning, in UTC, of the day, month or year that ends with `end`."""
    longer = {"month": Resolution.MONTH, "year": Resolution.YEAR}
    resolution = longer.get(period, Resolution.DAY)
    return start_of_period(resolution, end - timedelta.resolution, zone)


def _aware(entry: ClimkitConfigEntry, time: datetime | None) -> datetime | None:
    """Return a time in UTC; without a time zone it means the site's local time."""
    if time is None:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=entry.runtime_data.site.data.zone)
    return dt_util.as_utc(time)
