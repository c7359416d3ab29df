"""Sensors of money: prices of now, costs and compensations of today and this month."""

from typing import override

from homeassistant.components.sensor import SensorEntity

from .base import ClimkitEntity
from .money_coordinator import MoneyCoordinator
from .money_items import UNPRICED_HOURS, MoneyItem


def sensor_of(coordinator: MoneyCoordinator, item: MoneyItem) -> SensorEntity:
    """Return the sensor that shows something."""
    if item.component is not None:
        return PriceSensor(coordinator, item)
    if item.description is UNPRICED_HOURS:
        return UnpricedHoursSensor(coordinator, item.owner_id, item.description)
    return AmountSensor(coordinator, item.owner_id, item.description)


class PriceSensor(ClimkitEntity[MoneyCoordinator], SensorEntity):
    """What a kWh or m³ costs in this quarter hour."""

    def __init__(self, coordinator: MoneyCoordinator, item: MoneyItem) -> None:
        """Show one price."""
        super().__init__(coordinator, item.owner_id, item.description)
        self._item = item

    @property
    @override
    def native_value(self) -> float | None:
        """Return the price in CHF, or None if there is none now."""
        return self.coordinator.price_of(self._item)


class AmountSensor(ClimkitEntity[MoneyCoordinator], SensorEntity):
    """What has been paid, or is to be, since the beginning of a day or month."""

    @property
    @override
    def native_value(self) -> float | None:
        """Return the amount in CHF, or None while it is not known."""
        return self.coordinator.data.get(self.unique_id or "")


class UnpricedHoursSensor(ClimkitEntity[MoneyCoordinator], SensorEntity):
    """How many hours have energy, but no price."""

    @property
    @override
    def native_value(self) -> int | None:
        """Return their number, or None while it is not known."""
        return self.coordinator.pricing.unpriced_hours
