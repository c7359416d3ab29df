"""The import of the history: complete, exact, wherever it is interrupted."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import text

from custom_components.climkit.api import RequestQueue, Resolution
from custom_components.climkit.reading import limits
from tests.conftest import NOW, entry_for, history_done, later, set_up
from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import Fault, SimulatedSite, Simulator, sites

CREATED = datetime(2026, 4, 30, 22, tzinfo=UTC)

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site that is 47 days old."""
    return sites.community(created=CREATED)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry with two flats and the plant."""
    return entry_for(
        site,
        meters=[
            site.meter(name).id
            for name in ("Appartement 1.1", "Appartement 2.1", "Installation solaire")
        ],
    )


@pytest.fixture(autouse=True)
def _short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the import take several requests although the site is young."""
    monkeypatch.setitem(limits.LONGEST, Resolution.HOUR, timedelta(days=10))


async def assert_history(
    hass: HomeAssistant, site: SimulatedSite, since: datetime | None = None
) -> None:
    """Compare every hour of a site's flow and of a flat's with the model."""
    now = dt_util.utcnow()
    flat = site.meter("Appartement 1.1").id
    for statistic, column in (
        (f"climkit:{site.id}_grid_export", "to_ext"),
        (f"climkit:{flat}_solar_consumption", f"self_{flat}"),
    ):
        model = model_hours(site, column, since or site.created, now, at=now)
        assert_equal(await rows_of(hass, statistic), model)


def hourly(cloud: Simulator) -> list[tuple[str, str | None]]:
    """Return the windows of hourly rows that were asked for."""
    return [
        (request.json["t_s"], request.json.get("t_e"))
        for request in cloud.requests
        if request.endpoint == "site_data"
        and request.json
        and request.json["sampling_frequency"] == "H"
    ]


@pytest.mark.freeze_time(NOW)
async def test_oldest_first(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """Five windows of ten days, oldest first, each once; then it is all there."""
    await set_up(hass, entry)
    await history_done(entry)
    windows = hourly(cloud)
    assert windows == sorted(windows)
    assert len(windows) == 5
    assert windows[0][0] == "2026-04-30T19:00:00"  # three hours early
    await assert_history(hass, site)


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


@pytest.mark.parametrize("refusal", [413, 400])
@pytest.mark.freeze_time(NOW)
async def test_windows_that_are_refused_are_halved(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    refusal: int,
) -> None:
    """A cloud that gives fewer days at a time, of months too, gets shorter questions.

    Twelve are the least; some more find out how long they may be, and that there was
    nothing before.
    """
    cloud.quirks.window_limit = timedelta(days=4)
    cloud.quirks.window_refusal = refusal
    await set_up(hass, entry)
    await history_done(entry)
    await assert_history(hass, site)
    assert len(hourly(cloud)) < 40


@pytest.mark.freeze_time(NOW)
async def test_a_day_that_is_refused_for_good_is_left_out_and_said(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One bad day does not cost the years behind it; it is looked for again at night."""
    rows_missing = datetime(2026, 5, 20, tzinfo=UTC)

    def hitting(endpoint: str, path: str) -> Fault | None:
        covers = _covers(cloud.requests[-1].json, rows_missing)
        return Fault("status", status=500) if covers else None

    monkeypatch.setattr(cloud.faults, "hitting", hitting)
    await set_up(hass, entry)
    for _ in range(10):
        await later(hass, freezer, timedelta(minutes=6))
    await history_done(entry)
    assert caplog.text.count("does not give") == 1
    (hole,) = entry.runtime_data.history.reconciler.left_out.holes
    assert hole.span[0] <= rows_missing < hole.span[1]
    assert hole.span[1] - hole.span[0] <= timedelta(days=3)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_export")
    assert rows_missing not in rows
    assert min(rows) == CREATED
    assert len(rows) >= (dt_util.utcnow() - CREATED) / timedelta(hours=1) - 3 * 24 - 2
    monkeypatch.undo()
    await entry.runtime_data.audit.async_run()
    await assert_history(hass, site)
    assert not entry.runtime_data.history.reconciler.left_out.holes


@pytest.mark.freeze_time(NOW)
async def test_a_cleared_statistic_comes_back(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Somebody deletes a statistic in the developer tools: it is fetched again."""
    await set_up(hass, entry)
    await history_done(entry)
    get_instance(hass).async_clear_statistics([f"climkit:{site.id}_grid_export"])
    await async_wait_recording_done(hass)
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_an_older_database(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A backup without the last twenty days is filled up, also while running."""
    await set_up(hass, entry)
    await history_done(entry)
    horizon = (dt_util.utcnow() - timedelta(days=20)).timestamp()
    with get_instance(hass).get_session() as session:
        session.execute(text(f"DELETE FROM statistics WHERE start_ts > {horizon}"))
        session.commit()
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_a_meter_chosen_later(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """A meter that is added to the choice gets its whole history."""
    await set_up(hass, entry)
    await history_done(entry)
    flat = site.meter("Appartement 3.2").id
    hass.config_entries.async_update_entry(
        entry, options={"meters": [*entry.options["meters"], flat]}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await history_done(entry)
    model = model_hours(
        site, f"total_{flat}", CREATED, dt_util.utcnow(), at=dt_util.utcnow()
    )
    assert_equal(await rows_of(hass, f"climkit:{flat}_consumption"), model)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_data_that_begins_late(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """Empty windows before the first data are normal, and are not asked for again."""
    site.first_data = datetime(2026, 6, 5, tzinfo=UTC)
    await set_up(hass, entry)
    await history_done(entry)
    await assert_history(hass, site, since=site.first_data)
    asked = len(hourly(cloud))
    await hass.config_entries.async_reload(entry.entry_id)
    await history_done(entry)
    assert len(hourly(cloud)) == asked


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
async def test_import_again(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """The action fetches again from a day on and reconciles; trouble is told."""
    await set_up(hass, entry)
    await history_done(entry)
    day = datetime(2026, 5, 10, tzinfo=UTC)
    site.revise(day, day + timedelta(days=1), factor=2.0, at=CREATED)
    asked = len(hourly(cloud))
    data = {"config_entry_id": entry.entry_id, "start": "2026-05-08 00:00:00"}
    await hass.services.async_call("climkit", "import_history", data, blocking=True)
    assert len(hourly(cloud)) - asked == 4
    await assert_history(hass, site)
    cloud.faults.add(Fault("refuse", path="site_data"))
    with pytest.raises(HomeAssistantError, match="Les Tilleuls"):
        await hass.services.async_call("climkit", "import_history", data, blocking=True)


@pytest.mark.freeze_time(NOW)
async def test_two_who_import_again_share_a_run(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """Who asks for no more than what is being fetched waits for that."""
    await set_up(hass, entry)
    await history_done(entry)

    async def again(start: str) -> None:
        data = {"config_entry_id": entry.entry_id, "start": start}
        await hass.services.async_call("climkit", "import_history", data, blocking=True)

    asked = len(hourly(cloud))
    await again("2026-05-08 00:00:00")
    alone = len(hourly(cloud)) - asked
    await asyncio.gather(again("2026-05-08 00:00:00"), again("2026-05-20 00:00:00"))
    assert len(hourly(cloud)) - asked == 2 * alone


@pytest.mark.freeze_time(NOW)
async def test_the_sensor_can_be_updated_by_hand(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await history_done(entry)
    await async_setup_component(hass, "homeassistant", {})
    sensor = "sensor.les_tilleuls_history_import"
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": [sensor]}, blocking=True
    )
    state = hass.states.get(sensor)
    assert state is not None
    assert float(state.state) == 100
    assert entry.runtime_data.history.last_update_success


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


@pytest.mark.freeze_time(NOW)
async def test_cleared_while_it_is_imported(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows that vanish between question and answer: from the beginning, in a while."""
    await set_up(hass, entry)
    await history_done(entry)
    statistic = f"climkit:{site.id}_grid_export"
    left = [2]
    """Once for a poll to find it, and once in the middle of the import."""

    def hitting(endpoint: str, path: str) -> None:
        asked = (cloud.requests[-1].json or {}).get("sampling_frequency")
        if left[0] and asked == ("15T" if left[0] == 2 else "H"):
            left[0] -= 1
            get_instance(hass).async_clear_statistics([statistic])

    monkeypatch.setattr(cloud.faults, "hitting", hitting)
    for _ in range(6):
        await later(hass, freezer, timedelta(minutes=15))
    await history_done(entry)
    assert not left[0]
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_import_again_while_the_recorder_is_out_of_order(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is fetched that can't be stored; who asks is told why."""
    with monkeypatch.context() as patch:
        patch.setattr(get_instance(hass), "_event_listener", None)
        await set_up(hass, entry)
        before = len(hourly(cloud))
        data = {"config_entry_id": entry.entry_id}
        with pytest.raises(HomeAssistantError) as caught:
            await hass.services.async_call(
                "climkit", "import_history", data, blocking=True
            )
        assert caught.value.translation_key == "recorder_unavailable"
        assert len(hourly(cloud)) == before
    await later(hass, freezer, timedelta(minutes=15))
    await history_done(entry)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_import_again_from_now_on(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """What the polls bring is no history: there is nothing to ask for."""
    await set_up(hass, entry)
    await history_done(entry)
    before = len(cloud.requests)
    data = {"config_entry_id": entry.entry_id, "start": "2026-06-16 00:00:00"}
    await hass.services.async_call("climkit", "import_history", data, blocking=True)
    assert len(cloud.requests) == before


@pytest.mark.freeze_time(NOW)
async def test_months_of_which_no_hour_is_given(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """A cloud that keeps hours of this month only: no older month is looked into."""
    kept = datetime(2026, 6, 5, tzinfo=UTC)
    cloud.quirks.depth = {"H": kept}
    await set_up(hass, entry)
    await history_done(entry)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_export")
    assert kept <= min(rows) <= kept + timedelta(hours=5)
    now = dt_util.utcnow()
    model = model_hours(site, "to_ext", min(rows), now, at=now)
    assert_equal(rows, model)
    asked = {
        (request.json or {}).get("sampling_frequency") for request in cloud.requests
    }
    assert "M" in asked
    assert "D" not in asked


@pytest.mark.freeze_time(NOW)
async def test_months_by_their_last_day(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """Labels that may mean two months are of no use: all is read by the hour."""
    cloud.quirks.months_by_last_day = True
    await set_up(hass, entry)
    await history_done(entry)
    await assert_history(hass, site)


def _covers(body: dict[str, str] | None, time: datetime) -> bool:
    """Return whether a request asks for hours around a time, without its margins."""
    if not body or body.get("sampling_frequency") != "H":
        return False
    start = datetime.fromisoformat(body["t_s"]).replace(tzinfo=UTC) + timedelta(hours=3)
    if "t_e" not in body:
        return start <= time
    end = datetime.fromisoformat(body["t_e"]).replace(tzinfo=UTC) - timedelta(hours=3)
    return start <= time < end
