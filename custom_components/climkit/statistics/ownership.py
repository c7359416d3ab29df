"""Who writes which statistics: one entry each, and no two owners under one id.

A meter may be listed in two sites (a house, and the community it belongs to): whichever
entry came first writes it, and the other leaves it alone until the first is gone. Two
ids of the cloud may differ by what an id of ours can't hold (`Ab-1`, `ab_1`): whoever
has no rows yet gets an id with an addition of its own, for ever.
"""

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import filterfalse
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import slugify
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..metering.flows import Flow
from .metadata import statistic_id


@dataclass(slots=True)
class _Member:
    """One entry, and what its statistics are about."""

    changed: Callable[[], None]
    labels: Mapping[str, str] = field(default_factory=dict)
    """By owner: what people call it."""
    owners: frozenset[str] = frozenset()
    """Owners whose statistics it writes."""


class StatisticOwners:
    """What the entries of this Home Assistant agree upon."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin without entries."""
        self._hass = hass
        self._members: dict[str, _Member] = {}
        self._first: dict[str, str] = {}
        self._second: set[str] = set()
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed)

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Let others have what an entry wrote that is gone, or disabled."""
        if entry.domain == DOMAIN and not self._may_come(entry.entry_id):
            self._tell_others(entry.entry_id)

    def _may_come(self, entry_id: str) -> bool:
        entry = self._hass.config_entries.async_get_entry(entry_id)
        return entry is not None and not entry.disabled_by

    @callback
    def join(
        self, entry_id: str, second: Iterable[str], changed: Callable[[], None]
    ) -> None:
        """Take in an entry; `changed` is called when it may have to do with others.

        `second` are owners that were found to have the slug of another.
        """
        self._members[entry_id] = _Member(changed)
        self._second |= set(second)

    @callback
    def leave(self, entry_id: str) -> None:
        """Let an entry go; what it wrote is kept for it as long as it may come back."""
        if self._members.pop(entry_id, None):
            self._tell_others(entry_id)

    @callback
    def claim(
        self,
        entry_id: str,
        owners: Collection[str],
        labels: Mapping[str, str],
        before: Mapping[str, str],
    ) -> dict[str, str]:
        """Claim owners for an entry; return those of others, and whose they are.

        `before` are those that were another's when they were last asked for, be it
        before a restart: that one keeps them if it is yet to come.
        """
        taken = self._taken(entry_id, before)
        foreign = {owner: taken[owner] for owner in taken.keys() & set(owners)}
        member = self._members[entry_id]
        own = frozenset(owners) - foreign.keys()
        if (member.labels, member.owners) != (labels, own):
            member.labels, member.owners = dict(labels), own
            self._tell_others(entry_id)
        return foreign

    def _taken(self, entry_id: str, before: Mapping[str, str]) -> dict[str, str]:
        """Return the owners that others than an entry have, or had and may come back for.

        By owner, which entry it is.
        """
        held = {
            owner: id_
            for id_, member in self._others(entry_id)
            for owner in member.owners
        }
        here = {entry_id, *held.values()}
        awaited = set(filter(self._may_come, set(before.values()) - here))
        kept = {owner: id_ for owner, id_ in before.items() if id_ in awaited}
        return kept | held

    def _others(self, entry_id: str) -> list[tuple[str, _Member]]:
        return [item for item in self._members.items() if item[0] != entry_id]

    def _tell_others(self, entry_id: str) -> None:
        for _, member in self._others(entry_id):
            member.changed()

    @callback
    def settle(self, owners: Iterable[str]) -> frozenset[str]:
        """Return which of some owners came second to their slug: once so, for ever."""
        owners = tuple(owners)
        for owner in filterfalse(self._second.__contains__, owners):
            first = self._first.setdefault(slugify(owner), owner)
            if first != owner:
                self._second.add(owner)
        return frozenset(self._second.intersection(owners))

    def statistic_id(self, flow: Flow) -> str:
        """Return the id of a flow's statistic."""
        return statistic_id(flow, second=flow.owner_id in self._second)

    def labels_beside(self, own: Container[str]) -> dict[str, str]:
        """Return what others than these owners are called, by owner."""
        return {
            owner: label
            for member in self._members.values()
            for owner, label in member.labels.items()
            if owner not in own
        }


_OWNERS: Final[HassKey[StatisticOwners]] = HassKey(f"{DOMAIN}_statistic_owners")


@callback
def async_owners(hass: HomeAssistant) -> StatisticOwners:
    """Return what the entries of this Home Assistant agree upon."""
    if _OWNERS not in hass.data:
        hass.data[_OWNERS] = StatisticOwners(hass)
    return hass.data[_OWNERS]
