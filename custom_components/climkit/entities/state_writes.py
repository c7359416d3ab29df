"""States are written in slices: a site with hundreds of meters has over a thousand.

All in one go, as a coordinator tells its entities, they would hold up everything else in
Home Assistant for a tenth of a second.
"""

from asyncio import Task, sleep
from itertools import islice
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER

AT_ONCE: Final = 100
"""So many are written each time the loop comes round."""


class StateWrites:
    """Who has a new state, and may write it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nobody waiting."""
        self._hass = hass
        self._waiting: dict[Entity, None] = {}
        self._room = AT_ONCE
        self._work: Task[None] | None = None

    @callback
    def write(self, entity: Entity) -> None:
        """Write the state of an entity: now, unless many were written before."""
        if self._work is None or self._work.done():
            self._work = self._hass.async_create_task(self._async_go_on(), DOMAIN)
        if self._room:
            self._write(entity)
        else:
            self._waiting[entity] = None

    @callback
    def forget(self, entity: Entity) -> None:
        """Write nothing of an entity that goes."""
        self._waiting.pop(entity, None)

    async def _async_go_on(self) -> None:
        """Write a slice each time the loop comes round, until nobody waits."""
        await sleep(0)
        self._room = AT_ONCE
        while self._waiting:
            for entity in list(islice(self._waiting, self._room)):
                try:
                    self._write(entity)
                except Exception:  # noqa: BLE001 (as the coordinator does)
                    LOGGER.exception("The state of %s", entity.entity_id)
            await sleep(0)
            self._room = AT_ONCE

    @callback
    def _write(self, entity: Entity) -> None:
        self._room -= 1
        self._waiting.pop(entity, None)
        entity.async_write_ha_state()


@singleton(HassKey[StateWrites](f"{DOMAIN}_state_writes"))
def state_writes(hass: HomeAssistant) -> StateWrites:
    """Return what all entities of this Home Assistant share."""
    return StateWrites(hass)
