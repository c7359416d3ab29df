"""What the meters themselves show, read hourly for whoever wants to know it."""

from datetime import timedelta
from typing import Final, override

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..api import Priority, RegisterReading
from ..const import CONF_SITE
from .on_demand import OnDemandCoordinator
from .site_coordinator import HOURLY

REGISTER_WINDOW: Final = timedelta(days=3)
"""How far back to look for a register: heat and water are read once a day."""


class RegisterCoordinator(OnDemandCoordinator[RegisterReading]):
    """Reads what meters themselves show, of those of which somebody wants to know it."""

    what = "registers"
    interval = HOURLY

    @callback
    def async_start(self) -> None:
        """Read for the first time, behind everything else, if anybody wants to know."""
        if any(self.async_contexts()):
            self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), self.name
            )

    @override
    async def _async_read_all(self) -> dict[str, RegisterReading]:
        return await self._async_read_each(sorted(set(self.async_contexts())))

    @override
    async def _async_read(self, id_: str) -> RegisterReading | None:
        readings = await self._client.register_readings(
            self.config_entry.data[CONF_SITE],
            id_,
            dt_util.utcnow() - REGISTER_WINDOW,
            priority=Priority.BACKGROUND,
        )
        return newest_of_each(readings)


def newest_of_each(readings: tuple[RegisterReading, ...]) -> RegisterReading | None:
    """Return one reading with the newest value of each register; oldest come first."""
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
