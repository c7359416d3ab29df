"""What is measured beside the energy: environmental sensors, and meters' own registers.

Both cost a request for each sensor or meter, so only those are asked of which somebody
has an enabled entity. One that is refused costs the others nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .api import (
    ClimkitAccessError,
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitResponseError,
    Priority,
    RegisterReading,
    Sensor,
    SensorReading,
)
from .const import CONF_SITE, LOGGER
from .coordinator import DAILY, HOURLY
from .errors import home_assistant_errors
from .schedule import QUARTER

REGISTER_WINDOW: Final = timedelta(days=3)
"""How far back to look for a register: heat and water are read once a day."""


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


class RegisterCoordinator(DataUpdateCoordinator[Mapping[str, RegisterReading]]):
    """Reads what meters themselves show, of those of which somebody wants to know it.

    Its data is the newest of each register by the meter's id.
    """

    config_entry: ConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, client: ClimkitClient
    ) -> None:
        """Read the meters of the site of a config entry."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{entry.title} (registers)",
            update_interval=HOURLY,
        )
        self.data = {}
        self._client = client

    @callback
    def async_start(self) -> None:
        """Read for the first time, behind everything else, if anybody wants to know."""
        if any(self.async_contexts()):
            self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), self.name
            )

    @override
    async def _async_update_data(self) -> Mapping[str, RegisterReading]:
        wanted = sorted(set(self.async_contexts()))
        readings = {id_: r for id_, r in self.data.items() if id_ in wanted}
        with home_assistant_errors(self.config_entry.title):
            for meter_id in wanted:
                if reading := await self._async_read(meter_id):
                    readings[meter_id] = reading
        return readings

    async def _async_read(self, meter_id: str) -> RegisterReading | None:
        """Return the newest of each register of a meter, or None if there is none."""
        try:
            readings = await self._client.register_readings(
                self.config_entry.data[CONF_SITE],
                meter_id,
                dt_util.utcnow() - REGISTER_WINDOW,
                priority=Priority.BACKGROUND,
            )
        except (ClimkitAccessError, ClimkitResponseError) as err:
            LOGGER.debug("%s: %s", self.name, err)
            return None
        return _newest_of_each(readings)


def _newest_of_each(readings: tuple[RegisterReading, ...]) -> RegisterReading | None:
    """Return one reading with the newest value of each register, oldest come first."""
    if not readings:
        return None

    def newest(register: str) -> float | None:
        values = (getattr(reading, register) for reading in reversed(readings))
        return next((value for value in values if value is not None), None)

    return RegisterReading(
        readings[-1].time,
        newest("en_im"),
        newest("en_ex"),
        newest("heat_energy_kwh"),
        newest("vol_m3"),
    )
