"""Sensors: totals, today and power of every flow; rates and state of the site."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfRatio,
    UnitOfVolume,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import LiveData, ReadingsCoordinator
from .entity import ClimkitEntity, async_add_as_they_come
from .environment import EnvironmentSensor
from .flows import Flow, FlowKind, Quantity
from .history import History
from .metering import QUARTER, amount_since, start_of_day
from .registers import RegisterSensor, registers_of
from .runtime import ClimkitConfigEntry
from .site import SiteInfo

PARALLEL_UPDATES = 0

STALE: Final = timedelta(hours=2)
"""A quarter hour that ended so long ago says nothing of the present."""

RARELY_NEEDED: Final = frozenset(
    {
        FlowKind.SELF_CONSUMPTION,
        FlowKind.SOLAR_CONSUMPTION,
        FlowKind.GRID_CONSUMPTION,
    }
)
"""Flows whose power few people look at."""


@dataclass(frozen=True, kw_only=True)
class FlowSensorDescription(SensorEntityDescription):
    """One way of looking at a flow."""

    value_fn: Callable[[LiveData, Flow, SiteInfo], float | None]


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """A value of the whole site, made of several flows."""

    needs: FlowKind
    value_fn: Callable[[LiveData, SiteInfo], float | datetime | None]


def _total(data: LiveData, flow: Flow, info: SiteInfo) -> float | None:
    """Return the running total in kWh or m³: the newest sum and the quarters since."""
    return data.totals.get(flow)


def _today(data: LiveData, flow: Flow, info: SiteInfo) -> float | None:
    """Return today's amount in kWh or m³, the day being the site's."""
    quarters = data.quarters.get(flow, {})
    now = dt_util.utcnow()
    amount = amount_since(quarters, start_of_day(now, info.zone))
    if amount is None and quarters and now - max(quarters) - QUARTER < STALE:
        return 0.0  # shortly after midnight: nothing of today is published yet
    return amount


def _power(data: LiveData, flow: Flow, info: SiteInfo) -> float | None:
    """Return the mean power, in W, of the newest quarter hour; never negative."""
    quarters = data.quarters.get(flow)
    if not quarters or dt_util.utcnow() - (newest := max(quarters)) - QUARTER > STALE:
        return None
    return max(quarters[newest], 0.0) * 1000 * (timedelta(hours=1) / QUARTER)


def _share_today(part: FlowKind, whole: FlowKind) -> Callable[..., float | None]:
    """Return a function for the share, in percent, of one site flow in another today."""

    def value(data: LiveData, info: SiteInfo) -> float | None:
        amounts = {
            flow.kind: _today(data, flow, info)
            for flow in data.quarters
            if flow.owner_id == info.site.id and flow.kind in (part, whole)
        }
        divisor = amounts.get(whole)
        dividend = amounts.get(part)
        if dividend is None or not divisor or divisor <= 0:
            return None
        return min(max(100 * dividend / divisor, 0.0), 100.0)

    return value


TOTALS: Final[dict[Quantity, FlowSensorDescription]] = {
    Quantity.ENERGY: FlowSensorDescription(
        key="",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=1,
        value_fn=_total,
    ),
    Quantity.WATER: FlowSensorDescription(
        key="",
        device_class=SensorDeviceClass.WATER,
        native_unit_of_measurement=UnitOfVolume.CUBIC_METERS,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        value_fn=_total,
    ),
    Quantity.UNKNOWN: FlowSensorDescription(
        key="",
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        value_fn=_total,
    ),
}

TODAY: Final = "_today"
"""Without state class: a second candidate for the Energy dashboard would confuse."""

POWER: Final = FlowSensorDescription(
    key="_power",
    device_class=SensorDeviceClass.POWER,
    native_unit_of_measurement=UnitOfPower.WATT,
    state_class=SensorStateClass.MEASUREMENT,
    suggested_display_precision=0,
    value_fn=_power,
)

SITE_SENSORS: Final[tuple[SiteSensorDescription, ...]] = (
    SiteSensorDescription(
        key="self_consumption_rate",
        translation_key="self_consumption_rate",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        needs=FlowKind.PRODUCTION,
        value_fn=_share_today(FlowKind.SELF_CONSUMPTION, FlowKind.PRODUCTION),
    ),
    SiteSensorDescription(
        key="self_sufficiency_rate",
        translation_key="self_sufficiency_rate",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        needs=FlowKind.PRODUCTION,
        value_fn=_share_today(FlowKind.SELF_CONSUMPTION, FlowKind.CONSUMPTION),
    ),
)

LAST_READING: Final = SensorEntityDescription(
    key="last_reading",
    translation_key="last_reading",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
)
HISTORY_IMPORT: Final = SensorEntityDescription(
    key="history_import",
    translation_key="history_import",
    native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
    suggested_display_precision=0,
    entity_category=EntityCategory.DIAGNOSTIC,
)


def descriptions_of(flow: Flow) -> Iterator[FlowSensorDescription]:
    """Yield the descriptions of the sensors of a flow: total, today, and power."""
    total = TOTALS[flow.quantity]
    yield replace(total, key=flow.kind, translation_key=flow.kind)
    key = f"{flow.kind}{TODAY}"
    yield replace(
        total,
        key=key,
        translation_key=key,
        state_class=None,
        suggested_display_precision=2,
        # What is read once a day is never known for today.
        entity_registry_enabled_default=flow.has_power,
        value_fn=_today,
    )
    if flow.has_power:
        key = f"{flow.kind}{POWER.key}"
        yield replace(
            POWER,
            key=key,
            translation_key=key,
            entity_registry_enabled_default=flow.kind not in RARELY_NEEDED,
        )


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a site, and of what appears at it later."""
    data = entry.runtime_data
    newest = next((some for some in data.live if some.media), data.live[0])
    async_add_entities(
        [
            LastReadingSensor(newest, data.site.data.site.id, LAST_READING),
            HistorySensor(data.history, data.site.data.site.id, HISTORY_IMPORT),
        ]
    )
    for coordinator in data.live:
        await _async_add_flows(entry, coordinator, async_add_entities)
    await async_add_as_they_come(
        entry,
        data.site,
        lambda: registers_of(data.site.data),
        lambda register: [RegisterSensor(data.registers, register, data.site.data)],
        async_add_entities,
    )
    await async_add_as_they_come(
        entry,
        data.environment,
        lambda: {sensor.id: sensor for sensor in data.environment.sensors or ()},
        lambda sensor: [EnvironmentSensor(data.environment, sensor)],
        async_add_entities,
    )


async def _async_add_flows(
    entry: ClimkitConfigEntry,
    coordinator: ReadingsCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of each flow as soon as it is there, and again if it returns."""
    await async_add_as_they_come(
        entry,
        coordinator,
        lambda: {flow.key: flow for flow in coordinator.flows},
        lambda flow: _sensors_of(coordinator, flow),
        async_add_entities,
    )


def _sensors_of(coordinator: ReadingsCoordinator, flow: Flow) -> Iterator[SensorEntity]:
    for description in descriptions_of(flow):
        yield FlowSensor(coordinator, flow, description)
    if flow.meter_id is None:
        for site_description in SITE_SENSORS:
            if site_description.needs == flow.kind:
                yield SiteSensor(coordinator, flow.owner_id, site_description)


class FlowSensor(ClimkitEntity[ReadingsCoordinator], SensorEntity):
    """One view of one flow."""

    entity_description: FlowSensorDescription

    def __init__(
        self,
        coordinator: ReadingsCoordinator,
        flow: Flow,
        description: FlowSensorDescription,
    ) -> None:
        """Look at a flow in the way of the description."""
        super().__init__(coordinator, flow.owner_id, description)
        self._flow = flow

    @property
    @override
    def native_value(self) -> float | None:
        """Return the value, or None while it is not known."""
        coordinator = self.coordinator
        return self.entity_description.value_fn(
            coordinator.data, self._flow, coordinator.site.data
        )


class SiteSensor(ClimkitEntity[ReadingsCoordinator], SensorEntity):
    """A value made of several flows of the site."""

    entity_description: SiteSensorDescription

    @property
    @override
    def native_value(self) -> float | datetime | None:
        """Return the value, or None while it is not known."""
        coordinator = self.coordinator
        return self.entity_description.value_fn(coordinator.data, coordinator.site.data)


class LastReadingSensor(ClimkitEntity[ReadingsCoordinator], SensorEntity):
    """When the newest quarter hour ended that the cloud has published."""

    @property
    @override
    def native_value(self) -> datetime | None:
        """Return the time, or None if there never was a reading."""
        return self.coordinator.last_reading


class HistorySensor(ClimkitEntity[History], SensorEntity):
    """How much of the history is in the statistics."""

    @property
    @override
    def native_value(self) -> float:
        """Return the share in percent."""
        return self.coordinator.data
