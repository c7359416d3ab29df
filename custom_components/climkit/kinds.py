"""Words for what meters meter, in the language of the system."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .api import Meter, MeterType
from .const import DOMAIN


async def async_kinds(hass: HomeAssistant) -> Mapping[str, str]:
    """Return the texts of all choices, among them the kinds of meters."""
    return await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )


def kind_of(meter: Meter, kinds: Mapping[str, str]) -> str:
    """Return what a meter meters, in words; the API's own word if it is a new one."""
    electric = meter.type == MeterType.ELECTRICITY
    for kind in (meter.mode if electric else meter.type, meter.type):
        key = f"component.{DOMAIN}.selector.meter_kind.options.{kind}"
        if key in kinds:
            return kinds[key]
    return meter.type.replace("_", " ").capitalize()


async def async_named(
    hass: HomeAssistant, meters: Iterable[Meter]
) -> tuple[Meter, ...]:
    """Return the meters, those that the cloud gives no name named by kind and address."""
    kinds = await async_kinds(hass)
    return tuple(
        replace(meter, name=f"{kind_of(meter, kinds)} {meter.prim_ad}")
        if meter.name == f"{meter.type} {meter.prim_ad}"
        else meter
        for meter in meters
    )
