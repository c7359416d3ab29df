"""What of money is shown: prices, costs, compensations; of the site and of each meter."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime

from ..api import Resolution
from ..metering.calendar import start_of_day, start_of_period
from ..metering.costs import SITE_COSTS, CostSeries, meter_costs
from ..metering.flows import LIVE_MEDIA, Medium, meter_flows
from ..metering.site import SiteInfo
from ..metering.tariff import Component
from ..metering.tariffs import Tariffs

CURRENCY: Final = "CHF"


@dataclass(frozen=True, kw_only=True)
class AmountDescription(SensorEntityDescription):
    """What has been paid since the beginning of a day or month."""

    sign: int
    """Which series count: 1 costs, -1 compensations."""
    start_fn: Callable[[datetime, SiteInfo], datetime]
    with_fees: bool = False
    device_class: SensorDeviceClass = SensorDeviceClass.MONETARY
    native_unit_of_measurement: str = CURRENCY
    suggested_display_precision: int = 2


def _today(now: datetime, info: SiteInfo) -> datetime:
    return start_of_day(now, info.zone)


def this_month(now: datetime, info: SiteInfo) -> datetime:
    """Return when the month of the site began, in UTC."""
    return start_of_period(Resolution.MONTH, now, info.zone)


COST_TODAY: Final = AmountDescription(
    key="cost_today", translation_key="cost_today", sign=1, start_fn=_today
)
COST_TODAY_LATE: Final = replace(COST_TODAY, entity_registry_enabled_default=False)
"""Of what is read once a day: of today nothing is known before tomorrow."""
COST_THIS_MONTH: Final = AmountDescription(
    key="cost_this_month",
    translation_key="cost_this_month",
    sign=1,
    start_fn=this_month,
    with_fees=True,
)
COMPENSATION_TODAY: Final = AmountDescription(
    key="compensation_today",
    translation_key="compensation_today",
    sign=-1,
    start_fn=_today,
)
COMPENSATION_THIS_MONTH: Final = AmountDescription(
    key="compensation_this_month",
    translation_key="compensation_this_month",
    sign=-1,
    start_fn=this_month,
)
UNPRICED_HOURS: Final = SensorEntityDescription(
    key="unpriced_hours",
    translation_key="unpriced_hours",
    native_unit_of_measurement=UnitOfTime.HOURS,
    suggested_display_precision=0,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)
PRICES: Final[dict[Component, SensorEntityDescription]] = {
    component: SensorEntityDescription(
        key=f"{component}_price",
        translation_key=f"{component}_price",
        native_unit_of_measurement=f"{CURRENCY}/{component.unit}",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=4,
    )
    for component in Component
}

AMOUNTS: Final[dict[int, tuple[AmountDescription, ...]]] = {
    1: (COST_TODAY, COST_THIS_MONTH),
    -1: (COMPENSATION_TODAY, COMPENSATION_THIS_MONTH),
}
_LATE: Final = {**AMOUNTS, 1: (COST_TODAY_LATE, COST_THIS_MONTH)}

KEYS: Final = frozenset(
    description.key
    for description in (
        *AMOUNTS[1],
        *AMOUNTS[-1],
        UNPRICED_HOURS,
        *PRICES.values(),
    )
)


@dataclass(frozen=True, slots=True)
class MoneyItem:
    """One thing to show, of the site or of a meter."""

    owner_id: str
    meter_id: str | None
    description: SensorEntityDescription
    component: Component | None = None
    """Of a price."""

    @property
    def unique_id(self) -> str:
        """Return the unique id of its sensor."""
        return f"{self.owner_id}_{self.description.key}"


def items_of(
    info: SiteInfo, tariffs: Tariffs, foreign: frozenset[str]
) -> Iterator[MoneyItem]:
    """Yield what is to be shown; not by which flows were seen, which may take a while."""
    site_id = info.site.id
    yield from _items_of_owner(site_id, None, SITE_COSTS, tariffs, _amounts(info.media))
    if tariffs.scopes:
        yield MoneyItem(site_id, None, UNPRICED_HOURS)
    for meter in info.chosen:
        if meter.id not in foreign:
            kinds = [flow.kind.value for flow in meter_flows(meter)]
            costs = tuple(meter_costs(meter.type, kinds))
            yield from _items_of_owner(
                meter.id, meter.id, costs, tariffs, _amounts([meter.type])
            )


def _amounts(media: Iterable[Medium]) -> Mapping[int, Sequence[AmountDescription]]:
    """Return what is shown of an owner of meters of these media, by sign."""
    return AMOUNTS if any(each in LIVE_MEDIA for each in media) else _LATE


def _items_of_owner(
    owner_id: str,
    meter_id: str | None,
    costs: Sequence[CostSeries],
    tariffs: Tariffs,
    amounts: Mapping[int, Sequence[AmountDescription]],
) -> Iterator[MoneyItem]:
    for component, description in PRICES.items():
        # Without a price of its own a meter has the site's, which is shown there.
        if (component, meter_id) in tariffs.scopes:
            yield MoneyItem(owner_id, meter_id, description, component)
    for bill in _bills(meter_id, costs, tariffs):
        for description in amounts.get(bill, ()):
            yield MoneyItem(owner_id, meter_id, description)


def _bills(
    meter_id: str | None, costs: Sequence[CostSeries], tariffs: Tariffs
) -> list[int]:
    """Return the signs of what an owner pays and gets, what is paid first."""
    bills = {series.bill for series in costs if series.has_price(tariffs, meter_id)}
    if tariffs.has_fee(meter_id):
        bills.add(1)
    return sorted(bills, reverse=True)
