"""What counts twice in the Energy preferences, and how it can be taken out."""

from collections.abc import Mapping, Sequence
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
    return {
        name: _all_without(_entries(preferences, name), sensor, twice)
        for name in LISTS
        if sensor in (twice := _doubled(preferences, name, pairs))
    }


def _all_without(
    entries: Sequence[dict[str, Any]], sensor: str, twice: set[str]
) -> list[dict[str, Any]]:
    if any(entry.get("included_in_stat") == sensor for entry in entries):
        raise SharedSourceError
    kept = (_without(entry, sensor, twice) for entry in entries)
    return [entry for entry in kept if entry is not None]


def _without(
    entry: dict[str, Any], sensor: str, twice: set[str]
) -> dict[str, Any] | None:
    """Return what stays of an entry without a sensor, or None if it goes."""
    keys = [key for key in COUNTED if entry.get(key) == sensor]
    if not keys:
        return deepcopy(entry)
    if _CONSUMPTION in keys or not _means_more(entry, twice):
        return None
    if entry.get("type") != "grid":
        raise SharedSourceError
    return deepcopy(entry) | dict.fromkeys(keys)


def _means_more(entry: dict[str, Any], twice: set[str]) -> bool:
    """Return whether an entry has anything but what counts twice."""
    counted = {key for key in COUNTED if entry.get(key) in twice}
    empty = {key for key, value in entry.items() if value in (None, [])}
    return bool(entry.keys() - _GOES_WITH_IT - counted - empty)


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
