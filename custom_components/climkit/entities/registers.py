"""What the meters themselves show: their own registers, not validated by the cloud."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import filterfalse
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, UnitOfEnergy, UnitOfVolume
from homeassistant.helpers.device_registry import DeviceInfo

from ..api import Meter, MeterType, RegisterReading
from ..const import DOMAIN
from ..metering.flows import has_series
from ..metering.site import SiteInfo
from ..reading.registers import RegisterCoordinator
from .base import ClimkitEntity


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


type Register = tuple[Meter, RegisterSensorDescription]

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


def registers_of(info: SiteInfo) -> dict[str, Register]:
    """Return the registers of chosen meters, and of those that the site stands for.

    By the unique id of their sensors.
    """
    return {
        f"{meter.id}_{description.key}": (meter, description)
        for meter in _read_meters(info)
        for description in REGISTERS.get(meter.type, ())
    }


def _read_meters(info: SiteInfo) -> Iterator[Meter]:
    """Yield the meters with registers of their own whose registers are shown."""
    shown = {
        meter.id for meter in (*info.chosen, *filterfalse(has_series, info.meters))
    }
    return (m for m in info.meters if m.id in shown and not m.is_rule_meter)


class RegisterSensor(ClimkitEntity[RegisterCoordinator], SensorEntity):
    """One register of a meter, as the meter shows it; not validated."""

    entity_description: RegisterSensorDescription

    def __init__(
        self,
        coordinator: RegisterCoordinator,
        register: Register,
        info: SiteInfo,
    ) -> None:
        """Show a register at its meter's device, or at the site's if it has none."""
        meter, description = register
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
