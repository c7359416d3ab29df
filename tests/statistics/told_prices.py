"""Prices that an entity tells, and those that the archive has of them."""

from datetime import UTC, datetime

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.climkit.metering.hours import QUARTER
from custom_components.climkit.statistics.price_archive import PriceArchive

from .price_times import PRICE

TEN = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


def tell(
    hass: HomeAssistant,
    state: object,
    moment: datetime | None = None,
    unit: str | None = "CHF/kWh",
) -> None:
    """Let the entity tell a price; at a moment of the past, if one is given."""
    hass.states.async_set(
        PRICE,
        str(state),
        {"unit_of_measurement": unit},
        timestamp=moment.timestamp() if moment else None,
    )


async def means(
    hass: HomeAssistant, prices: dict[datetime, float], unit: str | None = "CHF/kWh"
) -> None:
    """Let the recorder have hourly means of the entity."""
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.ARITHMETIC,
        has_sum=False,
        name=None,
        source="recorder",
        statistic_id=PRICE,
        unit_class=None,
        unit_of_measurement=unit,
    )
    rows = [
        StatisticData(start=hour, mean=price, min=price, max=price)
        for hour, price in prices.items()
    ]
    async_import_statistics(hass, metadata, rows)
    await async_wait_recording_done(hass)


def of_hour(archive: PriceArchive, hour: datetime) -> list[float | None]:
    """Return the prices of the four quarters of an hour."""
    return [archive.price(PRICE, hour + i * QUARTER) for i in range(4)]
