"""Environmental sensors of a site: what they measure now."""

from datetime import timedelta
from typing import Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.util import dt as dt_util

from ..api import Sensor
from ..reading.environment import EnvironmentCoordinator
from .base import ClimkitEntity
from .measurands import measurand_of

FORGOTTEN: Final = timedelta(days=1)
"""A reading older than that says nothing of the present."""


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
