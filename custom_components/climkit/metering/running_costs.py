"""What a period has cost until now: its stored hours, and the quarter hours since."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from math import fsum

from .costs import Amounts, CostSeries, at_prices, together
from .hours import HOUR, QUARTER, beside, hour_of, starting_from
from .present import STALE, age
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
    energies = series.amounts_of(quarters)
    new = [beside(stored, starting_from(amounts, start)) for amounts in energies]
    of_flows = [
        at_prices(amounts, partial(_price, line, now))
        for amounts, line in zip(new, series.timelines(tariffs, meter_id), strict=True)
    ]
    costs = [*starting_from(stored, start).values(), *together(new, of_flows).values()]
    if costs:
        return fsum(costs)
    # Shortly after midnight nothing of the day is published yet.
    is_fresh = age(_in_all(energies), now) < STALE
    return 0.0 if is_fresh and not _in_all(new) else None


def _in_all(energies: Iterable[Amounts]) -> set[datetime]:
    """Return the quarter hours of which the energy of all flows is known."""
    return set.intersection(*map(set, energies))


def _price(timeline: PriceTimeline, now: datetime, begin: datetime) -> float | None:
    """Return the price of a quarter hour, as its hour will have it: by all or none."""
    hour = hour_of(begin)
    prices = timeline.hour_prices(hour)
    if prices.mean is None and hour + HOUR <= now:
        return None
    return prices.quarters[(begin - hour) // QUARTER]
