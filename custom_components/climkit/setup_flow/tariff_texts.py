"""How a tariff is called, in the language of the system."""

from collections.abc import Iterable
from datetime import date, datetime

from homeassistant.core import HomeAssistant

from ..api import Meter, MeterType
from ..metering.costs import CostSeries, meter_costs, site_costs
from ..metering.flows import meter_flows
from ..metering.site import SiteInfo
from ..metering.tariff import MONTHS, Component, Tariff
from ..reading.meter_names import async_choice_texts, async_kinds, async_named


async def async_title(hass: HomeAssistant, info: SiteInfo, tariff: Tariff) -> str:
    """Return the title of a version: "Grid from 2027-01-01 · 0.29/0.18"."""
    components = await async_choice_texts(hass, "tariff_component")
    patterns = await async_choice_texts(hass, "tariff_title")
    what = components.get(tariff.component, tariff.component)
    if tariff.meters:
        named = {meter.id: meter.name for meter in await async_named(hass, info.meters)}
        what += f" ({', '.join(named.get(id_, id_) for id_ in tariff.meters)})"
    return patterns.get("dated", "{component} {date} · {price}").format(
        component=what, date=tariff.valid_from, price=_prices(hass, tariff)
    )


async def async_month(hass: HomeAssistant, month: datetime) -> str:
    """Return the name of a month, and its year."""
    names = await async_choice_texts(hass, "tariff_months")
    name = MONTHS[month.month - 1]
    return f"{names.get(name, name)} {month.year}"


async def async_meter_labels(
    hass: HomeAssistant, info: SiteInfo, also: tuple[str, ...]
) -> dict[str, str]:
    """Return name and kind of the meters whose energy can be priced, by their ids.

    `also` has meters that a tariff is for, even if they are not chosen any longer.
    """
    offered = (
        *filter(_components, info.chosen),
        *(meter for meter in info.meters if meter.id in also),
    )
    meters = list({meter.id: meter for meter in offered}.values())
    kinds = await async_kinds(hass, meters)
    labels = {id_: id_ for id_ in also}
    for meter in await async_named(hass, meters):
        labels[meter.id] = f"{meter.name} ({kinds[meter.id]})"
    return labels


def site_components(info: SiteInfo) -> tuple[Component, ...]:
    """Return what a site has that can have a price.

    Where the site as a whole has no electricity metered, but charge points, theirs.
    """
    kinds = {flow.kind for flow in info.flows_of(info.site.id)}
    found = _pricing(site_costs(kinds))
    if MeterType.ELECTRICITY not in info.media:
        found = found.union(*map(_components, info.chosen))
    return tuple(component for component in Component if component in found)


def meter_components(info: SiteInfo, meter_id: str) -> set[Component]:
    """Return what prices the energy of a meter."""
    found = (meter for meter in info.meters if meter.id == meter_id)
    return set().union(*map(_components, found))


def _components(meter: Meter) -> set[Component]:
    kinds = {flow.kind for flow in meter_flows(meter)}
    return _pricing(meter_costs(meter.type, kinds))


def _pricing(some: Iterable[CostSeries]) -> set[Component]:
    return set[Component]().union(*(series.components for series in some))


def first_day(info: SiteInfo, newest: Tariff | None, today: date) -> date:
    """Return the day that is offered as the first one of a version.

    Of the first version, the day on which the site began; of a further one, the first of
    January: then prices change.
    """
    if newest is not None:
        return date(max(newest.valid_from.year + 1, today.year), 1, 1)
    created = info.site.created
    return created.astimezone(info.zone).date() if created else date(today.year, 1, 1)


def _prices(hass: HomeAssistant, tariff: Tariff) -> str:
    """Return the prices of a version, the zones' first; or the name of the entity."""
    if tariff.entity_id:
        state = hass.states.get(tariff.entity_id)
        return state.name if state else tariff.entity_id
    prices = [zone.price for zone in tariff.zones]
    if tariff.price is not None:
        prices.append(tariff.price)
    return "/".join(dict.fromkeys(map(price_text, prices)))


def price_text(price: float) -> str:
    """Return a price with two decimals, or with as many more as it has, up to five."""
    whole, _, decimals = f"{price:.5f}".rstrip("0").partition(".")
    return f"{whole}.{decimals:0<2}"
