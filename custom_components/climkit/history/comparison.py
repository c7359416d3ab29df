"""What the cloud says of months, or days, held against what is stored.

Pure functions over aware UTC times and energies in kWh (or volumes in m³).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from ..metering.calendar import local_months
from ..metering.hours import HOUR, hour_of
from ..metering.reconcile import HOUR_ROUNDING, rounding_allowance
from ..metering.spans import Span, merged

EVEN: Final = 0.1
"""kWh or m³ by which a month may differ at most, whatever rounding makes of it."""

CLEAR: Final = 1.0
"""kWh or m³ that no rounding explains away."""

NEAR: Final = timedelta(hours=14)
"""A label so close to a local midnight means it, in whatever time zone it is written."""

WINDOW: Final = timedelta(days=90)
"""Of old hours, so many are compared in a night: one request, as a rule."""

type Amounts = Mapping[datetime, float]
"""Amounts by the start of the period, in UTC."""


def months_within(span: Span, zone: tzinfo) -> list[datetime]:
    """Return the bounds, in UTC, of the local months that lie wholly within a span."""
    months = local_months(*span, zone)  # of which only the last is behind the span
    bounds = months[bisect_left(months, span[0]) : -1]
    return bounds if len(bounds) > 1 else []


def first_used(amounts: Iterable[Amounts]) -> datetime | None:
    """Return the start, in UTC, of the first period in which anything flowed, if any did.

    `amounts` has those of each flow.
    """
    used = (at for some in amounts for at, amount in some.items() if amount)
    return min(used, default=None)


def by_period(
    amounts: Amounts, bounds: Sequence[datetime]
) -> tuple[dict[datetime, float], int]:
    """Return amounts by the bound that each label means, and how many mean none.

    A cloud may label a local month by the midnight of another zone. Labels outside of
    all bounds are of no interest, and do not count. There is one bound at least.
    """
    found: dict[datetime, float] = {}
    lost = 0
    for label, amount in amounts.items():
        bound = _nearest(label, bounds)
        if abs(bound - label) <= NEAR:
            found[bound] = found.get(bound, 0.0) + amount
        elif bounds[0] < label < bounds[-1]:
            lost += 1
    return found, lost


def _nearest(label: datetime, bounds: Sequence[datetime]) -> datetime:
    """Return the bound that is nearest to a label: of two, the later one."""
    index = bisect_left(bounds, label)
    around = bounds[max(index - 1, 0) : index + 1]
    return min(reversed(around), key=lambda bound: abs(bound - label))


def odd_periods(
    cloud: Amounts,
    stored: Amounts,
    bounds: Sequence[datetime],
    accepted: Mapping[datetime, float],
) -> dict[datetime, float]:
    """Return by how much the cloud's periods differ from what is stored.

    `bounds` delimits the periods. Rounding makes no difference, nor does what was
    `accepted` before. Of what the cloud says nothing, nothing is known to differ: it may
    forget, we do not.
    """
    odd = {}
    for start, end in pairwise(bounds):
        known = stored.get(start, 0.0)
        difference = cloud.get(start, known) - known
        allowed = min(rounding_allowance(end - start), EVEN)
        is_new = abs(difference - accepted.get(start, 0.0)) > HOUR_ROUNDING
        if abs(difference) > allowed and is_new:
            odd[start] = difference
    return odd


def is_lacking(odd: Amounts) -> bool:
    """Return whether the cloud has clearly more of a period than is stored.

    `odd` has by how much the periods of a flow differ.
    """
    return any(difference > CLEAR for difference in odd.values())


def told_between(
    oldest: datetime | None, newest: datetime | None, bounds: Sequence[datetime]
) -> Span:
    """Return from which to which bound the rows of a reply reach, by their labels.

    Outside, a period may be empty, or not be known to who has answered, or be cut off.
    """
    if oldest is None or newest is None:
        return bounds[0], bounds[0]
    first = bisect_right(bounds, oldest + NEAR) - 1
    behind = bisect_right(bounds, newest + NEAR)
    return bounds[max(first, 0)], bounds[min(behind, len(bounds) - 1)]


def spans_of(periods: Iterable[datetime], bounds: Sequence[datetime]) -> list[Span]:
    """Return some of the periods that `bounds` delimits; adjacent ones as one span."""
    wanted = set(periods)
    return merged(span for span in pairwise(bounds) if span[0] in wanted)


type Pairs = Sequence[tuple[Amounts, Amounts]]
"""For each flow, the cloud's months and what the hours come to that are stored."""


def are_absurd(pairs: Pairs, running: datetime) -> bool:
    """Return whether the cloud's months have nothing to do with its hours.

    Months make no sense if not one of those with energy is near its hours, if
    the `running` month has less than its hours so far, or if there are hours and no
    month has anything. Then it is better to do without them.
    """
    return _none_is_near(pairs, running) or _is_short(pairs, running)


def _none_is_near(pairs: Pairs, running: datetime) -> bool:
    """Return whether no month before the running one, of some, is near its hours."""
    distances = [
        abs(cloud.get(start, 0.0) - amount)
        for cloud, stored in pairs
        for start, amount in stored.items()
        if amount > CLEAR and start < running
    ]
    return min(distances, default=0.0) > CLEAR


def _is_short(pairs: Pairs, running: datetime) -> bool:
    """Return whether the running month lacks what its hours have so far.

    That the cloud says nothing of it means something if no month has anything.
    """
    has_energy = any(max(cloud.values(), default=0.0) > 0 for cloud, _ in pairs)
    return any(
        stored.get(running, 0.0) - cloud.get(running, 0.0) > CLEAR
        for cloud, stored in pairs
        if running in cloud or not has_energy
    )


def turn_of(span: Span, night: int) -> Span | None:
    """Return the window of a span that has its turn in a night, by the night's number.

    Each has its turn once before the first has it again: five years in three weeks.
    """
    start, end = span
    if start >= end:
        return None
    count = -(-(end - start) // WINDOW)
    begin = start + night % count * WINDOW
    return begin, min(begin + WINDOW, end)


def gap_of(span: Span, amounts: Amounts) -> Span:
    """Return the part of a span, in whole hours, outside of which each hour is there."""
    start, end = span
    first, last = hour_of(start), end
    while first in amounts and first + HOUR < last:
        first += HOUR
    while last - HOUR in amounts and last - HOUR > first:
        last -= HOUR
    return max(first, start), last
