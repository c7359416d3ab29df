"""What a statistic of ours is: its id and its unit."""

from functools import lru_cache
from hashlib import sha256
from typing import Final

from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.util import slugify
from homeassistant.util.unit_conversion import EnergyConverter, VolumeConverter

from ..const import DOMAIN
from ..metering.costs import CURRENCY
from ..metering.flows import Flow, Quantity

_UNIT_CLASSES: Final[dict[Quantity, str | None]] = {
    Quantity.ENERGY: EnergyConverter.UNIT_CLASS,
    Quantity.WATER: VolumeConverter.UNIT_CLASS,
    Quantity.UNKNOWN: None,
}


def statistic_id(flow: Flow, *, second: bool = False) -> str:
    """Return the id of a flow's statistic; it can never be changed again.

    Of two owners whose ids make one slug, one is the second: the hash of its id tells
    it from the other.
    """
    owner = _slug(flow.owner_id)
    if second:
        owner += "_" + sha256(flow.owner_id.encode()).hexdigest()[:6]
    return f"{DOMAIN}:{owner}_{flow.kind}"


@lru_cache(maxsize=2048)
def _slug(owner_id: str) -> str:
    """Return what an id of ours may hold; asked for again at every turn."""
    return slugify(owner_id)


def statistic_metadata(flow: Flow, id_: str, name: str) -> StatisticMetaData:
    """Return the metadata of a flow's statistic, in kWh or m³."""
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=name,
        source=DOMAIN,
        statistic_id=id_,
        unit_class=_UNIT_CLASSES[flow.quantity],
        unit_of_measurement=flow.unit,
    )


def cost_metadata(id_: str, name: str) -> StatisticMetaData:
    """Return the metadata of a statistic of costs, in CHF."""
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=name,
        source=DOMAIN,
        statistic_id=id_,
        unit_class=None,
        unit_of_measurement=CURRENCY,
    )


def is_as_wanted(stored: StatisticMetaData | None, wanted: StatisticMetaData) -> bool:
    """Return whether a statistic is known, under its name of today and in its unit."""
    return stored is not None and all(
        stored.get(key) == wanted[key]
        for key in ("name", "unit_of_measurement", "unit_class", "has_sum", "mean_type")
    )
