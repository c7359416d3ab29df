"""Environmental sensors of a site: what they measure now.

Each costs a request, so only those are read of which somebody has an enabled entity.
One that is refused costs the others nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .api import (
    ClimkitAccessError,
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitResponseError,
    Sensor,
    SensorReading,
)
from .const import CONF_SITE, LOGGER
from .coordinator import DAILY, HOURLY
from .entity import ClimkitEntity
from .errors import home_assistant_errors
from .measurands import measurand_of
from .schedule import QUARTER

FORGOTTEN: Final = timedelta(days=1)
"""A reading older than that says nothing of the present."""


class EnvironmentCoordinator(DataUpdateCoordinator[Mapping[str, SensorReading]]):
    """Lists a site's environmental sensors once a day and reads them by quarter hour.

    Its data is the newest reading of each sensor by the sensor's id.
    """

    config_entry: ConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, client: ClimkitClient
    ) -> None:
        """Follow the sensors of the site of a config entry."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{entry.title} (environment)",
            update_interval=DAILY,
        )
        self.data = {}
        self.sensors: tuple[Sensor, ...] | None = None
        """The sensors of the site; None while it is not known whether it has any."""
        self._client = client
        self._listed: datetime | None = None

    @callback
    def async_start(self) -> None:
        """List and read the sensors for the first time, behind everything else."""
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), self.name
        )

    @override
    async def _async_update_data(self) -> Mapping[str, SensorReading]:
        known = {sensor.id for sensor in self.sensors or ()}
        with home_assistant_errors(self.config_entry.title):
            await self._async_list()
            sensors = [sensor.id for sensor in self.sensors or ()]
            wanted = set(self.async_contexts())
            readings = {id_: r for id_, r in self.data.items() if id_ in sensors}
            for sensor_id in sensors:
                if sensor_id not in wanted and sensor_id in known:
                    continue  # disabled
                self.update_interval = QUARTER
                if reading := await self._async_read(sensor_id):
                    readings[sensor_id] = reading
        return readings

    async def _async_list(self) -> None:
        """List the sensors if it is time to."""
        now = dt_util.utcnow()
        if self._listed and now - self._listed < DAILY:
            return
        self.update_interval = DAILY
        try:
            self.sensors = await self._client.sensors(self.config_entry.data[CONF_SITE])
        except ClimkitAccessError:
            self.sensors = self.sensors or ()  # so it is at most sites
        except ClimkitResponseError as err:
            LOGGER.debug("%s: %s", self.name, err)
        except ClimkitConnectionError as err:
            # Most sites have none: no reason to complain before one is known.
            LOGGER.debug("%s: %s", self.name, err)
            self.update_interval = HOURLY
            return
        self._listed = now - timedelta(minutes=1)  # a poll may come a moment early

    async def _async_read(self, sensor_id: str) -> SensorReading | None:
        """Return the newest reading of a sensor, or None if it has none to give."""
        try:
            readings = await self._client.sensor_readings(
                self.config_entry.data[CONF_SITE], sensor_id
            )
        except (ClimkitAccessError, ClimkitResponseError) as err:
            LOGGER.debug("%s: %s", self.name, err)
            return None
        return readings[-1] if readings else None


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
