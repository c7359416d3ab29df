"""What a period has cost until now: its stored hours, and the quarter hours since."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import fsum

from .costs import Amounts, CostSeries
from .hours import HOUR, QUARTER, hour_of
from .present import STALE
from .tariffs import Tariffs
from .timeline import PriceTimeline

type _Term = tuple[Amounts, PriceTimeline]
"""The newest energies of a flow by quarter hour, and their prices."""


def cost_since(
    series: CostSeries,
    meter_id: str | None,
    tariffs: Tariffs,
    *,
    stored: Amounts,
    quarters: Mapping[str, Amounts],
    start: datetime,
    now: datetime,
) -> float | None:
    """Return what a series has cost since `start`, in CHF; None if that is not known.

    `stored` has the costs of hours, `quarters` the newest energies by kind of flow.
    An hour that is stored is not counted by its quarters again.
    """
    terms = [
        (quarters.get(kind, {}), tariffs.timeline(component, meter_id))
        for kind, component in series.terms
    ]
    known = _known(terms)
    new = _beside(stored, (begin for begin in known if begin >= start))
    costs = [cost for hour, cost in stored.items() if hour >= start]
    costs.extend(_given(_cost_of_quarter(begin, terms, now) for begin in new))
    if costs:
        return fsum(costs)
    # Shortly after midnight nothing of the day is published yet.
    return 0.0 if not new and _is_fresh(known, now) else None


def _known(terms: Sequence[_Term]) -> set[datetime]:
    """Return the quarter hours of which the energy of all flows is known."""
    return set.intersection(*(set(flow) for flow, _ in terms)) if terms else set()


def _beside(stored: Amounts, quarters: Iterable[datetime]) -> list[datetime]:
    """Return the quarter hours whose hour is not stored."""
    return [begin for begin in quarters if hour_of(begin) not in stored]


def _given(costs: Iterable[float | None]) -> Iterator[float]:
    return (cost for cost in costs if cost is not None)


def _is_fresh(known: Collection[datetime], now: datetime) -> bool:
    return bool(known) and now - max(known) - QUARTER < STALE


def _cost_of_quarter(
    begin: datetime, terms: Sequence[_Term], now: datetime
) -> float | None:
    """Return what a quarter hour costs; None where energy lacks its price, or all do."""
    priced = [(flow[begin], _price(line, begin, now)) for flow, line in terms]
    if any(energy for energy, price in priced if price is None):
        return None
    costs = [energy * price for energy, price in priced if price is not None]
    return sum(costs) if costs else None


def _price(timeline: PriceTimeline, begin: datetime, now: datetime) -> float | None:
    """Return the price of a quarter hour, as its hour will have it: by all or none."""
    hour = hour_of(begin)
    is_over = hour + HOUR <= now
    if is_over and timeline.hour_prices(hour).mean is None:
        return None
    return timeline.price_at(begin)
