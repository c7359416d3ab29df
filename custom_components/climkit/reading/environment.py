"""Environmental sensors of a site: what they measure now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, override

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
from .roster import Roster
from .site_coordinator import DAILY, HOURLY

SLACK: Final = timedelta(seconds=1)
"""A timer may come a moment early."""


class EnvironmentCoordinator(OnDemandCoordinator[SensorReading]):
    """Lists a site's environmental sensors once a day and reads them by quarter hour."""

    what = "environment"
    interval = DAILY

    sensors: tuple[Sensor, ...] | None = None
    """The sensors of the site; None while it is not known whether it has any."""

    @callback
    def async_start(self) -> None:
        """List and read the sensors for the first time, behind everything else."""
        self._roster: Roster[Sensor] = Roster()
        self._list_at = dt_util.utcnow()
        self._read: set[str] = set()
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), self.name
        )

    @override
    async def _async_read_all(self) -> dict[str, SensorReading]:
        now = dt_util.utcnow()
        if now >= self._list_at:
            self._list_at = now + await self._async_list(now)
        ids = [sensor.id for sensor in self.sensors or ()]
        wanted = self._wanted(ids)
        self._read = self._read.intersection(ids).union(wanted)
        self.update_interval = QUARTER if wanted else self._list_at - now + SLACK
        rest = {id_: self.data[id_] for id_ in self.data.keys() & ids}
        return rest | await self._async_read_each(wanted)

    def _wanted(self, ids: Sequence[str]) -> list[str]:
        """Return what is enabled, or new: then it has no entity yet that could ask."""
        due = {*self.async_contexts(), *set(ids).difference(self._read)}
        return [id_ for id_ in ids if id_ in due]

    async def _async_list(self, now: datetime) -> timedelta:
        """List the sensors; return when to do it again.

        Most sites have none: no reason to complain before one is known.
        """
        try:
            sensors = await self._client.sensors(self.config_entry.data[CONF_SITE])
        except ClimkitAccessError:
            self.sensors = self.sensors or ()
            return DAILY
        except (ClimkitConnectionError, ClimkitResponseError) as err:
            LOGGER.debug("%s: %s", self.name, err)
            return HOURLY
        self.sensors = self._roster.listed(sensors, now)
        return self._roster.again_after(DAILY)

    @override
    async def _async_read(self, id_: str) -> SensorReading | None:
        readings = await self._client.sensor_readings(
            self.config_entry.data[CONF_SITE], id_
        )
        return readings[-1] if readings else None
