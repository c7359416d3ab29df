"""What the tests of prices that are kept share: versions of a tariff, and the time."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.climkit.metering.tariff import Tariff

ZURICH = ZoneInfo("Europe/Zurich")
PRICE = "sensor.price"
NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


def version(valid_from: str = "2026-11-25", **data: Any) -> Tariff:
    """Return a version that is priced by the entity, or as told."""
    kind = {"pricing": "entity", "entity_id": PRICE}
    return Tariff.from_dict(
        {"component": "grid", "valid_from": valid_from} | (data or kind)
    )


async def pass_by(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: datetime
) -> None:
    """Let it become a later moment, and everything happen that is due."""
    freezer.move_to(moment)
    async_fire_time_changed(hass, moment)
    await hass.async_block_till_done(wait_background_tasks=True)
