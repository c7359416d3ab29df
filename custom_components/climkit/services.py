"""Actions: fetch the history again, and give the readings of a period to a script."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
    ServiceValidationError,
)
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    selector,
    service,
)
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .api import ClimkitError, Resolution
from .const import DOMAIN
from .metering.calendar import start_of_day
from .metering.flows import Flow
from .reading.account import async_ask_for_password
from .reading.answers import Answer, Question
from .reading.errors import home_assistant_errors
from .reading.reader import TROUBLES, SeriesReader
from .runtime import ClimkitConfigEntry

SERVICE_IMPORT_HISTORY: Final = "import_history"
SERVICE_GET_READINGS: Final = "get_readings"

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
GET_READINGS_SCHEMA: Final = vol.Schema(
    {
        **_ENTRY,
        vol.Optional(ATTR_METER): cv.string,
        vol.Optional(ATTR_START): _moment,
        vol.Optional(ATTR_END): _moment,
        vol.Optional(ATTR_PERIOD, default="hour"): vol.In(PERIODS),
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions; they exist whether or not an entry is loaded."""
    hass.services.async_register(
        DOMAIN, SERVICE_IMPORT_HISTORY, _async_import_history, IMPORT_HISTORY_SCHEMA
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_READINGS,
        _async_get_readings,
        GET_READINGS_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


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
    """Return the amounts of the site's flows, or of a meter's, by interval."""
    entry = _entry_of(call)
    flows = _flows_of(call.hass, entry, call.data.get(ATTR_METER))
    start, end = _period_of(entry, call.data)
    period = call.data[ATTR_PERIOD]
    zone = entry.runtime_data.site.data.zone
    questions = [
        Question(medium, tuple(some), PERIODS[period], start, end, zone=zone)
        for medium, some in groupby(flows, lambda flow: flow.medium)
    ]
    answers = await _async_with_entry(
        call.hass, entry, _async_ask(entry.runtime_data.reader, questions)
    )
    missing = {flow: err for answer in answers for flow, err in answer.unknown.items()}
    _raise_if_missing(call.hass, entry, missing, flows)
    return {
        "period": period,
        "start": _text(start, zone),
        "end": _text(end, zone),
        "readings": {
            flow.kind: _series_of(flow, answer.of(flow), zone)
            for question, answer in zip(questions, answers, strict=True)
            for flow in question.flows
        },
    }


async def _async_ask(
    reader: SeriesReader, questions: Iterable[Question]
) -> list[Answer]:
    """Return the answers; of a medium that fails, nothing is known, and why.

    Raises ClimkitError for what would befall every question.
    """
    answers = []
    for question in questions:
        try:
            answer = await reader.async_read(question)
        except TROUBLES:
            raise
        except ClimkitError as err:
            span = question.start, question.end or dt_util.utcnow()
            unknown = dict.fromkeys(question.flows, err)
            answer = Answer(*span, dt_util.utcnow(), (), unknown)
        answers.append(answer)
    return answers


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
    with _errors(hass, entry):
        return task.result()


@contextmanager
def _errors(hass: HomeAssistant, entry: ClimkitConfigEntry) -> Iterator[None]:
    """Turn the client's errors into those of an action; ask for other credentials."""
    try:
        with home_assistant_errors(entry.title):
            yield
    except (ConfigEntryAuthFailed, UpdateFailed) as err:
        if isinstance(err, ConfigEntryAuthFailed):
            async_ask_for_password(hass, entry)
        raise HomeAssistantError(
            translation_domain=err.translation_domain,
            translation_key=err.translation_key,
            translation_placeholders=err.translation_placeholders,
        ) from err


def _raise_if_missing(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    missing: Mapping[Flow, ClimkitError],
    wanted: Iterable[Flow],
) -> None:
    """Raise an error that names what could not be had, or why there is nothing at all."""
    if not missing:
        return
    info = entry.runtime_data.site.data
    if missing.keys() >= set(wanted):
        with _errors(hass, entry):
            raise next(iter(missing.values()))
    meters = {meter.id: meter.name for meter in info.meters}
    names = dict.fromkeys(
        meters.get(flow.meter_id or "", flow.kind.replace("_", " ")) for flow in missing
    )
    raise HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="incomplete",
        translation_placeholders={"site": entry.title, "what": ", ".join(names)},
    )


def _series_of(
    flow: Flow, amounts: Mapping[datetime, float], zone: tzinfo
) -> dict[str, Any]:
    """Return a series for templates, in which `x.values` would be a dict's method."""
    return {
        "unit": flow.unit,
        "total": round(sum(amounts.values()), 3) if amounts else None,
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
    ids = [id_ for domain, id_ in device.identifiers if domain == DOMAIN]
    return next(iter(ids), ""), device.name_by_user or device.name or meter


def _period_of(
    entry: ClimkitConfigEntry, data: Mapping[str, Any]
) -> tuple[datetime, datetime]:
    """Return the period asked for; from today's beginning till now if none is given."""
    zone = entry.runtime_data.site.data.zone
    end = _aware(entry, data.get(ATTR_END)) or dt_util.utcnow()
    start = _aware(entry, data.get(ATTR_START)) or _beginning(
        end, data[ATTR_PERIOD], zone
    )
    if start >= end:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="end_before_start"
        )
    longest = LONGEST.get(data[ATTR_PERIOD])
    if longest and end - start > longest:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="period_too_long",
            translation_placeholders={"days": str(longest.days)},
        )
    return start, end


def _beginning(end: datetime, period: str, zone: tzinfo) -> datetime:
    """Return the beginning, in UTC, of the day, month or year that ends with `end`."""
    day = start_of_day(end - timedelta.resolution, zone).astimezone(zone)
    if period in ("month", "year"):
        day = day.replace(day=1)
    if period == "year":
        day = day.replace(month=1)
    return dt_util.as_utc(day)


def _aware(entry: ClimkitConfigEntry, time: datetime | None) -> datetime | None:
    """Return a time in UTC; without a time zone it means the site's local time."""
    if time is None:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=entry.runtime_data.site.data.zone)
    return dt_util.as_utc(time)
