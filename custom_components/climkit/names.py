"""The names under which statistics are listed, in the language of the system."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

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
