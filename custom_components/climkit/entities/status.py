"""Sensors of how things stand: the last reading, the import of the history."""

from datetime import datetime
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, UnitOfRatio
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..reading.live_coordinator import LiveCoordinator
from .base import ClimkitEntity

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


class LastReadingSensor(ClimkitEntity[LiveCoordinator], SensorEntity):
    """When the newest quarter hour ended that the cloud has published."""

    @property
    @override
    def native_value(self) -> datetime | None:
        """Return the time, or None if there never was a reading."""
        return self.coordinator.last_reading


class HistorySensor(ClimkitEntity[DataUpdateCoordinator[float]], SensorEntity):
    """How much of the history is in the statistics."""

    @property
    @override
    def native_value(self) -> float:
        """Return the share in percent."""
        return self.coordinator.data
