"""What the last full month would have cost at a tariff, from what is stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..metering.calendar import local_months
from ..metering.costs import METER_COSTS, SITE_COSTS, CostSeries, costs_of_hours
from ..metering.flows import Flow
from ..metering.hours import HOUR, hour_of
from ..metering.site import SiteInfo
from ..metering.spans import Span
from ..metering.tariff import Component, Tariff
from ..metering.tariffs import Tariffs
from ..metering.timeline import PriceTimeline
from ..runtime import ClimkitConfigEntry
from ..statistics.price_archive import PriceArchive
from ..statistics.site_statistics import SiteStatistics
from .tariff_texts import meters_of


@dataclass(frozen=True, slots=True)
class Preview:
    """What was used in a month, and what it would have cost."""

    month: datetime
    """Its beginning, in the zone of the site."""
    energy: float
    """In kWh, or m³ of water."""
    cost: float
    """Of that energy, in CHF, without fees."""
    unpriced_hours: int
    """Hours in which energy was used that has no price."""


async def async_preview(
    hass: HomeAssistant, entry: ClimkitConfigEntry, tariff: Tariff
) -> Preview:
    """Return what the last full month would have cost, had the tariff been valid.

    Raises RecorderError.
    """
    info = entry.runtime_data.site.data
    start, end = last_full_month(dt_util.utcnow(), info)
    flows = tuple(priced_flows(info, tariff))
    energies = await _async_hours(entry.runtime_data.statistics, flows, start, end)
    prices = await _async_prices(hass, entry, tariff, (start, end))
    costs = {
        flow: costs_of_hours(energies[flow], {}, prices.hour_prices) for flow in flows
    }
    unpriced = set[datetime]().union(
        *(_used_in(energies[flow]) - costs[flow].keys() for flow in flows)
    )
    return Preview(
        start.astimezone(info.zone),
        _total(energies),
        _total(costs),
        len(unpriced),
    )


def _total(some: Mapping[Flow, Mapping[datetime, float]]) -> float:
    return sum(sum(hours.values()) for hours in some.values())


def _used_in(energies: Mapping[datetime, float]) -> set[datetime]:
    return {hour for hour, energy in energies.items() if energy}


async def _async_prices(
    hass: HomeAssistant, entry: ClimkitConfigEntry, tariff: Tariff, span: Span
) -> PriceTimeline:
    """Return the prices of a tariff in a span, as if it had been valid for all of it."""
    zone = entry.runtime_data.site.data.zone
    first, last = (at.astimezone(zone).date() for at in (span[0], span[1] - HOUR))
    archive = PriceArchive(hass, entry.entry_id)
    # A version has an entity or a workday sensor, or neither, but never both.
    if tariff.entity_id:
        await archive.async_load()
        await archive.async_fill(tariff.entity_id, *span)
    if tariff.workday:
        await archive.async_load()
        await archive.async_ask_days_off(tariff.workday, first, last)
    always = replace(tariff, valid_from=first, meters=())
    return Tariffs([always], zone, archive, archive.days_off).timeline(
        tariff.component, None
    )


def last_full_month(now: datetime, info: SiteInfo) -> tuple[datetime, datetime]:
    """Return when the last local month of a site that is over began, and ended, in UTC."""
    end = local_months(now, now, info.zone)[0]
    before = end - timedelta(days=1)
    return local_months(before, before, info.zone)[0], end


def priced_flows(info: SiteInfo, tariff: Tariff) -> Iterator[Flow]:
    """Yield the flows that a tariff prices: the site's, or those of its meters."""
    for owner_id, series in _owners(info, tariff):
        kinds = _priced_kinds(series, tariff.component)
        yield from (flow for flow in info.flows_of(owner_id) if flow.kind in kinds)


def _priced_kinds(some: Iterable[CostSeries], component: Component) -> set[str]:
    """Return the kinds of the flows that a component prices for some costs."""
    return set().union(*(series.flows_of(component) for series in some))


def _owners(
    info: SiteInfo, tariff: Tariff
) -> Iterator[tuple[str, Sequence[CostSeries]]]:
    """Yield whom a tariff is for, and the costs that such an owner can have."""
    if not tariff.meters:
        yield info.site.id, SITE_COSTS
    for meter in meters_of(info, tariff.meters):
        yield meter.id, METER_COSTS.get(meter.type, ())


async def _async_hours(
    statistics: SiteStatistics,
    flows: tuple[Flow, ...],
    start: datetime,
    end: datetime,
) -> dict[Flow, dict[datetime, float]]:
    """Return what is stored of each hour in [start, end); 0 of one without a row."""
    first = hour_of(start)
    bounds = [first + n * HOUR for n in range((end - first) // HOUR + 1)]
    return await statistics.async_amounts(flows, bounds)
