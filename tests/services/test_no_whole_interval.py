"""Readings of days in which no month begins."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import history_done
from ..simulator import SimulatedSite, sites
from .calls import read


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site whose first month is not whole."""
    created = datetime(2026, 3, 23, 23, tzinfo=UTC)
    return sites.community(created=created, heat=True, water=True)


@pytest.mark.statistics_only
@pytest.mark.freeze_time("2026-04-01T10:05:00+00:00")
async def test_no_month_begins(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """That there is no row, though there are values, is no fault of the cloud's."""
    await history_done(loaded)
    answer = await read(
        hass, loaded, start="2026-03-28", end="2026-03-31", period="month"
    )
    assert {"consumption", "heating", "cold_water"} <= answer["readings"].keys()
    for series in answer["readings"].values():
        assert series["intervals"] == []
        assert series["total"] is None
