"""What counts twice in the Energy preferences, and how it can be taken out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any, Final

from .additions import (
    _CONSUMPTION,
    _NO_COMPENSATION,
    _NO_PRICE,
    COUNTED,
    LISTS,
    Preferences,
    _entries,
    _texts,
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
    return list(
        chain.from_iterable(_without(entry, sensor, twice) for entry in entries)
    )


def _without(
    entry: dict[str, Any], sensor: str, twice: set[str]
) -> Iterator[dict[str, Any]]:
    """Yield what stays of an entry without a sensor; nothing if it goes."""
    keys = _keys_of(entry, (sensor,))
    if not keys:
        yield deepcopy(entry)
    elif _CONSUMPTION not in keys and _means_more(entry, twice):
        if entry.get("type") != "grid":
            raise SharedSourceError
        yield deepcopy(entry) | dict.fromkeys(keys)


def _means_more(entry: dict[str, Any], twice: set[str]) -> bool:
    """Return whether a source has anything but what counts twice."""
    empty = {key for key, value in entry.items() if value in (None, [])}
    return bool(entry.keys() - _GOES_WITH_IT - _keys_of(entry, twice) - empty)


def _keys_of(entry: dict[str, Any], some: Collection[str]) -> set[str]:
    """Return the keys by which an entry has some statistics added up."""
    return {key for key in COUNTED if entry.get(key) in some}


def _doubled(preferences: Preferences, name: str, pairs: Mapping[str, str]) -> set[str]:
    entries = _entries(preferences, name)
    counted = set(_texts([entry.get(key) for entry in entries for key in COUNTED]))
    return {sensor for sensor, own in pairs.items() if {sensor, own} <= counted}
