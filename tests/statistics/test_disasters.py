"""A full disk, a recorder that does not record, clocks that jump: nothing lost for good."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import logging
from typing import override

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from sqlalchemy import text

from custom_components.climkit.const import DOMAIN
from tests.simulator import SimulatedSite, Simulator, sites

from ..conftest import NOW, entry_for, history_done, set_up
from ..fast_clock import fast_clock
from ..ledger import assert_equal, model_hours, rows_of

BEGINNING = datetime(2026, 6, 12, 22, tzinfo=UTC)

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(NOW)]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.WARNING, "homeassistant.components.recorder")


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=BEGINNING)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[])


@dataclass(slots=True)
class _Limit(RecorderTask):
    """Lets the database grow to so many pages, in the recorder's own connection."""

    pages: int

    @override
    def run(self, instance: Recorder) -> None:
        session = instance.event_session
        assert session is not None
        session.execute(text(f"PRAGMA max_page_count = {self.pages}"))


async def _compare(
    hass: HomeAssistant, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    newest = entry.runtime_data.live[0].data.newest
    for flow, column in (("consumption", "conso_total"), ("grid_import", "from_ext")):
        rows = await rows_of(hass, f"{DOMAIN}:{site.id}_{flow}")
        assert_equal(rows, model_hours(site, column, BEGINNING, newest))


async def test_disk_full(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What cannot be written is said to be so, and written when there is space."""
    with fast_clock(freezer):
        get_instance(hass).queue_task(_Limit(1))  # as many as there are, that is
        await set_up(hass, entry)
        await asyncio.sleep(3600)
        assert entry.state is ConfigEntryState.LOADED
        history = entry.runtime_data.history
        assert history.data < 100
        get_instance(hass).queue_task(_Limit(100_000))
        await history_done(entry)
        await asyncio.sleep(1200)
        await _compare(hass, entry, site)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_recorder_that_does_not_record(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Sensors go on meanwhile; afterwards the hours are there."""
    with fast_clock(freezer):
        await set_up(hass, entry)
        await history_done(entry)
        recorder = get_instance(hass)
        recorder._async_stop_listeners()
        await asyncio.sleep(3 * 3600)
        live = entry.runtime_data.live[0]
        assert live.last_update_success
        assert dt_util.utcnow() - live.data.newest < timedelta(minutes=35)
        with pytest.raises(HomeAssistantError):
            await _import(hass, entry)
        recorder.async_initialize()
        assert recorder.recording
        await asyncio.sleep(1200)
        await _compare(hass, entry, site)
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("hours", [5, -5, 30, -30])
async def test_clock_jumps(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hours: int,
) -> None:
    """Home Assistant's clock is wrong for an hour, the cloud's never."""
    wrong = timedelta()
    cloud.clock = lambda: dt_util.utcnow() - wrong
    with fast_clock(freezer):
        await set_up(hass, entry)
        await history_done(entry)
        wrong = timedelta(hours=hours)
        freezer.tick(wrong)
        for _ in range(4):
            await entry.runtime_data.live[0].async_refresh()
            await asyncio.sleep(900)
        rows = await rows_of(hass, f"{DOMAIN}:{site.id}_consumption")
        known = model_hours(site, "conso_total", BEGINNING, cloud.clock())
        assert rows.keys() <= known.keys()
        freezer.tick(-wrong)
        wrong = timedelta()
        await entry.runtime_data.live[0].async_refresh()
        await asyncio.sleep(3600)
        await _compare(hass, entry, site)
        await hass.config_entries.async_unload(entry.entry_id)


async def _import(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.services.async_call(
        DOMAIN, "import_history", {"config_entry_id": entry.entry_id}, blocking=True
    )
