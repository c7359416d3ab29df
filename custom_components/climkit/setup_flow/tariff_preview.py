"""What the last full month would have cost at a tariff, from what is stored."""

from collections.abc import Iterator, Mapping, Sequence
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
from ..metering.tariff import Tariff
from ..metering.tariffs import Tariffs
from ..metering.timeline import PriceTimeline
from ..runtime import ClimkitConfigEntry
from ..statistics.price_archive import PriceArchive
from ..statistics.site_statistics import SiteStatistics


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
        sum(sum(hours.values()) for hours in energies.values()),
        sum(sum(hours.values()) for hours in costs.values()),
        len(unpriced),
    )


def _used_in(energies: Mapping[datetime, float]) -> set[datetime]:
    return {hour for hour, energy in energies.items() if energy}


async def _async_prices(
    hass: HomeAssistant, entry: ClimkitConfigEntry, tariff: Tariff, span: Span
) -> PriceTimeline:
    """Return the prices of a tariff in a span, as if it had been valid for all of it."""
    zone = entry.runtime_data.site.data.zone
    first, last = (at.astimezone(zone).date() for at in (span[0], span[1] - HOUR))
    archive = PriceArchive(hass, entry.entry_id)
    if tariff.entity_id or tariff.workday:
        await archive.async_load()
    if tariff.entity_id:
        await archive.async_fill(tariff.entity_id, *span)
    if tariff.workday:
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
        kinds = set[str]().union(*(each.flows_of(tariff.component) for each in series))
        yield from (flow for flow in info.flows_of(owner_id) if flow.kind in kinds)


def _owners(
    info: SiteInfo, tariff: Tariff
) -> Sequence[tuple[str, Sequence[CostSeries]]]:
    """Return whom a tariff is for, and the costs that such an owner can have."""
    if not tariff.meters:
        return [(info.site.id, SITE_COSTS)]
    return [
        (meter.id, METER_COSTS.get(meter.type, ()))
        for meter in info.meters
        if meter.id in tariff.meters
    ]


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
