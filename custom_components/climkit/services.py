"""Actions: fetch the history again, and give the readings of a period to a script."""

from collections.abc import Mapping
from datetime import datetime, timedelta
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

from .api import Resolution
from .const import DOMAIN
from .errors import home_assistant_errors
from .flows import Flow
from .metering import start_of_day
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
IMPORT_HISTORY_SCHEMA: Final = vol.Schema(
    {**_ENTRY, vol.Optional(ATTR_START): cv.datetime}
)
GET_READINGS_SCHEMA: Final = vol.Schema(
    {
        **_ENTRY,
        vol.Optional(ATTR_METER): cv.string,
        vol.Optional(ATTR_START): cv.datetime,
        vol.Optional(ATTR_END): cv.datetime,
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
    readings: dict[str, Any] = {}
    with home_assistant_errors(entry.title):
        for medium in dict.fromkeys(flow.medium for flow in flows):
            reply = await entry.runtime_data.source.async_read(
                medium, flows, PERIODS[period], start, end
            )
            for flow in flows:
                if flow.medium == medium:
                    readings[flow.kind] = {
                        "unit": flow.unit,
                        "values": [
                            {"start": begin.isoformat(), "value": amount}
                            for begin, amount in reply.of(flow).items()
                        ],
                    }
    return {"period": period, "start": start.isoformat(), "readings": readings}


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
    if meter and (device := dr.async_get(hass).async_get(meter)):
        owner = next(
            (id_ for domain, id_ in device.identifiers if domain == DOMAIN), meter
        )
    flows = [
        flow
        for coordinator in entry.runtime_data.live
        for flow in coordinator.flows
        if flow.owner_id == owner
    ]
    if not flows:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_meter",
            translation_placeholders={"meter": str(meter), "site": entry.title},
        )
    return flows


def _period_of(
    entry: ClimkitConfigEntry, data: Mapping[str, Any]
) -> tuple[datetime, datetime]:
    """Return the period asked for; from today's beginning till now if none is given."""
    now = dt_util.utcnow()
    info = entry.runtime_data.site.data
    end = _aware(entry, data.get(ATTR_END)) or now
    start = _aware(entry, data.get(ATTR_START)) or start_of_day(end, info.zone)
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


def _aware(entry: ClimkitConfigEntry, time: datetime | None) -> datetime | None:
    """Return a time in UTC; without a time zone it means the site's local time."""
    if time is None:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=entry.runtime_data.site.data.zone)
    return dt_util.as_utc(time)
