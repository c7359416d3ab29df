"""What all entities share: unique ids, names by key, the device that they belong to."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import (
    CoordinatorEntity,
    DataUpdateCoordinator,
)

from .const import DOMAIN


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


@callback
def async_follow[T](
    entry: ConfigEntry,
    coordinator: DataUpdateCoordinator[Any],
    current: Callable[[], Mapping[Hashable, T]],
    entities_of: Callable[[T], Iterable[Entity]],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities of each thing once it is there, and again if it has been away.

    `current` tells what there is, by what stays the same of it, whenever the
    coordinator has news.
    """
    known: set[Hashable] = set()

    @callback
    def add_new() -> None:
        things = current()
        new = [thing for key, thing in things.items() if key not in known]
        known.clear()
        known.update(things)
        async_add_entities(entity for thing in new for entity in entities_of(thing))

    add_new()
    entry.async_on_unload(coordinator.async_add_listener(add_new))
