"""Counts the hours with energy that lack a price although there is a tariff for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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


async def async_unpriced_hours(hass: HomeAssistant, site: PricedSite) -> int:
    """Return how many hours have energy, and a tariff, but no price.

    Raises RecorderError.
    """
    tariffs = site.tariffs
    span = site.site.data.beginning, hour_of(dt_util.utcnow())
    hours: set[datetime] = set()
    for (component, meter_id), ids in _scopes(site).items():
        spans = await hass.async_add_executor_job(
            _without_price, tariffs, component, meter_id, span
        )
        for unpriced in spans:
            hours |= await _async_used(hass, ids, unpriced)
    return len(hours)


def lacks_prices(site: PricedSite) -> bool:
    """Return whether any price of late is not known; the database is not asked."""
    now = dt_util.utcnow()
    recent = hour_of(now - RECENT), hour_of(now)
    return any(_without_price(site.tariffs, *scope, recent) for scope in _scopes(site))


def _scopes(site: PricedSite) -> Mapping[tuple[Component, str | None], list[str]]:
    """Return the statistics of energy by what prices them: component, and whose."""
    scopes: defaultdict[tuple[Component, str | None], list[str]] = defaultdict(list)
    for priced in _counted(site):
        for flow, component in zip(priced.flows, priced.series.components, strict=True):
            id_ = site.statistics.statistic_id(flow)
            scopes[component, priced.meter_id].append(id_)
    return scopes


def _counted(site: PricedSite) -> list[PricedSeries]:
    """Return the series of the site, and of the meters with prices of their own.

    All other meters share the site's prices, and its hours.
    """
    some = site.series()
    owners = {each.meter_id for each in some if each.has_own_price(site.tariffs)}
    return [each for each in some if each.meter_id in owners]


async def _async_used(
    hass: HomeAssistant, ids: Sequence[str], span: Span
) -> set[datetime]:
    """Return the hours of a span in which some of the statistics have energy."""
    found = await async_read(hass, hourly_amounts, ids, *span)
    return {
        hour for amounts in found.values() for hour, amount in amounts.items() if amount
    }


def _without_price(
    tariffs: Tariffs, component: Component, meter_id: str | None, span: Span
) -> list[Span]:
    if not tariffs.has(component, meter_id):
        return []
    return merged(tariffs.timeline(component, meter_id).gaps(*span))
