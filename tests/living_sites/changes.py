"""Lets a day pass at a site, and looks at what there is of it."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from ..conftest import history_done, later

CREATED = datetime(2026, 6, 12, 22, tzinfo=UTC)
DAY = timedelta(days=1, seconds=5)


def device_of(
    hass: HomeAssistant, entry: MockConfigEntry, id_: str
) -> dr.DeviceEntry | None:
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, id_), entry.entry_id
    )


async def names_of_statistics(hass: HomeAssistant) -> dict[str, str | None]:
    return {
        some["statistic_id"]: some["name"]
        for some in await async_list_statistic_ids(hass)
        if some["source"] == DOMAIN
    }


async def day_passes(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry
) -> None:
    """Let the daily look at the site come, and whatever follows from it."""
    await later(hass, freezer, DAY)
    await later(hass, freezer, timedelta(seconds=15))
    await history_done(entry)
    await hass.async_block_till_done(wait_background_tasks=True)
