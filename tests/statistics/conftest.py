"""A writer of statistics, and an archive of prices, on a real recorder."""

from collections.abc import AsyncIterator
from typing import Any

from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
import pytest

from custom_components.climkit.statistics.price_archive import PriceArchive
from custom_components.climkit.statistics.writer import StatisticsWriter, async_choose

from .ledger import FLOWS, metadata


@pytest.fixture
async def writer(
    recorder_mock: Recorder, hass: HomeAssistant, backend: str
) -> StatisticsWriter:
    """Return a writer whose statistics have been announced."""
    writer = StatisticsWriter(hass)
    assert (await async_choose(hass)).name == backend
    await writer.async_announce([metadata(flow, "Site flow") for flow in FLOWS])
    return writer


@pytest.fixture
async def archive(
    recorder_mock: object, hass: HomeAssistant, hass_storage: dict[str, Any]
) -> AsyncIterator[PriceArchive]:
    """Return an archive in which nothing was kept; it is closed in the end."""
    archive = PriceArchive(hass, "entry")
    await archive.async_load()
    yield archive
    await archive.async_close()
