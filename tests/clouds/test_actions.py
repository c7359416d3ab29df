"""Actions end with their entry; a busy recorder holds nobody up."""

import asyncio
from contextlib import suppress
from datetime import timedelta
import threading

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from tests.simulator import Simulator

from ..held_recorder import Hold
from .life import START, CloudLife

pytestmark = pytest.mark.freeze_time(START)


@pytest.mark.rate_limit
@pytest.mark.parametrize("how", ["remove", "unload", "reload", "disable"])
async def test_an_action_ends_with_its_entry(life: CloudLife, how: str) -> None:
    life.cloud.quirks.longest = {"H": timedelta(days=5)}
    life.cloud.quirks.window_refusal = 400
    await life.set_up()
    await life.imported()
    mark = life.mark
    action = life.hass.async_create_task(life.call("import_history"))
    for _ in range(600):
        if life.past(mark) >= 2:
            break
        await asyncio.sleep(0.2)
    assert not action.done()
    entries, entry_id = life.hass.config_entries, life.entry.entry_id
    match how:
        case "remove":
            await entries.async_remove(entry_id)
        case "unload":
            await entries.async_unload(entry_id)
        case "reload":
            await entries.async_reload(entry_id)
        case _:
            await entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    mark = life.mark
    with suppress(HomeAssistantError, asyncio.CancelledError):
        await action
    assert action.done()
    await life.minutes(10)
    assert life.past(mark) <= 1  # one may be on its way


@pytest.fixture
async def loaded(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return an entry whose history is in."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    state = hass.states.get("sensor.immeuble_001_history_import")
    assert state
    assert float(state.state) == 100
    return entry


async def test_set_up_does_not_wait_for_the_recorder(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    get_instance(hass).queue_task(hold := Hold())
    setting_up = hass.async_create_task(
        hass.config_entries.async_setup(loaded.entry_id)
    )
    await _until(hass, setting_up.done)
    done = setting_up.done()
    power = hass.states.get("sensor.immeuble_001_consumption_power")
    hold.release.set()
    await setting_up
    assert done, "set-up waits for the recorder"
    assert power
    assert float(power.state) >= 0


async def test_sensors_do_not_wait_for_the_recorder(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, loaded: MockConfigEntry
) -> None:
    def shown() -> str:
        state = hass.states.get("sensor.immeuble_001_last_reading")
        return state.state if state else ""

    before = shown()
    get_instance(hass).queue_task(hold := Hold())
    for _ in range(4):
        freezer.tick(timedelta(minutes=5))
        async_fire_time_changed(hass)
        await _until(hass, lambda: shown() != before)
    meanwhile = shown()
    hold.release.set()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert meanwhile != before, "a reading is not shown while the recorder is busy"


async def _until(hass: HomeAssistant, done: object) -> None:
    """Let the loop run until something is so, for seconds that nobody freezes."""
    assert callable(done)
    for _ in range(300):
        if done():
            return
        await hass.async_add_executor_job(threading.Event().wait, 0.01)
