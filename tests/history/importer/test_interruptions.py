"""The import of the history: complete, exact, wherever it is interrupted."""

from collections.abc import Callable
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import RequestQueue
from tests.conftest import NOW, entry_for, history_done, later, set_up
from tests.simulator import Fault, SimulatedSite, Simulator

from .whole_history import assert_history

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry with one flat: all flows are in the same windows."""
    return entry_for(site, meters=[site.meter("Appartement 1.1").id])


@pytest.mark.freeze_time(NOW)
async def test_totals_are_unknown_until_the_history_is_in(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A total that jumps by years of history would be booked as today's consumption."""
    # What is recent, months, that nothing is older, and the first window: then no more.
    fault = cloud.faults.add(Fault("refuse", path="site_data", after=4))
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    progress = hass.states.get("sensor.les_tilleuls_history_import")
    total = hass.states.get("sensor.les_tilleuls_grid_export")
    today = hass.states.get("sensor.les_tilleuls_grid_export_today")
    assert progress is not None
    assert total is not None
    assert today is not None
    assert 10 < float(progress.state) < 90
    assert total.state == "unknown"
    assert float(today.state) > 0
    cloud.faults.remove(fault)
    await later(hass, freezer, timedelta(minutes=2))
    await history_done(entry)
    total = hass.states.get("sensor.les_tilleuls_grid_export")
    assert total is not None
    assert float(total.state) > 0
    await assert_history(hass, site)


INTERRUPTIONS: dict[str, Callable[[], Fault]] = {
    "cloud gone": lambda: Fault("refuse", path="site_data", times=3),
    "token expired": lambda: Fault("status", path="site_data", status=401, times=1),
    "too many requests": lambda: Fault("status", path="site_data", status=429, times=1),
    "server error": lambda: Fault("status", path="site_data", status=502, times=1),
    "a page for JSON": lambda: Fault("html", path="site_data", times=1),
    "truncated": lambda: Fault("truncated", path="site_data", times=1),
}


@pytest.mark.parametrize("stage", [1, 3, 5])
@pytest.mark.parametrize("interruption", INTERRUPTIONS)
@pytest.mark.freeze_time(NOW)
async def test_interrupted_by_the_cloud(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    interruption: str,
    stage: int,
) -> None:
    """Whatever fails in whichever window, the end is that of an undisturbed import."""
    monkeypatch.setattr(RequestQueue, "refused", lambda *_: 0.0)  # the clock stands
    fault = INTERRUPTIONS[interruption]()
    fault.after = stage
    cloud.faults.add(fault)
    await set_up(hass, entry)
    for _ in range(12):
        await later(hass, freezer, timedelta(minutes=2))
    await history_done(entry)
    assert fault.hits
    await assert_history(hass, site)


@pytest.mark.parametrize("windows", [0, 1, 4])
@pytest.mark.freeze_time(NOW)
async def test_interrupted_by_a_restart(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    windows: int,
) -> None:
    """After a restart the import goes on where it was, and fetches nothing twice."""
    fault = cloud.faults.add(Fault("refuse", path="site_data", after=1 + windows))
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    await hass.config_entries.async_unload(entry.entry_id)
    cloud.faults.remove(fault)
    done = [r for r in cloud.requests.to("site_data") if r.status == 200]
    await hass.config_entries.async_setup(entry.entry_id)
    await history_done(entry)
    assert len(done) == 1 + windows
    good = [
        (r.json or {})["t_s"]
        for r in cloud.requests.to("site_data")
        if r.status == 200
        and r.fault is None
        and (r.json or {})["sampling_frequency"] == "H"
    ]
    assert len(good) == len(set(good)) == 5
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_recorder_that_fails(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the recorder is out of order nothing is lost; sensors go on."""
    with monkeypatch.context() as patch:
        patch.setattr(get_instance(hass), "_event_listener", None)
        await set_up(hass, entry)
        await later(hass, freezer, timedelta(minutes=15))
        today = hass.states.get("sensor.les_tilleuls_grid_export_today")
        assert today is not None
        assert float(today.state) > 0
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    await history_done(entry)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_refused_credentials_are_not_tried_again(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """The user is asked; until there is an answer, nobody logs in but the night."""
    fault = cloud.faults.add(Fault("refuse", path="site_data", after=4))
    await set_up(hass, entry)  # the import is interrupted
    await hass.async_block_till_done(wait_background_tasks=True)
    cloud.faults.remove(fault)
    cloud.expire_tokens()
    cloud.faults.add(Fault("status", path="auth", status=401))  # password changed
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    assert hass.config_entries.flow.async_progress()
    before = len(cloud.requests.to("auth"))
    for _ in range(24 * 4):
        await later(hass, freezer, timedelta(minutes=15))
    assert len(cloud.requests.to("auth")) - before <= 3
