"""A recorder that is busy, or that has moved, costs the statistics their time only."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
import sys
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import tasks
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import NOW, entry_for, history_done, set_up
from ..held_recorder import Hold
from ..ledger import assert_equal, model_hours, rows_of
from ..simulator import SimulatedSite, Simulator

QUARTER = timedelta(minutes=15)

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def hold() -> Iterator[Hold]:
    hold = Hold()
    yield hold
    hold.release.set()


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[])


async def assert_right(
    hass: HomeAssistant, site: SimulatedSite, kind: str, column: str
) -> None:
    now = dt_util.utcnow()
    model = model_hours(site, column, site.created, now, at=now)
    assert_equal(await rows_of(hass, f"climkit:{site.id}_{kind}"), model)


async def test_set_up_does_not_wait(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, hold: Hold
) -> None:
    """Nor does a reload; the sensors of the present are there."""
    await set_up(hass, entry)
    await history_done(entry)
    get_instance(hass).queue_task(hold)
    async with asyncio.timeout(20):
        await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    power = hass.states.get("sensor.les_tilleuls_consumption_power")
    assert power is not None
    assert float(power.state) > 0


async def test_polls_and_sensors_do_not_wait(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    hold: Hold,
) -> None:
    """Three hours of backup: each poll is shown, and at its end all is written."""
    await set_up(hass, entry)
    await history_done(entry)
    get_instance(hass).queue_task(hold)
    shown = set()
    for _ in range(12):
        freezer.tick(QUARTER)
        async with asyncio.timeout(20):
            await entry.runtime_data.live[0].async_refresh()
        state = hass.states.get("sensor.les_tilleuls_last_reading")
        assert state is not None
        shown.add(state.state)
    assert len(shown) == 12
    hold.release.set()
    await history_done(entry)
    await assert_right(hass, site, "consumption", "conso_total")


async def test_first_set_up_with_a_busy_recorder(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    hold: Hold,
) -> None:
    """The history comes when the recorder serves; nothing is lost by then."""
    get_instance(hass).queue_task(hold)
    async with asyncio.timeout(20):
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
    assert hass.states.get("sensor.les_tilleuls_consumption_power")
    hold.release.set()
    await history_done(entry)
    await assert_right(hass, site, "grid_import", "from_ext")


async def test_a_moved_name(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The product starts, shows and imports; one line says what is in use instead."""
    package = "custom_components.climkit.statistics"
    for name in ("table", "transactions"):
        monkeypatch.delitem(sys.modules, f"{package}.{name}", raising=False)
    monkeypatch.delattr(tasks, "RecorderTask")  # next year's Home Assistant
    await set_up(hass, entry)
    await history_done(entry)
    statistics = entry.runtime_data.statistics
    assert statistics.backend == "official"
    lines = [r for r in caplog.records if "not as expected" in r.getMessage()]
    assert len(lines) == 1
    await assert_right(hass, site, "consumption", "conso_total")
    start = dt_util.utcnow() - timedelta(days=4)
    site.revise(start, start + timedelta(hours=30), factor=1.5)
    data: dict[str, Any] = {"config_entry_id": entry.entry_id}
    await hass.services.async_call("climkit", "import_history", data, blocking=True)
    await assert_right(hass, site, "consumption", "conso_total")


async def test_as_it_is_today(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await history_done(entry)
    assert entry.runtime_data.statistics.backend == "table"
