"""Total sensors: all that was published, at every moment, and nothing twice."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import CoreState, Event, EventStateChangedData, HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.statistics.table import WriteTask
from tests.simulator import Fault, SimulatedSite, Simulator

from ..conftest import NOW, entry_for, history_done, later, set_up
from ..held_recorder import Hold
from ..ledger import assert_equal, model_hours, rows_of

TOTAL = "sensor.les_tilleuls_consumption"
QUARTER = timedelta(minutes=15)
MISSING = datetime(2026, 6, 16, 10, 15, tzinfo=UTC)
"""The quarter hour that the cloud gets late."""

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry of the site alone."""
    return entry_for(site, meters=[])


def total(hass: HomeAssistant) -> float:
    """Return what the sensor shows."""
    state = hass.states.get(TOTAL)
    assert state is not None
    return float(state.state)


def assert_total(hass: HomeAssistant, site: SimulatedSite) -> None:
    """Compare the sensor with all that the model has published; rows are rounded."""
    now = dt_util.utcnow()
    published = site.model("electricity", "15T", site.created, now, at=now)
    expected = sum(published["conso_total"].values())
    assert total(hass) == pytest.approx(expected, abs=0.05)


async def test_an_hour_that_waits_for_a_quarter(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Its other quarters stay in the total while later hours are written, and after."""
    site.outage(MISSING, MISSING + QUARTER, until=MISSING + timedelta(hours=10))
    await set_up(hass, entry)
    await history_done(entry)
    for _ in range(12 * 4):
        await later(hass, freezer, QUARTER)
        await entry.runtime_data.live[0].async_refresh()
        await history_done(entry)
        assert_total(hass, site)


@pytest.mark.parametrize("comes", [timedelta(hours=10), timedelta(hours=3)])
async def test_an_hour_that_waits_during_a_restart(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    comes: timedelta,
) -> None:
    """Before the first booking the total is that of the database and what it lacks."""
    site.outage(MISSING, MISSING + QUARTER, until=MISSING + comes)
    await set_up(hass, entry)
    await history_done(entry)
    for _ in range(10):
        await later(hass, freezer, QUARTER)
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(hours=1))
    hass.set_state(CoreState.starting)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_total(hass, site)


async def test_polls_go_on_while_the_recorder_is_busy(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Totals are right at every poll; one task waits; then the newest poll is written."""
    await set_up(hass, entry)
    await history_done(entry)
    recorder = get_instance(hass)
    queue_task = recorder.queue_task
    queue_task(hold := Hold())
    waiting: list[WriteTask] = []

    def note(task: RecorderTask) -> None:
        queue_task(task)
        if isinstance(task, WriteTask):
            waiting.append(task)

    monkeypatch.setattr(recorder, "queue_task", note)
    try:
        for _ in range(10):
            freezer.tick(QUARTER)
            await entry.runtime_data.live[0].async_refresh()
            assert_total(hass, site)
        assert len(waiting) == 1
    finally:
        hold.release.set()
    await history_done(entry)
    now = dt_util.utcnow()
    model = model_hours(site, "conso_total", site.created, now, at=now)
    assert_equal(await rows_of(hass, f"climkit:{site.id}_consumption"), model)
    assert_total(hass, site)


async def test_days_without_news(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """What is known stays known, and is not asked for again, while nothing comes."""
    site.outage(MISSING, MISSING + timedelta(days=9), until=MISSING + timedelta(days=9))
    await set_up(hass, entry)
    await history_done(entry)
    await later(hass, freezer, timedelta(hours=1))
    states: list[str] = []

    def note(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == TOTAL and event.data["new_state"]:
            states.append(event.data["new_state"].state)

    hass.bus.async_listen("state_changed", note)
    before = len(cloud.requests)
    for _ in range(60):
        await later(hass, freezer, timedelta(hours=1))
    assert STATE_UNKNOWN not in states
    newest = hass.states.get("sensor.les_tilleuls_last_reading")
    assert newest is not None
    assert newest.state == "2026-06-16T10:15:00+00:00"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    newest = hass.states.get("sensor.les_tilleuls_last_reading")
    assert newest is not None
    # After a restart, by the statistics: the hour in which it was.
    assert newest.state == "2026-06-16T11:00:00+00:00"
    asked = [
        request
        for request in cloud.requests[before:]
        if request.json and request.json.get("sampling_frequency") == "H"
    ]
    # Of two or three nights: what is recent, what is old, and whether the cloud answers.
    assert len(asked) <= 12


async def test_a_site_that_is_refused_at_first(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
) -> None:
    """What was never given has no history that is in; once it is given, it has all."""
    flat = site.meter("Appartement 1.1").id
    entry = entry_for(site, meters=[flat])
    refusal = cloud.faults.add(Fault("status", path="site_data", status=403))
    await set_up(hass, entry)
    await history_done(entry)
    state = hass.states.get(TOTAL)
    assert state is not None
    assert state.state == STATE_UNKNOWN
    now = dt_util.utcnow()
    model = model_hours(site, f"total_{flat}", site.created, now, at=now)
    assert_equal(await rows_of(hass, f"climkit:{flat}_consumption"), model)
    cloud.faults.remove(refusal)
    totals: set[str] = set()

    def note(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == TOTAL and event.data["new_state"]:
            totals.add(event.data["new_state"].state)

    hass.bus.async_listen("state_changed", note)
    await later(hass, freezer, timedelta(hours=25))
    for _ in range(3):
        await later(hass, freezer, QUARTER)
    now = dt_util.utcnow()
    model = model_hours(site, "conso_total", site.created, now, at=now)
    assert_equal(await rows_of(hass, f"climkit:{site.id}_consumption"), model)
    known = [float(value) for value in totals - {STATE_UNKNOWN}]
    assert known
    assert min(known) > 300  # six days, not two
