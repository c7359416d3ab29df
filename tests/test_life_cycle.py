"""The life of an entry at its edges: what goes and returns, waits, or cannot be read."""

from datetime import UTC, datetime, timedelta
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for, history_done, later, set_up
from .held_recorder import Hold
from .ledger import assert_equal, model_hours, rows_of
from .simulator import SimulatedSite, Simulator, sites

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.debug]


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site with heat, six days old."""
    return sites.community(created=datetime(2026, 6, 9, 22, tzinfo=UTC), heat=True)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry of the site alone."""
    return entry_for(site, meters=[])


async def test_a_medium_that_goes_and_returns(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """The site keeps its sensor meanwhile, and gets no second one."""
    await set_up(hass, entry)
    await history_done(entry)
    before = hass.states.get("sensor.les_tilleuls_heating")
    assert before is not None
    meters = site.meters
    for some in ([meter for meter in meters if meter.type != "heating"], meters):
        site.meters = some
        await entry.runtime_data.site.async_refresh()
        for _ in range(2):
            await later(hass, freezer, timedelta(hours=1))
            await history_done(entry)
    after = hass.states.get("sensor.les_tilleuls_heating")
    assert after is not None
    assert float(after.state) >= float(before.state) > 0
    assert "unique" not in caplog.text


async def test_unloaded_while_the_recorder_lets_it_wait(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing starts for an entry that is gone."""
    await set_up(hass, entry)
    await history_done(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    statistic = f"climkit:{entry.unique_id}_consumption"
    get_instance(hass).async_clear_statistics([statistic])
    await async_wait_recording_done(hass)
    get_instance(hass).queue_task(hold := Hold())
    hass.set_state(CoreState.starting)
    try:
        await hass.config_entries.async_setup(entry.entry_id)
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await hass.async_add_executor_job(lambda: None)
        await hass.config_entries.async_unload(entry.entry_id)
        before = len(cloud.requests)
    finally:
        hold.release.set()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(cloud.requests) == before


async def test_removed_in_the_middle_of_a_window(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """What is booked while an entry is saved for the last time leaves no file behind."""
    await set_up(hass, entry)
    await history_done(entry)
    file = f"{DOMAIN}.{entry.entry_id}"
    statistics, flows = entry.runtime_data.statistics, entry.runtime_data.live[0].flows
    await later(hass, freezer, timedelta(minutes=2))
    assert file in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    assert file not in hass_storage
    for flow in flows:
        statistics.advance([flow], dt_util.utcnow())
    await later(hass, freezer, timedelta(minutes=2))
    assert file not in hass_storage


async def test_statistics_that_cannot_be_read(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A database that is locked costs the statistics their time, the sensors nothing."""
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    await set_up(hass, entry)
    await history_done(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    recorder = get_instance(hass)
    recorder.statistics_meta_manager.reset()

    def fail(_c: object, _cu: object, statement: str, *_: object) -> None:
        if "FROM statistics_meta" in statement:
            raise OperationalError(statement, {}, Exception("database is locked"))

    event.listen(recorder.engine, "before_cursor_execute", fail)
    try:
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.state is ConfigEntryState.LOADED
        power = hass.states.get("sensor.les_tilleuls_consumption_power")
        assert power is not None
        assert float(power.state) > 0
        await entry.runtime_data.audit.async_run()
    finally:
        event.remove(recorder.engine, "before_cursor_execute", fail)
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    await history_done(entry)
    now = dt_util.utcnow()
    model = model_hours(site, "conso_total", site.created, now, at=now)
    assert_equal(await rows_of(hass, f"climkit:{site.id}_consumption"), model)
