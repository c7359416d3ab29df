"""How a tariff is called, in the language of the system."""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from homeassistant.core import HomeAssistant

from ..api import Meter, MeterType
from ..metering.costs import CostSeries, meter_costs, site_costs
from ..metering.flows import meter_flows
from ..metering.site import SiteInfo
from ..metering.tariff import MONTHS, Component, Tariff
from ..reading.meter_names import async_choice_texts, async_named
from .schemas import async_meter_labels


async def async_title(hass: HomeAssistant, info: SiteInfo, tariff: Tariff) -> str:
    """Return the title of a version: "Grid from 2027-01-01 · 0.29/0.18"."""
    components = await async_choice_texts(hass, "tariff_component")
    patterns = await async_choice_texts(hass, "tariff_title")
    what = components.get(tariff.component, tariff.component)
    if tariff.meters:
        what += in_brackets(tariff.meters, await async_named(hass, info.meters))
    return patterns.get("dated", "{component} {date} · {price}").format(
        component=what, date=tariff.valid_from, price=_prices(hass, tariff)
    )


def in_brackets(ids: Iterable[str], meters: Iterable[Meter]) -> str:
    """Return the names of the meters with these ids; the id of one that is unknown."""
    names = {meter.id: meter.name for meter in meters}
    return f" ({', '.join(names.get(id_, id_) for id_ in ids)})"


async def async_month(hass: HomeAssistant, month: datetime) -> str:
    """Return the name of a month, and its year."""
    names = await async_choice_texts(hass, "tariff_months")
    name = MONTHS[month.month - 1]
    return f"{names.get(name, name)} {month.year}"


async def async_priced_labels(
    hass: HomeAssistant, info: SiteInfo, also: tuple[str, ...]
) -> dict[str, str]:
    """Return name and kind of the meters whose energy can be priced, by their ids.

    `also` has meters that a tariff is for, even if they are not chosen any longer.
    """
    offered = (*filter(_components, info.chosen), *meters_of(info, also))
    meters = list({meter.id: meter for meter in offered}.values())
    ids = {id_: id_ for id_ in also}
    return ids | await async_meter_labels(hass, meters)


def meters_of(info: SiteInfo, ids: Collection[str]) -> list[Meter]:
    """Return the meters of a site that have these ids."""
    return [meter for meter in info.meters if meter.id in ids]


def site_components(info: SiteInfo) -> tuple[Component, ...]:
    """Return what a site has that can have a price.

    Where the site as a whole has no electricity metered, but charge points, theirs.
    """
    kinds = {flow.kind for flow in info.flows_of(info.site.id)}
    found = _pricing(site_costs(kinds))
    if MeterType.ELECTRICITY not in info.media:
        found = found.union(*map(_components, info.chosen))
    return tuple(sorted(found, key=list(Component).index))


def meter_components(info: SiteInfo, meter_id: str) -> set[Component]:
    """Return what prices the energy of a meter."""
    return set().union(*map(_components, meters_of(info, (meter_id,))))


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
    return "/".join(dict.fromkeys(map(price_text, typed_prices(tariff))))


def typed_prices(tariff: Tariff) -> list[float]:
    """Return the prices that a version tells by itself: its zones' first."""
    prices = [zone.price for zone in tariff.zones]
    if tariff.price is not None:
        prices.append(tariff.price)
    return prices


def price_text(price: float) -> str:
    """Return a price with two decimals, or with as many more as it has, up to five."""
    whole, _, decimals = f"{price:.5f}".rstrip("0").partition(".")
    return f"{whole}.{decimals:0<2}"
