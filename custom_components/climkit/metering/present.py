"""The present of a site: newest quarter hours, today's amounts, power, shares of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from .calendar import start_of_day
from .flows import Flow, FlowKind
from .hours import BEFORE_ALL, QUARTER, amount_since
from .quarters import SharedStarts
from .reconcile import EXACT
from .site import SiteInfo


@dataclass(frozen=True, slots=True)
class LiveData:
    """The present of some media: the newest quarter hours and the running totals."""

    quarters: Mapping[Flow, Mapping[datetime, float]] = field(default_factory=dict)
    """Amounts by the start of the quarter hour (UTC), of the last 48 hours."""
    totals: Mapping[Flow, float] = field(default_factory=dict)
    """Running totals; a flow whose history is not yet in has none."""
    newest: datetime | None = None
    """End of the newest quarter hour, in UTC, if there was one since the start."""


STALE: Final = timedelta(hours=2)
"""A quarter hour that ended so long ago says nothing of the present."""


def age(quarters: Iterable[datetime], now: datetime) -> timedelta:
    """Return for how long the newest of some quarter hours has been over.

    Without any it is ages.
    """
    return now - max(quarters, default=BEFORE_ALL) - QUARTER


def total(data: LiveData, flow: Flow, info: SiteInfo, now: datetime) -> float | None:
    """Return the running total in kWh or m³: the newest sum and the quarters since."""
    return data.totals.get(flow)


def today(data: LiveData, flow: Flow, info: SiteInfo, now: datetime) -> float | None:
    """Return today's amount in kWh or m³, the day being the site's."""
    quarters = data.quarters.get(flow, {})
    amount = amount_since(quarters, start_of_day(now, info.zone))
    if amount is None and age(quarters, now) < STALE:
        return 0.0  # shortly after midnight: nothing of today is published yet
    return amount


def power(data: LiveData, flow: Flow, info: SiteInfo, now: datetime) -> float | None:
    """Return the mean power, in W, of the newest quarter hour; never negative."""
    quarters = data.quarters.get(flow, {})
    newest = max(quarters, default=BEFORE_ALL)
    if age([newest], now) > STALE:
        return None
    return max(quarters[newest], 0.0) * 1000 * (timedelta(hours=1) / QUARTER)


def share_today(part: FlowKind, whole: FlowKind) -> Callable[..., float | None]:
    """Return a function for the share, in percent, of one site flow in another today."""

    def value(data: LiveData, info: SiteInfo, now: datetime) -> float | None:
        amounts = {
            flow.kind: today(data, flow, info, now)
            for flow in data.quarters
            if flow.owner_id == info.site.id and flow.kind in (part, whole)
        }
        divisor = amounts.get(whole)
        dividend = amounts.get(part)
        if dividend is None or not divisor or divisor <= 0:
            return None
        return min(max(100 * dividend / divisor, 0.0), 100.0)

    return value


def merged_quarters(
    known: Mapping[Flow, Mapping[datetime, float]],
    came: Mapping[Flow, Mapping[datetime, float]],
    since: datetime,
    now: datetime,
    shared: SharedStarts,
) -> dict[Flow, Mapping[datetime, float]]:
    """Return the quarter hours since then: what came, and what is known beside it.

    A quarter hour that is known is replaced by a newer value for it, and by nothing
    else: an answer that says less takes nothing back. One that is not over is no
    reading: a cloud may fill up its day with zeros, or with what it expects. What is as
    it was stays the same object, and starts are shared: hundreds of flows are many.
    """
    before = {flow: dict(known.get(flow, {}).items()) for flow in came}
    merged = {flow: {**before[flow], **amounts} for flow, amounts in came.items()}
    # Most flows have the same quarter hours, and few of them are not wanted.
    latest = now - QUARTER
    others = [at for at in starts_of(merged) if not since <= at <= latest]
    for amounts, start in product(merged.values(), others):
        amounts.pop(start, None)
    return {
        flow: known[flow]
        if flow in known and amounts == before[flow]
        else shared.keep(amounts)
        for flow, amounts in merged.items()
    }


def is_news(totals: Mapping[Flow, float], known: Mapping[Flow, float]) -> bool:
    """Return whether some total is another than was known.

    Quarter hours of which a row was made are added up in another order than before: that
    is none.
    """
    if totals.keys() != known.keys():
        return True
    return any(abs(total - known[flow]) > EXACT for flow, total in totals.items())


def starts_of(quarters: Mapping[Flow, Iterable[datetime]]) -> set[datetime]:
    """Return the quarter hours of which some flow has an amount."""
    return set[datetime]().union(*quarters.values())
