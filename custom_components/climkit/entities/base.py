"""What all entities share: unique ids, names by key, the device that they belong to."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, override

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
from .state_writes import state_writes


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

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Leave the queue, too."""
        state_writes(self.hass).forget(self)
        await super().async_will_remove_from_hass()

    @override
    @callback
    def _handle_coordinator_update(self) -> None:
        """Write the state when it is its turn."""
        state_writes(self.hass).write(self)


async def async_add_as_they_come[T](
    entry: ConfigEntry,
    coordinators: Iterable[DataUpdateCoordinator[Any]],
    current: Callable[[], Mapping[str, T]],
    entities_of: Callable[[T], Iterable[Entity]],
    async_add_entities: AddConfigEntryEntitiesCallback,
    *,
    is_other: Callable[[T, T], bool] = lambda old, new: False,
) -> None:
    """Add the entities of each thing once it is there, and again if they have gone.

    `current` tells what there is, by the unique id of its first entity, whenever one of
    the coordinators has news. Where a thing `is_other` than it was, its entities are
    replaced.
    """
    some = list(coordinators)
    hass = some[0].hass
    things = _Things(hass, current, entities_of, is_other)

    @callback
    def add_new() -> None:
        for new, old in things.find_new():
            if old:
                replace = _async_replace(hass, old, new, async_add_entities)
                entry.async_create_task(hass, replace)
            else:
                async_add_entities(new)

    for coordinator in some:
        entry.async_on_unload(coordinator.async_add_listener(add_new))
    for new, _ in things.find_new():
        async_add_entities(new)
        # A large site has hundreds, which would hold up everything else in one go.
        await asyncio.sleep(0)


@dataclass(slots=True)
class _Things[T]:
    """What has entities, by the unique id of the first one, and which they are."""

    hass: HomeAssistant
    current: Callable[[], Mapping[str, T]]
    entities_of: Callable[[T], Iterable[Entity]]
    is_other: Callable[[T, T], bool]
    known: dict[str, tuple[T, list[Entity]]] = field(default_factory=dict)

    def find_new(self) -> Iterator[tuple[list[Entity], list[Entity]]]:
        """Yield the entities to be added of one thing, and those that they replace."""
        things = self.current()
        self._forget(self.known.keys() - things.keys())
        for unique_id, thing in things.items():
            known = self.known.get(unique_id)
            if known is None or self.is_other(known[0], thing):
                new = list(self.entities_of(thing))
                self.known[unique_id] = thing, new
                yield new, known[1] if known else []

    def _forget(self, gone: Iterable[str]) -> None:
        """Forget what has gone for good, with its device: the rest comes back by itself."""
        for unique_id in gone:
            if not _entity_id(self.hass, unique_id):
                del self.known[unique_id]


async def _async_replace(
    hass: HomeAssistant,
    old: Iterable[Entity],
    new: Iterable[Entity],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add entities in place of others; what has no successor is forgotten."""
    staying = {entity.unique_id for entity in new}
    for entity in old:
        await _async_give_way(hass, entity, forget=entity.unique_id not in staying)
    async_add_entities(new)


async def _async_give_way(hass: HomeAssistant, entity: Entity, *, forget: bool) -> None:
    """Remove an entity, and what is registered of it if it is to be forgotten."""
    entity_id = _entity_id(hass, entity.unique_id or "")
    if entity_id is None:
        return
    if forget:
        er.async_get(hass).async_remove(entity_id)
    elif hass.states.get(entity_id):  # none of one that is disabled
        await entity.async_remove()


def _entity_id(hass: HomeAssistant, unique_id: str) -> str | None:
    registry = er.async_get(hass)
    return registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)
