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


def shown(
    preferences: Preferences, offers: Iterable[CostOffer]
) -> frozenset[CostOffer]:
    """Return the offers whose energy has a row, whatever money that row has."""
    rows = _entries(preferences, SOURCES)
    return frozenset(
        offer for offer in offers if any(_is_row(row, offer) for row in rows)
    )


def with_costs(preferences: Preferences, offers: Iterable[CostOffer]) -> Preferences:
    """Return the lists that change when empty fields are filled with what is offered."""
    rows = deepcopy(list(_entries(preferences, SOURCES)))
    filled = False
    for offer in offers:
        field = _FIELDS.get(offer.component)
        for row in rows:
            if field and _is_row(row, offer) and _is_empty(row, field):
                row[field.cost] = offer.cost
                filled = True
    # Not if there are rows that are none: they would get lost.
    whole = len(rows) == len(preferences.get(SOURCES) or ())
    return {SOURCES: rows} if filled and whole else {}


def _is_row(row: Mapping[str, Any], offer: CostOffer) -> bool:
    field = _FIELDS.get(offer.component)
    return (
        field is not None
        and row.get("type") == field.type
        and row.get(field.energy) == offer.energy
    )


def _is_empty(row: Mapping[str, Any], field: _Field) -> bool:
    return all(row.get(key) is None for key in field.others)
