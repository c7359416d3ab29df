"""What is refused of a tariff, by its forms and by the action alike."""

from datetime import date
from typing import Final

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant

from ..const import CONF_METERS
from ..metering.prices import chf_per_kwh
from ..metering.site import SiteInfo
from ..metering.tariff import Component, Pricing, Tariff, Zone, leave_a_hole
from ..statistics.price_history import price_of
from .tariff_drafts import scope_of
from .tariff_forms import (
    CONF_HIGH_PRICE,
    CONF_PRICE,
    CONF_PRICING,
    CONF_VALID_FROM,
    CONF_ZONES,
    Data,
)
from .tariff_texts import meter_components, typed_prices

type Errors = dict[str, str]
"""What is wrong with a form: keys of its texts, by field."""

LIKELY: Final = {"kWh": 2.0, "m³": 20.0}
"""Whoever types more CHF per unit has probably typed Rappen."""
YEARS: Final = range(2000, 2100)
"""Of first days: another one is a slip."""


def refused_choice(info: SiteInfo, data: Data) -> Errors:
    """Return what is wrong with what a tariff is for, and with its first day."""
    component, _ = scope_of(data)
    errors: Errors = {}
    if date.fromisoformat(str(data[CONF_VALID_FROM])).year not in YEARS:
        errors[CONF_VALID_FROM] = "unlikely_date"
    if other_meters(info, data):
        errors[CONF_METERS] = "other_meters"
    if Component(component).unit != "kWh" and data[CONF_PRICING] == Pricing.ENTITY:
        errors[CONF_PRICING] = "no_entity_for_water"
    return errors


def other_meters(info: SiteInfo, data: Data) -> list[str]:
    """Return the ids of the meters that don't measure what is priced."""
    component, meters = scope_of(data)
    return [id_ for id_ in meters if component not in meter_components(info, id_)]


def refused_times(prices: Data) -> Errors:
    """Return what is wrong with prices by time."""
    if not prices.get(CONF_ZONES):
        return {CONF_ZONES: "no_zones"}
    if any(CONF_PRICE not in zone for zone in prices[CONF_ZONES]):
        return {CONF_HIGH_PRICE: "zone_without_price"}
    zones = [*map(Zone.from_dict, prices[CONF_ZONES])]
    if prices.get(CONF_PRICE) is None and leave_a_hole(zones):
        return {CONF_PRICE: "hole"}
    return {}


def refused_entity(
    hass: HomeAssistant, entity_id: str, *, is_known: bool
) -> str | None:
    """Return what is wrong with an entity; nothing with a known one that is gone."""
    state = hass.states.get(entity_id)
    if state is None:
        return None if is_known else "no_such_entity"
    try:
        chf_per_kwh(1.0, state.attributes.get(ATTR_UNIT_OF_MEASUREMENT))
    except ValueError:
        return "no_price_per_energy"
    return None


def is_doubtful(hass: HomeAssistant, tariff: Tariff) -> bool:
    """Return whether a price is so high that Rappen were probably typed."""
    prices = typed_prices(tariff)
    if tariff.entity_id:
        now = price_of(hass.states.get(tariff.entity_id)) or 0.0
        prices.append((now + tariff.surcharge) * (1 + tariff.vat / 100))
    return max(map(abs, prices), default=0.0) > LIKELY[tariff.component.unit]
