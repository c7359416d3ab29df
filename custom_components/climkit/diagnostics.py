"""Diagnostics: how things stand and what the cloud is like, but nothing of anybody.

No name, address, credential or measured value. Ids become pseudonyms, which stay the
same from report to report.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .api import ClimkitAccessError, ClimkitResponseError, Meter
from .const import CONF_HOME, CONF_METERS, CONF_OFFERED, CONF_SITE, HOME_NONE, HOME_SITE
from .entities.measurands import measurand_of
from .reading.live_coordinator import LiveCoordinator
from .reading.refusals import together
from .runtime import ClimkitConfigEntry

DAY: Final = timedelta(days=1)

NO_IDS: Final = (None, HOME_NONE, HOME_SITE)
"""Choices for the dashboard that name nobody."""


FACTS: Final[dict[type[BaseException], tuple[str, ...]]] = {
    ClimkitAccessError: ("endpoint", "status"),
    ClimkitResponseError: ("endpoint", "status", "reason"),
}
"""What errors of the client have beside their texts."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ClimkitConfigEntry
) -> dict[str, Any]:
    """Return what helps to understand a problem with a site."""
    data = entry.runtime_data
    return {
        "options": _options(entry.options),
        "site": _site(entry),
        "meters": {pseudonym(m.id): _meter(entry, m) for m in data.site.data.meters},
        "sensors": _sensors(entry),
        "requests_last_hour": data.client.queue.requests_last_hour,
        "coordinators": {
            "site": _coordinator(data.site),
            "live": _readings(data.live[0]),
            "daily": _readings(data.live[1]),
            "environment": _coordinator(data.environment),
            "registers": _coordinator(data.registers),
        },
        "source": {
            "refused": _sources(entry, data.reader.refusals.refused),
            "silent": _sources(entry, data.reader.refusals.resting),
            "limits": _limits(entry),
        },
        "history": _history(entry),
        "shape": data.client.observations.as_dict(),
    }


def pseudonym(id_: str) -> str:
    """Return what stands for an id: always the same, and telling nothing of it."""
    return f"id-{sha256(id_.encode()).hexdigest()[:8]}"


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    home = options.get(CONF_HOME)
    return {
        CONF_METERS: [*map(pseudonym, options.get(CONF_METERS, ()))],
        CONF_OFFERED: [*map(pseudonym, options.get(CONF_OFFERED, ()))],
        CONF_HOME: home if home in NO_IDS else pseudonym(home),
    }


def _site(entry: ClimkitConfigEntry) -> dict[str, Any]:
    info = entry.runtime_data.site.data
    return {
        "id": pseudonym(entry.data[CONF_SITE]),
        "time_zone": info.site.time_zone,
        "is_created_known": info.site.created is not None,
        "beginning": info.beginning.isoformat(),
        "media": list(info.media),
    }


def _meter(entry: ClimkitConfigEntry, meter: Meter) -> dict[str, Any]:
    return {
        "type": meter.type,
        "mode": meter.mode,
        "prim_ad": meter.prim_ad,
        "is_rule_meter": meter.is_rule_meter,
        "is_chosen": meter in entry.runtime_data.site.data.chosen,
    }


def _sensors(entry: ClimkitConfigEntry) -> dict[str, Any] | None:
    """Return the cloud's words for what sensors measure, and what they are taken for."""
    sensors = entry.runtime_data.environment.sensors
    if sensors is None:
        return None
    return {
        pseudonym(sensor.id): {
            "type": sensor.type,
            "unit": sensor.unit,
            "model": sensor.model,
            "device_class": measurand_of(sensor).device_class,
        }
        for sensor in sensors
    }


def _coordinator(coordinator: DataUpdateCoordinator[Any]) -> dict[str, Any]:
    return {
        "last_update_success": coordinator.last_update_success,
        "update_interval": _seconds(coordinator.update_interval),
        "last_error": _error(coordinator.last_exception),
    }


def _error(error: BaseException | None) -> dict[str, Any] | None:
    """Return an error by its type and reason: a text could name somebody."""
    if error is None:
        return None
    told: dict[str, Any] = {"type": type(error).__name__, **_facts(error)}
    if error.__cause__:
        told["cause"] = _error(error.__cause__)
    return told


def _facts(error: BaseException) -> dict[str, Any]:
    """Return what an error has of facts that name nobody."""
    facts: dict[str, Any] = {}
    if key := getattr(error, "translation_key", None):
        facts["key"] = key
    return facts | {name: getattr(error, name) for name in FACTS.get(type(error), ())}


def _readings(coordinator: LiveCoordinator) -> dict[str, Any]:
    """Return how far the readings of some media have come, without their values."""
    now = dt_util.utcnow()
    data = coordinator.data
    return {
        **_coordinator(coordinator),
        "media": list(coordinator.media),
        "failing": sorted(coordinator.failing),
        "missing": sorted(map(pseudonym, coordinator.missing)),
        "publication_delay": _seconds(coordinator.publication_delay),
        "age_of_newest": (now - data.newest).total_seconds() if data.newest else None,
        "quarters": {
            f"{pseudonym(flow.owner_id)} {flow.kind}": len(quarters)
            for flow, quarters in data.quarters.items()
        },
    }


def _sources(entry: ClimkitConfigEntry, some: Iterable[str]) -> list[str]:
    """Return media by their names, which name nobody, and meters by their pseudonyms."""
    media = entry.runtime_data.site.data.media
    named = {*media, *map(together, media)}
    return sorted(what if what in named else pseudonym(what) for what in some)


def _limits(entry: ClimkitConfigEntry) -> dict[str, Any]:
    """Return what was learned of the cloud: lengths in days, depths as dates."""
    limits = entry.runtime_data.reader.limits
    told = {}
    for key, limit in limits.kinds.items():
        resolution, who = key.split(" ", 1)
        told[f"{resolution} {_sources(entry, [who])[0]}"] = {
            "longest": _days(limit.length),
            "refused": _days(limit.refused),
            "depth": _iso(limit.depth),
            "whole_rows": limit.whole,
        }
    return told


def _history(entry: ClimkitConfigEntry) -> dict[str, Any]:
    data = entry.runtime_data
    statistics = data.statistics
    return {
        "percent": data.history.data,
        **data.history.reconciler.report(),
        "flows": {
            f"{pseudonym(flow.owner_id)} {flow.kind}": {
                "until": _iso(statistics.until(flow)),
                "newest_row": _iso(statistics.newest(flow)),
            }
            for flow in data.site.data.flows
            if statistics.is_open(flow)
        },
    }


def _seconds(length: timedelta | None) -> float | None:
    return length.total_seconds() if length else None


def _days(length: timedelta | None) -> float | None:
    return length / DAY if length else None


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
