"""Which cost series a site and its meters have, and what an hour of energy costs.

A cost is a pure function of stored energy and dated tariffs. An hour that lacks a
price has no cost: it is never free by mistake. Zero and negative prices are prices.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from .hours import QUARTER
from .tariff import Component
from .tariffs import Tariffs
from .timeline import HourPrices, PriceTimeline

type Amounts = Mapping[datetime, float]
"""Energy (kWh) or volume (m³) by the start, in UTC, of an hour or a quarter hour."""

CURRENCY: Final = "CHF"

_UNKNOWN: Final = (None,) * 4
"""The quarters of an hour of which none is known."""

FEES: Final = "fees"
"""The kind of the series of monthly fees, which no energy is needed for."""


@dataclass(frozen=True, slots=True)
class CostSeries:
    """One series of money: energy flows and what each is priced by."""

    kind: str
    """Completes statistic ids and unique ids: `{owner}_{kind}`."""
    terms: tuple[tuple[str, Component], ...]
    """The kinds of the flows that it sums up, and the component that prices each."""
    bill: int
    """How it counts on its owner's bill: a cost 1, a compensation -1, and 0 what is no
    payment or a part of another series."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of the flows that it sums up."""
        return tuple(kind for kind, _ in self.terms)

    @property
    def components(self) -> tuple[Component, ...]:
        """Return what prices them, in the same order."""
        return tuple(component for _, component in self.terms)

    def has_price(self, tariffs: Tariffs, meter_id: str | None) -> bool:
        """Return whether some tariff is for it: without one it need not exist."""
        return any(tariffs.has(component, meter_id) for component in self.components)

    def amounts_of(self, by_kind: Mapping[str, Amounts]) -> list[Amounts]:
        """Return what is known of its flows, in the order of its terms."""
        return [by_kind.get(kind, {}) for kind in self.kinds]

    def timelines(self, tariffs: Tariffs, meter_id: str | None) -> list[PriceTimeline]:
        """Return the prices of its terms, in the same order."""
        return [tariffs.timeline(component, meter_id) for component in self.components]

    def flows_of(self, component: Component) -> Iterator[str]:
        """Return the kinds of the flows that a component prices."""
        return (flow for flow, priced_by in self.terms if priced_by is component)


def _cost(flow: str, component: Component, bill: int = 1) -> CostSeries:
    return CostSeries(f"{flow}_cost", ((flow, component),), bill)


SITE_COSTS: Final = (
    _cost("grid_import", Component.GRID),
    CostSeries(
        "grid_export_compensation", (("grid_export", Component.FEED_IN),), bill=-1
    ),
    CostSeries(
        "self_consumption_value", (("self_consumption", Component.SOLAR),), bill=0
    ),
    _cost("heating", Component.HEATING),
    _cost("cooling", Component.COOLING),
    _cost("cold_water", Component.COLD_WATER),
    _cost("hot_water", Component.HOT_WATER),
)
"""What a site can have. Charge points are a part of its electricity."""

_SHARED_WITH_SUN: Final = (
    _cost("grid_consumption", Component.GRID, bill=0),
    _cost("solar_consumption", Component.SOLAR, bill=0),
    CostSeries(
        "consumption_cost",
        (
            ("grid_consumption", Component.GRID),
            ("solar_consumption", Component.SOLAR),
        ),
        bill=1,
    ),
)

METER_COSTS: Final[dict[str, tuple[CostSeries, ...]]] = {
    "electricity": _SHARED_WITH_SUN,
    "charge_point": _SHARED_WITH_SUN,
    "heating": (_cost("consumption", Component.HEATING),),
    "cooling": (_cost("consumption", Component.COOLING),),
    "cold_water": (_cost("consumption", Component.COLD_WATER),),
    "hot_water": (_cost("consumption", Component.HOT_WATER),),
}
"""What a meter can have, by its medium."""


FEE_SERIES: Final = CostSeries(FEES, (), bill=1)
"""The monthly fees of an owner, spread over the hours."""


def site_costs(flows: Collection[str]) -> Iterator[CostSeries]:
    """Yield the cost series of a site that has these kinds of flows."""
    return _possible(SITE_COSTS, flows)


def meter_costs(medium: str, flows: Collection[str]) -> Iterator[CostSeries]:
    """Yield the cost series of a meter of that medium with these kinds of flows."""
    return _possible(METER_COSTS.get(medium, ()), flows)


def priced_parts(
    energy: float, quarters: Sequence[float | None], prices: HourPrices
) -> Iterable[tuple[float, float]]:
    """Return how much of an hour's energy was at which price; nothing without one.

    What is not in a known quarter is divided evenly among those that are unknown, or,
    if all are known (and were rounded each for itself), among all four. Nothing is
    scaled: energies have signs, and quarters may add up to 0.
    """
    if prices.mean is None:
        return ()
    if prices.alike:
        return ((energy, prices.mean),)
    four = [price for price in prices.quarters if price is not None]
    return zip(_divided(energy, quarters), four, strict=True)


def _divided(energy: float, quarters: Sequence[float | None]) -> list[float]:
    """Return what of an hour's energy was in each of its quarters."""
    known = [part for part in quarters if part is not None]
    rest = energy - sum(known)
    if len(known) == 4:
        return [part + rest / 4 for part in known]
    share = rest / (4 - len(known))
    return [share if part is None else part for part in quarters or _UNKNOWN]


def quarters_of(hour: datetime, quarters: Amounts) -> list[float | None]:
    """Return the four quarters of an hour, None where one is not known."""
    return [quarters.get(hour + i * QUARTER) for i in range(4)] if quarters else []


def costs_of_hours(
    energies: Amounts,
    quarters: Amounts,
    prices_of: Callable[[datetime], HourPrices],
) -> dict[datetime, float]:
    """Return the costs of hours in CHF, without those that lack a price.

    `quarters` has what is known of their quarters; what is not is divided by time.
    `prices_of` is a component's `PriceTimeline.hour_prices`.
    """
    costs = {}
    for hour, energy in energies.items():
        prices = prices_of(hour)
        if prices.mean is None:
            continue
        if prices.alike or not quarters:  # nearly always: years come by the hour
            costs[hour] = energy * prices.mean
        else:
            parts = priced_parts(energy, quarters_of(hour, quarters), prices)
            costs[hour] = sum(part * price for part, price in parts)
    return costs


def costs_of_series(
    series: CostSeries,
    energies: Mapping[str, Amounts],
    quarters: Mapping[str, Amounts],
    tariffs: Tariffs,
    meter_id: str | None,
) -> dict[datetime, float]:
    """Return the costs of a series by hour; energies and quarters by kind of flow.

    A sum needs the energy of all its flows and has no cost where one of them lacks
    its price; but a flow without energy costs nothing at whatever price, so that a
    house without the sun needs no price of it.
    """
    known = series.amounts_of(energies)
    lines = series.timelines(tariffs, meter_id)
    costs = [
        costs_of_hours(amounts, some, line.hour_prices)
        for amounts, some, line in zip(
            known, series.amounts_of(quarters), lines, strict=True
        )
    ]
    return together(known, costs)


def costs_of_quarters(
    series: CostSeries,
    energies: Mapping[str, Amounts],
    tariffs: Tariffs,
    meter_id: str | None,
) -> dict[datetime, float]:
    """Return the costs of a series by quarter hour, otherwise as `costs_of_series`."""
    known = series.amounts_of(energies)
    lines = series.timelines(tariffs, meter_id)
    costs = [
        at_prices(amounts, line.price_at)
        for amounts, line in zip(known, lines, strict=True)
    ]
    return together(known, costs)


def at_prices(
    amounts: Amounts, price_at: Callable[[datetime], float | None]
) -> dict[datetime, float]:
    """Return what amounts cost, by their start, without those that have no price."""
    return {
        start: amount * price
        for start, amount in amounts.items()
        if (price := price_at(start)) is not None
    }


def together(
    energies: Sequence[Amounts], costs: Sequence[Amounts]
) -> dict[datetime, float]:
    """Return the costs of several flows together, each with its energies and costs.

    Only where all energies are known, none of them lacks its price, and one has it.
    """
    if len(costs) == 1:
        return dict(costs[0])
    unpriced = map(_unpriced, energies, costs, strict=True)
    priced: set[datetime] = set().union(*costs)
    starts = priced.intersection(*energies).difference(*unpriced)
    return {
        start: sum(cost.get(start, 0.0) for cost in costs) for start in sorted(starts)
    }


def _unpriced(energies: Amounts, costs: Amounts) -> Iterable[datetime]:
    """Return when there was energy that has no price."""
    return (start for start in energies.keys() - costs.keys() if energies[start])


def _possible(
    table: Collection[CostSeries], flows: Collection[str]
) -> Iterator[CostSeries]:
    for series in table:
        if set(flows).issuperset(series.kinds):
            yield series
