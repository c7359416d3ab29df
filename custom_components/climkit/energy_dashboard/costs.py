"""Which costs of ours belong to which rows of the Energy preferences, as plain data.

A row gets the cost of its own energy, and only where the user has set neither a price
nor a cost. Solar rows have no field for money.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from ..metering.tariff import Component
from .additions import (
    _FROM,
    _NO_COMPENSATION,
    _NO_PRICE,
    _TO,
    SOURCES,
    Preferences,
    _entries,
)


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a row of some type names the cost of its energy."""

    type: str
    energy: str
    """The key of the energy's statistic."""
    cost: str
    others: frozenset[str]
    """The keys that must all be empty, that of the cost among them."""

    def energy_of(self, row: Mapping[str, Any]) -> object:
        """Return the energy of a row of its type."""
        return row.get(self.energy) if row.get("type") == self.type else None

    def is_empty(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row has neither price nor cost."""
        return all(row.get(key) is None for key in self.others)


_GRID: Final = _Field("grid", _FROM, "stat_cost", frozenset(_NO_PRICE))
_EXPORT: Final = _Field("grid", _TO, "stat_compensation", frozenset(_NO_COMPENSATION))
_WATER: Final = _Field("water", _FROM, "stat_cost", frozenset(_NO_PRICE))
_NO_FIELD: Final = _Field("", "", "", frozenset())
"""No row is of its type: where a row has no money, as of the sun."""

_FIELDS: Final[Mapping[Component, _Field]] = {
    Component.GRID: _GRID,
    Component.FEED_IN: _EXPORT,
    Component.COLD_WATER: _WATER,
    Component.HOT_WATER: _WATER,
}


@dataclass(frozen=True, slots=True)
class CostOffer:
    """A cost statistic, and the one statistic of the energy or water that it prices."""

    component: Component
    energy: str
    cost: str

    @property
    def field(self) -> _Field:
        """Return where a row names such a cost."""
        return _FIELDS.get(self.component, _NO_FIELD)

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row has its energy."""
        return self.field.energy_of(row) == self.energy

    def fill(self, row: dict[str, Any]) -> None:
        """Name the cost in a row, if that is of its energy and has no money."""
        if self.is_of(row) and self.field.is_empty(row):
            row[self.field.cost] = self.cost


def shown(
    preferences: Preferences, offers: Iterable[CostOffer]
) -> frozenset[CostOffer]:
    """Return the offers whose energy has a row, whatever money that row has."""
    pairs = product(offers, _entries(preferences, SOURCES))
    return frozenset(offer for offer, row in pairs if offer.is_of(row))


def with_costs(preferences: Preferences, offers: Iterable[CostOffer]) -> Preferences:
    """Return the lists that change when empty fields are filled with what is offered."""
    rows = list(_entries(preferences, SOURCES))
    if rows != preferences.get(SOURCES):
        return {}  # there are rows that are none: they would get lost
    filled = deepcopy(rows)
    for offer, row in product(offers, filled):
        offer.fill(row)
    return {SOURCES: filled} if filled != rows else {}
