"""Sensors of every flow: its total, today's amount, its power; rates of the site."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfEnergy, UnitOfPower, UnitOfRatio, UnitOfVolume
from homeassistant.util import dt as dt_util

from ..metering.flows import Flow, FlowKind, Quantity
from ..metering.present import LiveData, power, share_today, today, total
from ..metering.site import SiteInfo
from ..reading.live_coordinator import LiveCoordinator
from .base import ClimkitEntity

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

    value_fn: Callable[[LiveData, Flow, SiteInfo, datetime], float | None]


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """A value of the whole site, made of several flows."""

    needs: FlowKind
    value_fn: Callable[[LiveData, SiteInfo, datetime], float | datetime | None]


TOTALS: Final[dict[Quantity, FlowSensorDescription]] = {
    Quantity.ENERGY: FlowSensorDescription(
        key="",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=1,
        value_fn=total,
    ),
    Quantity.WATER: FlowSensorDescription(
        key="",
        device_class=SensorDeviceClass.WATER,
        native_unit_of_measurement=UnitOfVolume.CUBIC_METERS,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        value_fn=total,
    ),
    Quantity.UNKNOWN: FlowSensorDescription(
        key="",
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        value_fn=total,
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
    value_fn=power,
)

SITE_SENSORS: Final[tuple[SiteSensorDescription, ...]] = (
    SiteSensorDescription(
        key="self_consumption_rate",
        translation_key="self_consumption_rate",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        needs=FlowKind.PRODUCTION,
        value_fn=share_today(FlowKind.SELF_CONSUMPTION, FlowKind.PRODUCTION),
    ),
    SiteSensorDescription(
        key="self_sufficiency_rate",
        translation_key="self_sufficiency_rate",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        needs=FlowKind.PRODUCTION,
        value_fn=share_today(FlowKind.SELF_CONSUMPTION, FlowKind.CONSUMPTION),
    ),
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
        value_fn=today,
    )
    if flow.has_power:
        key = f"{flow.kind}{POWER.key}"
        yield replace(
            POWER,
            key=key,
            translation_key=key,
            entity_registry_enabled_default=flow.kind not in RARELY_NEEDED,
        )


def sensors_of(coordinator: LiveCoordinator, flow: Flow) -> Iterator[SensorEntity]:
    """Yield the sensors of a flow, and those of the site that need it."""
    for description in descriptions_of(flow):
        yield FlowSensor(coordinator, flow, description)
    if flow.meter_id is None:
        for site_description in SITE_SENSORS:
            if site_description.needs == flow.kind:
                yield SiteSensor(coordinator, flow.owner_id, site_description)


class FlowSensor(ClimkitEntity[LiveCoordinator], SensorEntity):
    """One view of one flow."""

    entity_description: FlowSensorDescription

    def __init__(
        self,
        coordinator: LiveCoordinator,
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
            coordinator.data, self._flow, coordinator.site.data, dt_util.utcnow()
        )


class SiteSensor(ClimkitEntity[LiveCoordinator], SensorEntity):
    """A value made of several flows of the site."""

    entity_description: SiteSensorDescription

    @property
    @override
    def native_value(self) -> float | datetime | None:
        """Return the value, or None while it is not known."""
        coordinator = self.coordinator
        return self.entity_description.value_fn(
            coordinator.data, coordinator.site.data, dt_util.utcnow()
        )
