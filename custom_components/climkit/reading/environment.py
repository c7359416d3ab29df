"""Environmental sensors of a site: what they measure now."""

from datetime import datetime, timedelta
from typing import override

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..api import (
    ClimkitAccessError,
    ClimkitConnectionError,
    ClimkitResponseError,
    Sensor,
    SensorReading,
)
from ..const import CONF_SITE, LOGGER
from ..metering.hours import QUARTER
from .on_demand import OnDemandCoordinator
from .site_coordinator import DAILY, HOURLY


class EnvironmentCoordinator(OnDemandCoordinator[SensorReading]):
    """Lists a site's environmental sensors once a day and reads them by quarter hour."""

    what = "environment"
    interval = DAILY

    sensors: tuple[Sensor, ...] | None = None
    """The sensors of the site; None while it is not known whether it has any."""
    _listed: datetime | None = None

    @callback
    def async_start(self) -> None:
        """List and read the sensors for the first time, behind everything else."""
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), self.name
        )

    @override
    async def _async_read_all(self) -> dict[str, SensorReading]:
        known = {sensor.id for sensor in self.sensors or ()}
        await self._async_list()
        enabled = set(self.async_contexts())
        ids = [sensor.id for sensor in self.sensors or ()]
        wanted = [id_ for id_ in ids if id_ in enabled or id_ not in known]
        if wanted:
            self.update_interval = QUARTER
        rest = {id_: r for id_, r in self.data.items() if id_ in ids}
        return rest | await self._async_read_each(wanted)

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

    @override
    async def _async_read(self, id_: str) -> SensorReading | None:
        readings = await self._client.sensor_readings(
            self.config_entry.data[CONF_SITE], id_
        )
        return readings[-1] if readings else None
