"""What costs a request each, and is asked only if somebody wants to know it.

Environmental sensors and meters' own registers. One that is refused, or does not answer
in time, costs the others nothing.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..api import ClimkitClient, ClimkitError
from .outage import QUIET, Outage
from .refusals import FAILURES


@dataclass(slots=True)
class _Signs:
    """Whether the cloud is there, from what it says while things are asked one by one."""

    has_answered: bool = False
    silent: int = 0
    """So many in a row got no answer."""

    def answered(self) -> None:
        """Note a reading, or that there is none."""
        self.has_answered, self.silent = True, 0

    def failed(self, err: ClimkitError) -> None:
        """Note an error; one without an answer is raised if it is the second in a row."""
        if getattr(err, "status", None):
            self.has_answered = True
            return
        self.silent += 1
        if self.silent > 1:
            raise err


class OnDemandCoordinator[T](DataUpdateCoordinator[Mapping[str, T]]):
    """Reads things one by one; its data is the newest reading of each by its id."""

    config_entry: ConfigEntry
    what: str
    interval: timedelta

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: ClimkitClient,
        outage: Outage,
    ) -> None:
        """Follow what there is at the site of a config entry."""
        super().__init__(
            hass,
            QUIET,
            config_entry=entry,
            name=f"{entry.title} ({self.what})",
            update_interval=self.interval,
        )
        self.data = {}
        self._client = client
        self._outage = outage
        self._refusal: ClimkitError | None = None

    @override
    async def _async_update_data(self) -> Mapping[str, T]:
        self._refusal = None
        with self._outage.told_once(self):
            readings = await self._async_read_all()
        self._outage.heard(f"{self.name}, in part", self._refusal)
        return readings

    @abstractmethod
    async def _async_read_all(self) -> dict[str, T]:
        """Return what is known now; raises ClimkitError if the cloud is away."""

    async def _async_read_each(self, wanted: Iterable[str]) -> dict[str, T]:
        """Return the newest reading of each; if there is none to be had, the last.

        Raises ClimkitError if the cloud is away: nobody answered, not even to say no.
        Two without an answer in a row are enough to tell.
        """
        readings = {}
        signs = _Signs()
        for id_ in wanted:
            if reading := await self._async_try(id_, signs) or self.data.get(id_):
                readings[id_] = reading
        if self._refusal and not signs.has_answered:
            raise self._refusal
        return readings

    async def _async_try(self, id_: str, signs: _Signs) -> T | None:
        try:
            reading = await self._async_read(id_)
        except FAILURES as err:
            self._refusal = err
            signs.failed(err)
            return None
        signs.answered()
        return reading

    @abstractmethod
    async def _async_read(self, id_: str) -> T | None:
        """Return the newest reading of one thing, or None if it has none."""
