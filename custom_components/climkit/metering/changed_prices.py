"""Which hours other tariffs price otherwise: these are priced anew, and no others.

An hour with two prices is exact once its quarter hours are known, which may no longer be
at hand. So it is left alone unless one of its prices is another.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain, pairwise

from .hours import HOUR, hours_between
from .spans import Span, merged
from .timeline import PriceTimeline

type Change = tuple[PriceTimeline, PriceTimeline]
"""The prices of a component, before and now."""


def changed_spans(
    changes: Sequence[Change], since: datetime, until: datetime
) -> tuple[Span, ...]:
    """Return the hours in [since, until), in UTC, to be priced anew, oldest first.

    `changes` has those of each component of which a sum is made. While the versions of
    all are the same, nothing is. While they differ, all hours are but those whose
    prices are the same and not alike: by the same price, the same comes out.
    """
    return tuple(merged(_changed_hours(changes, since, until)))


def _changed_hours(
    changes: Sequence[Change], since: datetime, until: datetime
) -> Iterator[Span]:
    for begin, end in _changed_versions(changes, since, until):
        hours = (h for h in hours_between(begin, end) if not _stays(changes, h))
        yield from ((hour, hour + HOUR) for hour in hours)


def _stays(changes: Sequence[Change], hour: datetime) -> bool:
    """Return whether no price of an hour is another, but it has several."""
    uneven = False
    for old, new in changes:
        prices = new.hour_prices(hour)
        if prices.quarters != old.hour_prices(hour).quarters:
            return False
        uneven |= not prices.alike
    return uneven


def _changed_versions(
    changes: Sequence[Change], since: datetime, until: datetime
) -> Iterator[Span]:
    """Yield the spans of [since, until), in UTC, in which another version holds.

    In each of them some component has a version that tells its prices otherwise, though
    they need not be others.
    """
    for begin, end in pairwise(_moments(changes, since, until)):
        if not all(old.same_source(new, begin) for old, new in changes):
            yield begin, end


def _moments(
    changes: Sequence[Change], since: datetime, until: datetime
) -> list[datetime]:
    """Return when another version begins to hold, and both ends."""
    lines = chain.from_iterable(changes)
    begins = chain.from_iterable(line.changes() for line in lines)
    return sorted({since, until, *(at for at in begins if since < at < until)})
