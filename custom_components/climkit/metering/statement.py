"""The bill of a period: what was used at which price, the fees, and the total."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from .costs import Amounts, CostSeries, priced_parts, quarters_of
from .tariff import Component
from .tariffs import Tariffs
from .timeline import HourPrices

_DECIMALS: Final = 6
"""Of a price: what differs by less is one price that was calculated."""


@dataclass(frozen=True, slots=True)
class Item:
    """What was used, or fed in, at one price."""

    component: Component
    price: float
    """In CHF per unit."""
    amount: float
    unit: str
    cost: float
    """In CHF; a compensation is negative."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A bill, in CHF, VAT included; nothing is rounded."""

    items: tuple[Item, ...]
    """By component, the highest price first."""
    fees: float
    total: float
    """The costs of all items, and the fees."""
    unpriced_hours: int
    """Hours in which some energy has no price: it is not in the items."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for a script: amounts to the Wh, money to the hundredth of a Rappen."""
        return {
            "items": [
                {
                    "component": item.component.value,
                    "price": item.price,
                    "amount": round(item.amount, 3),
                    "unit": item.unit,
                    "cost": round(item.cost, 4),
                }
                for item in self.items
            ],
            "fees": round(self.fees, 4),
            "total": round(self.total, 4),
            "unpriced_hours": self.unpriced_hours,
        }


def statement(
    series: Iterable[CostSeries],
    energies: Mapping[str, Amounts],
    quarters: Mapping[str, Amounts],
    tariffs: Tariffs,
    meter_id: str | None,
    *,
    start: datetime,
    end: datetime,
) -> Statement:
    """Return the bill of the hours that begin in [start, end).

    `series` are the owner's; those that are no payments are passed over. `energies`
    (by hour) and `quarters` (as far as known) are by kind of flow, and may have more
    than the period. An hour with two prices is divided as its quarters were, or else
    by time. `end` is not in the future, or fees are counted that are not due yet.
    """
    sums: dict[tuple[Component, float], tuple[float, float]] = {}
    unpriced: set[datetime] = set()
    for flow, component, sign in _lines(series):
        prices_of = tariffs.timeline(component, meter_id).hour_prices
        used = _within(energies.get(flow, {}), start, end)
        prices = {hour: prices_of(hour) for hour in used}
        unpriced |= _unpriced(used, prices)
        for part, price in _parts(used, quarters.get(flow, {}), prices):
            key = component, round(price, _DECIMALS)
            amount, cost = sums.get(key, (0.0, 0.0))
            sums[key] = amount + part, cost + sign * part * price
    items = _items(sums)
    fees = sum(tariffs.fees(meter_id, start, end).values())
    total = sum(item.cost for item in items) + fees
    return Statement(items, fees, total, len(unpriced))


def _lines(series: Iterable[CostSeries]) -> Iterator[tuple[str, Component, int]]:
    """Yield what is on the bill: flow, component and sign."""
    for each in series:
        if each.bill:
            for flow, component in each.terms:
                yield flow, component, each.bill


def _within(amounts: Amounts, start: datetime, end: datetime) -> Amounts:
    """Return the amounts of a period."""
    return {hour: amount for hour, amount in amounts.items() if start <= hour < end}


def _unpriced(amounts: Amounts, prices: Mapping[datetime, HourPrices]) -> set[datetime]:
    """Return the hours in which something was used that has no price."""
    without = (hour for hour, its_prices in prices.items() if its_prices.mean is None)
    return {hour for hour in without if amounts[hour]}


def _parts(
    amounts: Amounts, quarters: Amounts, prices: Mapping[datetime, HourPrices]
) -> Iterator[tuple[float, float]]:
    """Yield how much was at which price."""
    for hour, amount in amounts.items():
        yield from priced_parts(amount, quarters_of(hour, quarters), prices[hour])


def _items(
    sums: Mapping[tuple[Component, float], tuple[float, float]],
) -> tuple[Item, ...]:
    order = list(Component)
    return tuple(
        Item(component, price, amount, component.unit, cost)
        for (component, price), (amount, cost) in sorted(
            sums.items(), key=lambda item: (order.index(item[0][0]), -item[0][1])
        )
    )
