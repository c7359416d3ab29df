"""What a statistic of ours is: its id, its unit, its name."""

from collections.abc import Iterable
from typing import Final

from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import slugify
from homeassistant.util.unit_conversion import EnergyConverter, VolumeConverter

from ..const import DOMAIN
from ..metering.flows import Flow, Quantity
from ..metering.site import SiteInfo

_UNIT_CLASSES: Final[dict[Quantity, str | None]] = {
    Quantity.ENERGY: EnergyConverter.UNIT_CLASS,
    Quantity.WATER: VolumeConverter.UNIT_CLASS,
    Quantity.UNKNOWN: None,
}


def statistic_id(flow: Flow) -> str:
    """Return the id of a flow's statistic; it can never be changed again."""
    return f"{DOMAIN}:{slugify(flow.owner_id)}_{flow.kind}"


def statistic_metadata(flow: Flow, name: str) -> StatisticMetaData:
    """Return the metadata of a flow's statistic, in kWh or m³."""
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=name,
        source=DOMAIN,
        statistic_id=statistic_id(flow),
        unit_class=_UNIT_CLASSES[flow.quantity],
        unit_of_measurement=flow.unit,
    )


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
