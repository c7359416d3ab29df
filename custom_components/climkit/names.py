"""Names in the language of the system: of statistics, and of what meters meter."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .api import Meter, MeterType
from .const import DOMAIN
from .flows import Flow
from .site import SiteInfo


async def async_statistic_names(
    hass: HomeAssistant, info: SiteInfo, flows: Iterable[Flow]
) -> dict[Flow, str]:
    """Return the name of each flow's statistic: site, meter, flow.

    A statistic has no device and no area that would tell where it belongs.
    """
    translations = await async_get_translations(
        hass, hass.config.language, "entity", {DOMAIN}
    )
    meters = {meter.id: meter.name for meter in info.meters}
    names = {}
    for flow in flows:
        key = f"component.{DOMAIN}.entity.sensor.{flow.kind}.name"
        what = translations.get(key, flow.kind.replace("_", " "))
        where = [info.site.name]
        if flow.meter_id is not None:
            where.append(meters.get(flow.meter_id, flow.meter_id))
        names[flow] = " ".join((*where, what))
    return names


async def async_kinds(hass: HomeAssistant) -> Mapping[str, str]:
    """Return the texts of all choices, among them the kinds of meters and of devices."""
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


async def async_models(hass: HomeAssistant) -> Mapping[str, str]:
    """Return words for what devices are, by kind, in the language of the system."""
    prefix = f"component.{DOMAIN}.selector.model.options."
    return {
        key.removeprefix(prefix): text
        for key, text in (await async_kinds(hass)).items()
        if key.startswith(prefix)
    }


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
