"""Counts the hours with energy that lack a price although there is a tariff for it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..metering.hours import hour_of
from ..metering.spans import Span, merged
from ..metering.tariff import Component
from ..metering.tariffs import Tariffs
from ..statistics.queries import async_read, hourly_amounts
from .priced_site import PricedSeries, PricedSite

RECENT: Final = timedelta(days=2)
"""In which energy still comes in."""


async def async_unpriced_hours(
    hass: HomeAssistant, site: PricedSite, own: frozenset[str]
) -> int:
    """Return how many hours have energy, and a tariff, but no price.

    `own` has the meters with tariffs of their own: all others share the site's, and its
    hours. Raises RecorderError.
    """
    tariffs = site.tariffs
    span = site.site.data.beginning, hour_of(dt_util.utcnow())
    hours: set[datetime] = set()
    for (component, meter_id), ids in _scopes(site, {None, *own}).items():
        spans = await hass.async_add_executor_job(
            _without_price, tariffs, component, meter_id, span
        )
        for unpriced in spans:
            hours |= await _async_used(hass, ids, unpriced)
    return len(hours)


def lacks_prices(site: PricedSite) -> bool:
    """Return whether any price of late is not known; the database is not asked."""
    now = dt_util.utcnow()
    scopes = {
        (component, priced.meter_id)
        for priced in site.series()
        for _, component in priced.series.terms
    }
    return any(
        _without_price(site.tariffs, *scope, (hour_of(now - RECENT), hour_of(now)))
        for scope in scopes
    )


def _scopes(
    site: PricedSite, owners: Collection[str | None]
) -> Mapping[tuple[Component, str | None], list[str]]:
    """Return the statistics of energy by what prices them: component, and whose."""
    scopes: defaultdict[tuple[Component, str | None], list[str]] = defaultdict(list)
    for priced in site.series():
        if priced.meter_id in owners:
            terms = zip(priced.flows, priced.series.terms, strict=True)
            for flow, (_, component) in terms:
                id_ = site.statistics.statistic_id(flow)
                scopes[component, priced.meter_id].append(id_)
    return scopes


async def _async_used(
    hass: HomeAssistant, ids: Sequence[str], span: Span
) -> set[datetime]:
    """Return the hours of a span in which some of the statistics have energy."""
    found = await async_read(hass, hourly_amounts, ids, *span)
    return {
        hour for amounts in found.values() for hour, amount in amounts.items() if amount
    }


def meters_of(some: Iterable[PricedSeries], tariffs: Tariffs) -> frozenset[str]:
    """Return the meters whose prices are not the site's."""
    return frozenset(
        priced.meter_id
        for priced in some
        if priced.meter_id is not None
        and any(
            tariffs.timeline(component, priced.meter_id)
            is not tariffs.timeline(component, None)
            for _, component in priced.series.terms
        )
    )


def _without_price(
    tariffs: Tariffs, component: Component, meter_id: str | None, span: Span
) -> list[Span]:
    if not tariffs.has(component, meter_id):
        return []
    return merged(tariffs.timeline(component, meter_id).gaps(*span))
