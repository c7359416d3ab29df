"""Names in the language of the system: of statistics, and of what meters meter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..api import Meter, MeterType
from ..const import DOMAIN


async def async_choice_texts(hass: HomeAssistant, selector: str) -> Mapping[str, str]:
    """Return the texts of a selector's choices, in the language of the system."""
    texts = await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )
    prefix = f"component.{DOMAIN}.selector.{selector}.options."
    return {
        key.removeprefix(prefix): text
        for key, text in texts.items()
        if key.startswith(prefix)
    }


def kind_in_words(meter: Meter, texts: Mapping[str, str]) -> str | None:
    """Return what `texts` have for a meter's kind: the narrowest of its kinds, if any."""
    electric = meter.type == MeterType.ELECTRICITY
    kinds = (meter.mode if electric else meter.type, meter.type)
    return next((texts[kind] for kind in kinds if kind in texts), None)


async def async_kinds(hass: HomeAssistant, meters: Iterable[Meter]) -> dict[str, str]:
    """Return what each meter meters, by its id; the API's own word if it is a new one."""
    texts = await async_choice_texts(hass, "meter_kind")
    return {
        meter.id: kind_in_words(meter, texts)
        or meter.type.replace("_", " ").capitalize()
        for meter in meters
    }


async def async_named(
    hass: HomeAssistant, meters: Sequence[Meter]
) -> tuple[Meter, ...]:
    """Return the meters, those that the cloud gives no name named by kind and address."""
    kinds = await async_kinds(hass, meters)
    return tuple(
        replace(meter, name=f"{kinds[meter.id]} {meter.prim_ad}")
        if meter.name == f"{meter.type} {meter.prim_ad}"
        else meter
        for meter in meters
    )
