"""Sensors: totals, today, power and costs of every flow; rates and state of the site."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .devices import known_sensors
from .entities.base import async_add_as_they_come
from .entities.environment import EnvironmentSensor
from .entities.flows import sensors_of
from .entities.money import sensor_of
from .entities.money_coordinator import MoneyCoordinator
from .entities.registers import RegisterSensor, registers_of
from .entities.status import (
    HISTORY_IMPORT,
    LAST_READING,
    HistorySensor,
    LastReadingSensor,
)
from .runtime import ClimkitConfigEntry, SiteRuntime

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a site, and of what appears at it later."""
    async_add_entities(_status_of(entry.runtime_data))
    await _async_add_flows(entry, async_add_entities)
    await _async_add_registers(entry, async_add_entities)
    await _async_add_environment(entry, async_add_entities)
    await _async_add_money(hass, entry, async_add_entities)


def _status_of(data: SiteRuntime) -> list[Entity]:
    """Return the sensors of how far readings and history have come."""
    newest = next((some for some in data.live if some.media), data.live[0])
    return [
        LastReadingSensor(newest, data.site.data.site.id, LAST_READING),
        HistorySensor(data.history, data.site.data.site.id, HISTORY_IMPORT),
    ]


async def _async_add_registers(
    entry: ClimkitConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the registers of the meters, but of those that another entry shows."""
    data = entry.runtime_data
    await async_add_as_they_come(
        entry,
        [data.site],
        lambda: {
            key: (meter, description)
            for key, (meter, description) in registers_of(data.site.data).items()
            if meter.id not in data.statistics.foreign
        },
        lambda register: [RegisterSensor(data.registers, register, data.site.data)],
        async_add_entities,
    )


async def _async_add_environment(
    entry: ClimkitConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the environmental sensors as the cloud lists them."""
    environment = entry.runtime_data.environment
    await async_add_as_they_come(
        entry,
        [environment],
        lambda: {sensor.id: sensor for sensor in known_sensors(entry)},
        lambda sensor: [EnvironmentSensor(environment, sensor)],
        async_add_entities,
    )


async def _async_add_money(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add prices and costs with their tariffs; they go with them, too."""
    data = entry.runtime_data
    money = MoneyCoordinator(hass, entry, data.pricing, data.live)
    await async_add_as_they_come(
        entry,
        [money],
        lambda: money.items,
        lambda item: [sensor_of(money, item)],
        async_add_entities,
    )
    money.async_start()


async def _async_add_flows(
    entry: ClimkitConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of each flow as soon as it is there, and again if it returns.

    They are replaced when the cloud corrects what a meter measures.
    """
    data = entry.runtime_data
    await async_add_as_they_come(
        entry,
        data.live,
        lambda: {
            flow.key: (coordinator, flow)
            for coordinator in data.live
            for flow in coordinator.flows
            if data.statistics.owns(flow)
        },
        lambda followed: sensors_of(*followed),
        async_add_entities,
        # Of an unknown medium the cloud has just said less than before.
        is_other=lambda old, new: new[1].unit is not None and old != new,
    )
