"""What counts twice in the Energy preferences, and how it can be taken out."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from .additions import (
    _CONSUMPTION,
    _NO_COMPENSATION,
    _NO_PRICE,
    COUNTED,
    LISTS,
    Preferences,
    _entries,
)

_GOES_WITH_IT: Final = frozenset(
    {"type", "name", "cost_adjustment_day", *_NO_PRICE, *_NO_COMPENSATION}
)
"""Keys of a source that mean nothing without the statistic that they belong to."""


class SharedSourceError(Exception):
    """An entry cannot be removed without something that is not ours."""


def doubled(preferences: Preferences, pairs: Mapping[str, str]) -> set[str]:
    """Return the sensors that count beside their own statistic; `pairs` has each one's.

    A source and a device are not the same: the device shows what the source is used
    for. So it is twice only within one list.
    """
    return set().union(*(_doubled(preferences, name, pairs) for name in LISTS))


def without(
    preferences: Preferences, sensor: str, pairs: Mapping[str, str]
) -> Preferences:
    """Return the lists that change when a sensor goes that is there twice.

    Its entry goes. A grid connection with other content keeps that and loses the
    sensor only. Raises OtherContentError where neither is possible.
    """
    changed = {}
    for name in LISTS:
        twice = _doubled(preferences, name, pairs)
        if sensor not in twice:
            continue
        entries = _entries(preferences, name)
        if any(entry.get("included_in_stat") == sensor for entry in entries):
            raise SharedSourceError
        kept = [_without(entry, sensor, twice) for entry in entries]
        changed[name] = [entry for entry in kept if entry is not None]
    return changed


def _without(
    entry: dict[str, Any], sensor: str, twice: set[str]
) -> dict[str, Any] | None:
    """Return what stays of an entry without a sensor, or None if it goes."""
    keys = [key for key in COUNTED if entry.get(key) == sensor]
    if not keys:
        return deepcopy(entry)
    others = {
        key
        for key, value in entry.items()
        if key not in _GOES_WITH_IT
        and value not in (None, [])
        and not (key in COUNTED and value in twice)
    }
    if _CONSUMPTION in keys or not others:
        return None
    if entry.get("type") != "grid":
        raise SharedSourceError
    return deepcopy(entry) | dict.fromkeys(keys)


def _doubled(preferences: Preferences, name: str, pairs: Mapping[str, str]) -> set[str]:
    counted = {
        entry[key]
        for entry in _entries(preferences, name)
        for key in COUNTED
        if isinstance(entry.get(key), str)
    }
    return {
        sensor
        for sensor, statistic in pairs.items()
        if sensor in counted and statistic in counted
    }
