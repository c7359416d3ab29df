"""What all entities share: unique ids, names by key, the device that they belong to."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import (
    CoordinatorEntity,
    DataUpdateCoordinator,
)

from ..const import DOMAIN


class ClimkitEntity[CoordinatorT: DataUpdateCoordinator[Any]](
    CoordinatorEntity[CoordinatorT]
):
    """An entity of a site, or of one of its meters or sensors."""

    _attr_has_entity_name = True

    def __init__(
        self,
        coordinator: CoordinatorT,
        owner_id: str,
        description: EntityDescription,
        *,
        context: str | None = None,
    ) -> None:
        """Attach the entity to the device of its owner, which exists already.

        `context` tells the coordinator what to fetch for it.
        """
        super().__init__(coordinator, context)
        self.entity_description = description
        self._attr_unique_id = f"{owner_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, owner_id)})


async def async_add_as_they_come[T](
    entry: ConfigEntry,
    coordinator: DataUpdateCoordinator[Any],
    current: Callable[[], Mapping[str, T]],
    entities_of: Callable[[T], Iterable[Entity]],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities of each thing once it is there, and again if they have gone.

    `current` tells what there is, by the unique id of its first entity, whenever the
    coordinator has news.
    """
    known: set[str] = set()

    @callback
    def find_new() -> list[T]:
        things = current()
        # What has been away comes back by itself, unless its device has gone with it.
        known.difference_update(
            unique_id
            for unique_id in known.difference(things)
            if not _is_registered(coordinator.hass, unique_id)
        )
        new = [thing for unique_id, thing in things.items() if unique_id not in known]
        known.update(things)
        return new

    @callback
    def add_new() -> None:
        async_add_entities(
            entity for thing in find_new() for entity in entities_of(thing)
        )

    entry.async_on_unload(coordinator.async_add_listener(add_new))
    for thing in find_new():
        async_add_entities(entities_of(thing))
        # A large site has hundreds, which would hold up everything else in one go.
        await asyncio.sleep(0)


def _is_registered(hass: HomeAssistant, unique_id: str) -> bool:
    registry = er.async_get(hass)
    return bool(registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id))
