"""What a period has cost until now: its stored hours, and the quarter hours since."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import fsum

from .costs import Amounts, CostSeries
from .hours import HOUR, QUARTER, hour_of
from .present import STALE
from .tariffs import Tariffs
from .timeline import PriceTimeline


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
    flows = [quarters.get(kind, {}) for kind, _ in series.terms]
    timelines = [tariffs.timeline(component, meter_id) for _, component in series.terms]
    costs = [cost for hour, cost in stored.items() if hour >= start]
    known = set(flows[0]).intersection(*flows[1:]) if flows else set()
    new = [begin for begin in known if begin >= start and hour_of(begin) not in stored]
    for begin in new:
        energies = [flow[begin] for flow in flows]
        cost = _cost_of_quarter(begin, energies, timelines, now)
        if cost is not None:
            costs.append(cost)
    if costs:
        return fsum(costs)
    # Shortly after midnight nothing of the day is published yet.
    fresh = bool(known) and now - max(known) - QUARTER < STALE
    return 0.0 if fresh and not new else None


def _cost_of_quarter(
    begin: datetime,
    energies: Sequence[float],
    timelines: Sequence[PriceTimeline],
    now: datetime,
) -> float | None:
    """Return what a quarter hour costs, as its hour will be: by all its prices or none."""
    hour = hour_of(begin)
    costs = []
    for energy, timeline in zip(energies, timelines, strict=True):
        price = timeline.price_at(begin)
        if hour + HOUR <= now and timeline.hour_prices(hour).mean is None:
            price = None
        if price is not None:
            costs.append(energy * price)
        elif energy:
            return None
    return sum(costs) if costs else None
