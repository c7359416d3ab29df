"""What the cloud says of months, or days, held against what is stored. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from ..metering.calendar import local_months
from ..metering.reconcile import HOUR_ROUNDING, rounding_allowance
from ..metering.spans import Span, without

EVEN: Final = 0.1
"""kWh or m³ by which a month may differ at most, whatever rounding makes of it."""

CLEAR: Final = 1.0
"""kWh or m³ that no rounding explains away."""

type Amounts = Mapping[datetime, float]
"""Amounts by the start of the period, in UTC."""


def months_within(span: Span, zone: tzinfo) -> list[datetime]:
    """Return the bounds, in UTC, of the local months that lie wholly within a span."""
    start, end = span
    bounds = local_months(start, end, zone)
    return [bound for bound in bounds if start <= bound <= end]


def odd_periods(
    cloud: Amounts,
    stored: Amounts,
    bounds: Sequence[datetime],
    accepted: Amounts,
) -> dict[datetime, float]:
    """Return by how much the cloud's periods differ from what is stored.

    `bounds` delimits the periods. Rounding makes no difference, nor does what was
    accepted before. Of what the cloud says nothing, nothing is known to differ: it may
    forget, we do not.
    """
    odd = {}
    for start, end in pairwise(bounds):
        difference = cloud.get(start, 0.0) - stored.get(start, 0.0)
        allowed = min(rounding_allowance(end - start), EVEN)
        if start not in cloud or abs(difference) <= allowed:
            continue
        if abs(difference - accepted.get(start, 0.0)) > HOUR_ROUNDING:
            odd[start] = difference
    return odd


def spans_of(periods: Iterable[datetime], bounds: Sequence[datetime]) -> list[Span]:
    """Return some of the periods that `bounds` delimits; adjacent ones as one span."""
    wanted = set(periods)
    apart = [span for span in pairwise(bounds) if span[0] in wanted]
    return without(apart, ())


def are_absurd(
    cloud: Sequence[Amounts],
    stored: Sequence[Amounts],
    bounds: Sequence[datetime],
    running: datetime,
) -> bool:
    """Return whether the cloud's months have nothing to do with its hours.

    So it is if not one month of any flow is near what its hours came to, though there
    are some with energy; or if the `running` month has less than its hours so far. Then
    it is better to do without months.
    """
    pairs = list(zip(cloud, stored, strict=True))
    if any(
        hours.get(running, 0.0) - months.get(running, 0.0) > CLEAR
        for months, hours in pairs
    ):
        return True
    near = [
        abs(months.get(start, 0.0) - hours[start]) <= CLEAR
        for months, hours in pairs
        for start in bounds[:-1]
        if hours.get(start, 0.0) > CLEAR
    ]
    return bool(near) and not any(near)


def turn_of(span: Span, night: int, nights: int) -> Span | None:
    """Return the part of a span that has its turn in a night, of so many in all."""
    start, end = span
    length = max((end - start) / nights, timedelta(days=1))
    begin = start + night % nights * length
    return (begin, min(begin + length, end)) if begin < end else None
