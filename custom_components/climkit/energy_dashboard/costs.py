"""Which costs of ours belong to which rows of the Energy preferences, as plain data.

A row gets the cost of its own energy, and only where the user has set neither a price
nor a cost. Solar rows have no field for money.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
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
    def field(self) -> _Field | None:
        """Return where a row names such a cost; None where no row has money."""
        return _FIELDS.get(self.component)

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row has its energy."""
        return self.field is not None and self.field.energy_of(row) == self.energy

    def fill(self, row: dict[str, Any]) -> bool:
        """Name the cost in a row of its energy that has no money; tell if it was so."""
        is_open = (
            self.field is not None and self.is_of(row) and self.field.is_empty(row)
        )
        if self.field is not None and is_open:
            row[self.field.cost] = self.cost
        return is_open


def shown(
    preferences: Preferences, offers: Iterable[CostOffer]
) -> frozenset[CostOffer]:
    """Return the offers whose energy has a row, whatever money that row has."""
    rows = _entries(preferences, SOURCES)
    return frozenset(offer for offer in offers if any(offer.is_of(row) for row in rows))


def with_costs(preferences: Preferences, offers: Iterable[CostOffer]) -> Preferences:
    """Return the lists that change when empty fields are filled with what is offered."""
    rows = deepcopy(list(_entries(preferences, SOURCES)))
    filled = [offer.fill(row) for offer in offers for row in rows]
    # Not if there are rows that are none: they would get lost.
    whole = len(rows) == len(preferences.get(SOURCES) or ())
    return {SOURCES: rows} if any(filled) and whole else {}
