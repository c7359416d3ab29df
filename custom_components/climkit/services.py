"""Actions: fetch the history again, and give the readings of a period to a script."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from http import HTTPStatus
from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    selector,
    service,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .api import ClimkitAccessError, Resolution
from .const import DOMAIN
from .metering.calendar import start_of_day
from .metering.flows import Flow
from .reading.errors import home_assistant_errors
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
    """Fetch the history again from `start`, or all of it, and reconcile."""
    entry = _entry_of(call)
    with home_assistant_errors(entry.title):
        await entry.runtime_data.history.async_import_again(
            _aware(entry, call.data.get(ATTR_START))
        )


async def _async_get_readings(call: ServiceCall) -> ServiceResponse:
    """Return the amounts of the site's flows, or of a meter's, by interval."""
    entry = _entry_of(call)
    flows = _flows_of(call.hass, entry, call.data.get(ATTR_METER))
    start, end = _period_of(entry, call.data)
    period = call.data[ATTR_PERIOD]
    zone = entry.runtime_data.site.data.zone
    readings: dict[str, Any] = {}
    reader = entry.runtime_data.reader
    with home_assistant_errors(entry.title):
        for medium in dict.fromkeys(flow.medium for flow in flows):
            reply = await reader.async_read(medium, flows, PERIODS[period], start, end)
            for flow in flows:
                if err := reply.missing.get(flow.meter_id or ""):
                    raise err
                if flow.medium != medium:
                    continue
                amounts = reply.of(flow)
                if not amounts and not reader.gives(flow):  # so it was not asked for
                    raise ClimkitAccessError("meter_data", HTTPStatus.FORBIDDEN)
                readings[flow.kind] = _series_of(flow, amounts, zone)
    return {
        "period": period,
        "start": _text(start, zone),
        "end": _text(end, zone),
        "readings": readings,
    }


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
) -> list[Flow]:
    """Return the flows of the site, or of a meter given by its id or its device's."""
    owner = meter or entry.runtime_data.site.data.site.id
    name = meter or entry.title
    if meter and (device := dr.async_get(hass).async_get(meter)):
        name = device.name_by_user or device.name or meter
        owner = next(
            (id_ for domain, id_ in device.identifiers if domain == DOMAIN), ""
        )
    flows = list(entry.runtime_data.site.data.flows_of(owner))
    if not flows:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_meter",
            translation_placeholders={"meter": name, "site": entry.title},
        )
    return flows


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
