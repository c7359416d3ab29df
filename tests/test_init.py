"""The life of a config entry on a real cloud: set-up, values, polls, restart, removal."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STARTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from sqlalchemy import event

from .conftest import NOW, entry_for, history_done, later, set_up
from .held_recorder import Hold
from .ledger import WIRE
from .simulator import SimulatedSite, Simulator, sites
from .whole_history import assert_history

QUARTER = timedelta(minutes=15)


@pytest.mark.freeze_time(NOW)
async def test_set_up(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """First values come with four requests; the history follows, complete and right."""
    await set_up(hass, entry)
    assert [request.endpoint for request in cloud.requests][:4] == [
        "auth",
        "installation_infos",
        "meter_info",
        "site_data",
    ]
    await history_done(entry)
    sampled = [r.json["sampling_frequency"] for r in cloud.requests.to("site_data")]
    assert sampled[0] == "15T"
    assert set(sampled) == {"15T", "M", "H"}
    assert len(cloud.requests) <= 10
    await assert_history(hass, site)
    values = {state.entity_id: state.state for state in hass.states.async_all()}
    assert not [
        id_ for id_, v in values.items() if v in (STATE_UNKNOWN, STATE_UNAVAILABLE)
    ]


@pytest.mark.freeze_time(NOW)
async def test_values(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """What sensors show is the model's, as far as it is published."""
    await set_up(hass, entry)
    await history_done(entry)
    now = dt_util.utcnow()
    quarters = site.model("electricity", "15T", site.created, now, at=now)
    newest = max(quarters["prod_total"])
    midnight = datetime(2026, 6, 15, 22, tzinfo=UTC)
    today = {
        column: sum(v for start, v in values.items() if start >= midnight)
        for column, values in quarters.items()
    }

    def state(key: str) -> float:
        return float(hass.states.get(f"sensor.les_tilleuls_{key}").state)  # type: ignore[union-attr]

    for kind in ("production", "consumption", "grid_import", "grid_export"):
        column = WIRE[kind]
        total = sum(quarters[column].values())
        assert state(kind) == pytest.approx(total, abs=0.0006 * len(quarters[column]))
        assert state(f"{kind}_today") == pytest.approx(today[column], abs=0.05)
        power = max(quarters[column][newest], 0) * 4000
        assert state(f"{kind}_power") == pytest.approx(power, abs=2.1)
    assert state("self_consumption_rate") == pytest.approx(
        100 * today["self"] / today["prod_total"], abs=0.2
    )
    assert state("self_sufficiency_rate") == pytest.approx(
        100 * today["self"] / today["conso_total"], abs=0.2
    )
    last = hass.states.get("sensor.les_tilleuls_last_reading")
    assert last is not None
    assert last.state == (newest + QUARTER).isoformat()


@pytest.mark.parametrize(
    ("now", "created"),
    [
        pytest.param(
            "2026-03-30T12:05:00+00:00",
            datetime(2026, 3, 26, 23, tzinfo=UTC),
            id="spring",
        ),
        pytest.param(
            "2026-10-26T12:05:00+00:00",
            datetime(2026, 10, 22, 22, tzinfo=UTC),
            id="autumn",
        ),
        pytest.param(
            "2026-03-29T09:05:00+00:00",
            datetime(2026, 3, 28, 23, tzinfo=UTC),
            id="live spring",
        ),
        pytest.param(
            "2026-10-25T09:05:00+00:00",
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            id="live autumn",
        ),
    ],
)
async def test_days_of_23_and_25_hours(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    now: str,
    created: datetime,
) -> None:
    """Every hour is right across a change of the clock, by the hour and by quarters."""
    freezer.move_to(now)
    site.created = created
    entry = entry_for(site)
    await set_up(hass, entry)
    await history_done(entry)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_polls_go_on(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Quarter by quarter, statistics and totals follow the cloud."""
    await set_up(hass, entry)
    await history_done(entry)
    before = len(cloud.requests)
    totals = []
    for _ in range(24):
        await later(hass, freezer, timedelta(minutes=5))
        state = hass.states.get("sensor.les_tilleuls_consumption")
        assert state is not None
        totals.append(float(state.state))
    assert totals == sorted(totals)
    assert totals[-1] > totals[0]
    await assert_history(hass, site)
    data = [r for r in cloud.requests[before:] if r.endpoint == "site_data"]
    assert (
        7 <= len(data) <= 14
    )  # two hours: eight quarters, some too early while learning


@pytest.mark.freeze_time(NOW)
async def test_restart(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """After three days without Home Assistant, only what is missing is fetched."""
    await set_up(hass, entry)
    await history_done(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    freezer.tick(timedelta(days=3))
    before = len(cloud.requests)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    asked = [r for r in cloud.requests[before:] if r.endpoint == "site_data"]
    assert len(asked) <= 3  # the present, the three days, and what their month came to
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_a_poll_without_news_writes_nothing(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Not a single row of statistics is touched when the cloud says the same again.

    The first poll after an import is news: quarter hours are finer than the import's
    hourly rows, which are rounded once more.
    """
    await set_up(hass, entry)
    await history_done(entry)
    await entry.runtime_data.live[0].async_refresh()
    writes: list[str] = []
    engine = get_instance(hass).engine
    assert engine is not None

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        head = statement.lstrip().upper()
        if head.startswith(("INSERT INTO STATISTICS ", "UPDATE STATISTICS ", "DELETE")):
            writes.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        before = len(cloud.requests)
        await entry.runtime_data.live[0].async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert len(cloud.requests) == before + 1
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert writes == []


@pytest.mark.freeze_time(NOW)
async def test_removal_keeps_the_statistics(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """The history belongs to the user; set up again, it goes on where it was."""
    await set_up(hass, entry)
    await history_done(entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    await assert_history(hass, site)
    again = entry_for(site, entry_id="another")
    before = len(cloud.requests)
    await set_up(hass, again)
    await history_done(again)
    assert len([r for r in cloud.requests[before:] if r.endpoint == "site_data"]) == 1
    await assert_history(hass, site)


def test_sites_are_different() -> None:
    """The simulator's sites can be set up side by side."""
    assert len({site.id for site in sites.many(3)}) == 3


@pytest.mark.freeze_time(NOW)
async def test_start_of_home_assistant(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """While Home Assistant starts, nobody waits for the recorder: it waits too."""
    await set_up(hass, entry)
    await history_done(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(hours=3))
    hass.set_state(CoreState.starting)
    get_instance(hass).queue_task(hold := Hold())
    try:
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        total = hass.states.get("sensor.les_tilleuls_consumption")
        assert total is not None
        before = float(total.state)
    finally:
        hold.release.set()
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done(wait_background_tasks=True)
    await assert_history(hass, site)
    total = hass.states.get("sensor.les_tilleuls_consumption")
    assert total is not None
    assert float(total.state) == pytest.approx(before, abs=1e-6)
