"""Sensors beside the energy: the environment, and the meters' own registers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, UnitOfEnergy, UnitOfVolume
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .api import Meter, MeterType, RegisterReading, Sensor
from .auxiliary import EnvironmentCoordinator, RegisterCoordinator
from .const import DOMAIN
from .entity import ClimkitEntity
from .environment import measurand_of
from .flows import has_series
from .runtime import ClimkitConfigEntry
from .site import SiteInfo

FORGOTTEN: Final = timedelta(days=1)
"""An environmental reading older than that says nothing of the present."""


@dataclass(frozen=True, kw_only=True)
class RegisterSensorDescription(SensorEntityDescription):
    """One register of a meter.

    Without a state class: a register may have been reset, exchanged, or count the
    intervals of a load curve. It must not be offered as energy.
    """

    value_fn: Callable[[RegisterReading], float | None]
    entity_category: EntityCategory = EntityCategory.DIAGNOSTIC
    entity_registry_enabled_default: bool = False
    suggested_display_precision: int = 2


INDEX_IMPORT: Final = RegisterSensorDescription(
    key="index_import",
    translation_key="index_import",
    device_class=SensorDeviceClass.ENERGY,
    native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    value_fn=lambda reading: reading.en_im,
)
INDEX_EXPORT: Final = RegisterSensorDescription(
    key="index_export",
    translation_key="index_export",
    device_class=SensorDeviceClass.ENERGY,
    native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    value_fn=lambda reading: reading.en_ex,
)
INDEX_HEAT: Final = RegisterSensorDescription(
    key="index",
    translation_key="index",
    device_class=SensorDeviceClass.ENERGY,
    native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    value_fn=lambda reading: reading.heat_energy_kwh,
)
INDEX_WATER: Final = RegisterSensorDescription(
    key="index",
    translation_key="index",
    device_class=SensorDeviceClass.WATER,
    native_unit_of_measurement=UnitOfVolume.CUBIC_METERS,
    value_fn=lambda reading: reading.vol_m3,
)

REGISTERS: Final[dict[str, tuple[RegisterSensorDescription, ...]]] = {
    MeterType.ELECTRICITY: (INDEX_IMPORT, INDEX_EXPORT),
    MeterType.CHARGE_POINT: (INDEX_IMPORT, INDEX_EXPORT),
    MeterType.HEATING: (INDEX_HEAT,),
    MeterType.COOLING: (INDEX_HEAT,),
    MeterType.COLD_WATER: (INDEX_WATER,),
    MeterType.HOT_WATER: (INDEX_WATER,),
}


def registers_of(info: SiteInfo) -> Iterator[tuple[Meter, RegisterSensorDescription]]:
    """Yield the registers of the chosen meters, and of those that the site stands for."""
    chosen = {meter.id for meter in info.chosen}
    for meter in info.meters:
        if not meter.is_rule_meter and (meter.id in chosen or not has_series(meter)):
            for description in REGISTERS.get(meter.type, ()):
                yield meter, description


@callback
def async_follow_extras(
    entry: ClimkitConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that are there now, and those that come later."""
    data = entry.runtime_data

    def registers() -> Iterator[SensorEntity]:
        info = data.site.data
        for meter, description in registers_of(info):
            yield RegisterSensor(data.registers, meter, description, info)

    def environment() -> Iterator[SensorEntity]:
        for sensor in data.environment.sensors or ():
            yield EnvironmentSensor(data.environment, sensor)

    _follow(entry, data.site, registers, async_add_entities)
    _follow(entry, data.environment, environment, async_add_entities)


@callback
def _follow(
    entry: ClimkitConfigEntry,
    coordinator: DataUpdateCoordinator[Any],
    sensors: Callable[[], Iterator[SensorEntity]],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add each sensor once it is there, and again if it has been away."""
    known: set[str | None] = set()

    @callback
    def update() -> None:
        current = {sensor.unique_id: sensor for sensor in sensors()}
        async_add_entities(
            sensor for unique_id, sensor in current.items() if unique_id not in known
        )
        known.clear()
        known.update(current)

    update()
    entry.async_on_unload(coordinator.async_add_listener(update))


class RegisterSensor(ClimkitEntity[RegisterCoordinator], SensorEntity):
    """One register of a meter, as the meter shows it; not validated."""

    entity_description: RegisterSensorDescription

    def __init__(
        self,
        coordinator: RegisterCoordinator,
        meter: Meter,
        description: RegisterSensorDescription,
        info: SiteInfo,
    ) -> None:
        """Show a register at its meter's device, or at the site's if it has none."""
        super().__init__(coordinator, meter.id, description, context=meter.id)
        self._meter_id = meter.id
        if meter.id not in {chosen.id for chosen in info.chosen}:
            self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, info.site.id)})
            self._attr_translation_key = f"meter_{description.translation_key}"
            self._attr_translation_placeholders = {"meter": meter.name}

    @property
    @override
    def native_value(self) -> float | None:
        """Return what the register shows, in kWh or m³, or None if it is not known."""
        reading = self.coordinator.data.get(self._meter_id)
        return self.entity_description.value_fn(reading) if reading else None


class EnvironmentSensor(ClimkitEntity[EnvironmentCoordinator], SensorEntity):
    """An environmental sensor; the only entity of its device, and named like it."""

    _attr_name = None

    def __init__(self, coordinator: EnvironmentCoordinator, sensor: Sensor) -> None:
        """Show a sensor as what it measures."""
        measurand = measurand_of(sensor)
        super().__init__(
            coordinator,
            sensor.id,
            SensorEntityDescription(
                key="environment",
                translation_key=None if measurand.device_class else "environment",
                device_class=measurand.device_class,
                native_unit_of_measurement=measurand.unit,
                state_class=measurand.state_class,
            ),
            context=sensor.id,
        )
        self._attr_unique_id = self._sensor_id = sensor.id

    @property
    @override
    def native_value(self) -> float | None:
        """Return the newest value in the sensor's unit, or None if it is too old."""
        reading = self.coordinator.data.get(self._sensor_id)
        if reading is None or dt_util.utcnow() - reading.time > FORGOTTEN:
            return None
        return reading.value
