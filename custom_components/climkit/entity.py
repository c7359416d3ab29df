"""What all entities share: unique ids, names by key, the device that they belong to."""

from typing import Any

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
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
