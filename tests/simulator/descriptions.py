"""Everything the cloud tells that is not a row of data: sites, meters, sensors, tokens."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .environment import SimulatedSensor
from .local_time import quarter_at_or_after, quarter_at_or_before
from .meters import SimulatedMeter
from .quirks import Quirks
from .site import SimulatedSite


def valid_until(expires: datetime, form: str) -> dict[str, Any]:
    """Return the part of the reply to a log-in that tells when the token expires."""
    milliseconds = int(expires.timestamp() * 1000)
    forms: dict[str, Any] = {
        "date_ms": {"$date": milliseconds},
        "date_iso": {"$date": expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
        "number_long": {"$date": {"$numberLong": str(milliseconds)}},
        "ms": milliseconds,
        "s": milliseconds // 1000,
        "iso": expires.isoformat(),
    }
    return {"valid_until": forms[form]} if form in forms else {}


def installations(sites: Sequence[SimulatedSite], form: str) -> Any:
    """Return the sites of an account, in one of the forms of the quirk."""
    ids = [site.id for site in sites]
    if form == "oid":
        return [{"_id": {"$oid": site_id}} for site_id in ids]
    if form == "wrapped":
        return {"installations": ids}
    return ids if form == "ids" else [{form: site_id} for site_id in ids]


def infos(site: SimulatedSite, quirks: Quirks) -> dict[str, Any]:
    """Return installation_infos of a site."""
    addresses: dict[str, dict[str, Any]] = {
        "documented": {
            "street_name": site.street,
            "street_number": site.street_number,
            "city": site.city,
            "postal_code": site.postal_code,
        },
        "2022": {
            "street_name": site.street,
            "street_number": site.street_number,
            "city_name": site.city,
            "city_ref": site.postal_code,
        },
    }
    local = site.created.astimezone(ZoneInfo(site.time_zone))
    told: dict[str, Any] = {
        "site_ref": f"SIM-{site.id[-4:]}",
        "name": site.name,
        "address": addresses.get(quirks.address),
        "creation_date": local.isoformat(),
        "latitude": site.latitude,
        "longitude": site.longitude,
        "timezone": site.time_zone,
    }
    told |= site.info
    return {key: value for key, value in told.items() if value is not None}


def meters(
    site: SimulatedSite, visible: Collection[str] | None, quirks: Quirks
) -> list[dict[str, Any]]:
    """Return meter_info of a site, only of the visible meters."""
    found = []
    for meter in site.meters:
        listed = visible is None or meter.id in visible
        if listed and meter.id not in quirks.unlisted:
            told = _meter_2022(meter) if quirks.meter_info == "2022" else _meter(meter)
            told |= quirks.meter_fields
            found.append(
                {key: value for key, value in told.items() if value is not None}
            )
    return found


def _meter(meter: SimulatedMeter) -> dict[str, Any]:
    return {
        "id": meter.id,
        "type": meter.type,
        "name": meter.name,
        "mode": meter.mode,
        "prim_ad": meter.prim_ad,
        "is_rule_meter": meter.is_rule_meter,
    }


def _meter_2022(meter: SimulatedMeter) -> dict[str, Any]:
    return {
        "id": meter.id,
        "type": meter.type,
        "prim_ad": str(meter.prim_ad),
        "virtual": meter.is_rule_meter,
    }


def sensors(found: Sequence[SimulatedSensor]) -> list[dict[str, Any]]:
    """Return sensors_list."""
    return [
        {
            "id": sensor.id,
            "name": sensor.name,
            "type": sensor.type,
            "unit": sensor.unit,
            "model": sensor.model,
        }
        for sensor in found
    ]


def readings(
    site: SimulatedSite,
    sensor: SimulatedSensor,
    times: tuple[datetime, datetime] | None,
    quirks: Quirks,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return sensor_data: readings of a window (aware), or the latest one."""
    last = quarter_at_or_before(now) + 1
    first = last - 1
    if times is not None:
        first = max(quarter_at_or_after(times[0]), quarter_at_or_after(site.created))
        last = min(last, quarter_at_or_before(times[1]) + 1)
    if first >= last:
        return []
    scale = 1000 if quirks.sensor_timestamps == "ms" else 1
    return [
        {"timestamp": second * scale, "value": value}
        for second, value in sensor.readings(first, last, site.time_zone)
    ]
