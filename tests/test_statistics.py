"""The ledger against a real recorder: chains, revisions, holes, other people's rows."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
import threading
from typing import Any

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.statistics import (
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from sqlalchemy import event

from custom_components.climkit.api import Column
from custom_components.climkit.metering.flows import Flow, FlowKind
from custom_components.climkit.metering.hours import HOUR, HourlyAmounts
from custom_components.climkit.metering.reconcile import HOUR_ROUNDING, StatisticRow
from custom_components.climkit.statistics.metadata import statistic_id
from custom_components.climkit.statistics.updates import (
    RecorderError,
    SeriesUpdate,
    WriteResult,
)
from custom_components.climkit.statistics.writer import StatisticsWriter

T0 = datetime(2024, 3, 1, tzinfo=UTC)
FLOW = Flow("63ce", FlowKind.GRID_IMPORT, "electricity", Column(None, "from_ext"))
OTHER = Flow("63ce", FlowKind.GRID_EXPORT, "electricity", Column(None, "to_ext"))
WATER = Flow("77aa", FlowKind.CONSUMPTION, "cold_water", Column("77aa", "total"))


@pytest.fixture
async def ledger(recorder_mock: Recorder, hass: HomeAssistant) -> StatisticsWriter:
    """Return a ledger whose statistics have been announced."""
    ledger = StatisticsWriter(hass)
    await ledger.async_announce(dict.fromkeys((FLOW, OTHER, WATER), "Site flow"))
    return ledger


def hours(amounts: Mapping[int, float], start: datetime = T0) -> HourlyAmounts:
    """Return complete hours by their number since `start`."""
    return HourlyAmounts(
        {start + n * HOUR: amount for n, amount in amounts.items()}, {}
    )


async def book(
    ledger: StatisticsWriter, amounts: Mapping[int, float], **more: object
) -> WriteResult:
    """Book complete hours to FLOW."""
    return (await ledger.async_write({FLOW: SeriesUpdate(hours(amounts))}))[FLOW]


async def stored(hass: HomeAssistant, flow: Flow = FLOW) -> list[tuple[int, Any, Any]]:
    """Return hour, state and sum as every reader of statistics sees them."""
    id_ = statistic_id(flow)
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2000, 1, 1, tzinfo=UTC),
        None,
        {id_},
        "hour",
        None,
        {"state", "sum"},
    )
    return [
        (int((row["start"] - T0.timestamp()) // 3600), row["state"], row["sum"])
        for row in rows.get(id_, [])
    ]


def as_stored(rows: Iterable[StatisticRow]) -> list[tuple[int, Any, Any]]:
    """Return rows in the way of `stored`."""
    return [((row.start - T0) // HOUR, row.state, row.sum) for row in rows]


def chain(amounts: Mapping[int, float]) -> list[tuple[int, Any, Any]]:
    """Return the rows that the amounts must have, added up on paper's way."""
    total = 0.0
    rows: list[tuple[int, Any, Any]] = []
    for hour in sorted(amounts):
        total += amounts[hour]
        rows.append((hour, amounts[hour], pytest.approx(total, abs=1e-6)))
    return rows


async def test_metadata(hass: HomeAssistant, ledger: StatisticsWriter) -> None:
    """Statistics can be picked in the Energy dashboard, even while empty."""
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    grid = found["climkit:63ce_grid_import"][1]
    assert (grid["unit_class"], grid["unit_of_measurement"]) == ("energy", "kWh")
    assert (grid["has_sum"], int(grid["mean_type"])) == (True, 0)
    assert (grid["source"], grid["name"]) == ("climkit", "Site flow")
    water = found["climkit:77aa_consumption"][1]
    assert (water["unit_class"], water["unit_of_measurement"]) == ("volume", "m³")


async def test_name_follows(hass: HomeAssistant, ledger: StatisticsWriter) -> None:
    """A new name in the cloud reaches the statistic; its rows stay."""
    await book(ledger, {0: 1})
    await ledger.async_announce({FLOW: "New name"})
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    assert found[statistic_id(FLOW)][1]["name"] == "New name"
    assert await stored(hass) == chain({0: 1})


async def test_first_and_later_rows(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """Rows are appended with the sum going on; nothing new writes nothing."""
    amounts: dict[int, float] = {0: 1.5, 1: 2.25, 2: 0}
    booked = await book(ledger, amounts)
    assert booked.written == 3
    assert booked.newest is not None
    assert (booked.newest.start, booked.newest.sum) == (T0 + 2 * HOUR, 3.75)
    assert (await book(ledger, amounts)).written == 0
    amounts |= {3: 4.0, 4: -0.5}
    assert (await book(ledger, amounts)).written == 2
    assert await stored(hass) == chain(amounts)
    tails = await ledger.async_newest_rows((FLOW, OTHER))
    assert as_stored(tails[FLOW]) == chain(amounts)
    assert tails[OTHER] == ()
    later = dict.fromkeys(range(5, 20), 1.0)
    await book(ledger, later)
    (tail,) = (await ledger.async_newest_rows((FLOW,))).values()
    assert as_stored(tail) == chain(amounts | later)[-8:]
    assert (await book(ledger, {})).tail == tail


@pytest.mark.parametrize(
    "revision",
    [
        pytest.param({0: 5.0}, id="the very first hour"),
        pytest.param({3: 0.0}, id="in the middle, to zero"),
        pytest.param({2: 9.0, 4: 1.0}, id="two hours with one between"),
        pytest.param({2: 4.0, 3: 3.0}, id="moved from one hour to the next"),
        pytest.param({9: 7.0}, id="the newest hour"),
        pytest.param({-2: 3.0}, id="before the first"),
        pytest.param({12: 3.0}, id="behind a gap"),
    ],
)
async def test_revision(
    hass: HomeAssistant, ledger: StatisticsWriter, revision: dict[int, float]
) -> None:
    """Whatever hour is corrected, all later sums go on from it."""
    amounts = {n: float(n) for n in range(10)}
    await book(ledger, amounts)
    await book(ledger, revision)
    assert await stored(hass) == chain(amounts | revision)


async def test_gap_is_filled_later(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """Hours that were missing take their place; their neighbours keep their amounts."""
    await book(ledger, {0: 1, 5: 6})
    await book(ledger, {2: 3, 3: 4})
    assert await stored(hass) == chain({0: 1, 2: 3, 3: 4, 5: 6})


async def test_other_statistics_are_left_alone(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """A revision of one flow moves no sum of another."""
    amounts = dict.fromkeys(range(5), 1.0)
    await ledger.async_write(
        {FLOW: SeriesUpdate(hours(amounts)), OTHER: SeriesUpdate(hours(amounts))}
    )
    await book(ledger, {1: 4.0})
    assert await stored(hass, OTHER) == chain(amounts)
    assert await stored(hass) == chain(amounts | {1: 4.0})


async def test_nobody_ever_sees_a_spike(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """At the moment of every commit, each sum is the sum before plus the state."""
    engine = get_instance(hass).engine
    assert engine is not None
    broken: list[tuple[int, float, float]] = []
    checking = threading.local()

    def check(connection: object) -> None:
        if getattr(checking, "busy", False):
            return
        checking.busy = True
        total = 0.0
        rows = connection.exec_driver_sql(  # type: ignore[attr-defined]
            "SELECT start_ts, state, sum FROM statistics"
            " WHERE metadata_id = (SELECT id FROM statistics_meta"
            " WHERE statistic_id = 'climkit:63ce_grid_import') ORDER BY start_ts"
        ).all()
        for start, state, row_sum in rows:
            total += state
            if abs(total - row_sum) > 1e-6:
                broken.append((start, total, row_sum))
        checking.busy = False

    event.listen(engine, "commit", check)
    try:
        year = {n: 1.0 + n % 24 / 10 for n in range(24 * 365)}
        for first in range(0, 24 * 365, 2880):
            await book(
                ledger, {n: year[n] for n in range(first, min(first + 2880, 8760))}
            )
        month = dict.fromkeys(range(1000, 1720), 0.5)
        await book(ledger, month)
    finally:
        event.remove(engine, "commit", check)
    assert not broken
    assert await stored(hass) == chain(year | month)


async def test_rounding_is_left_alone(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """The cloud's hourly rows are rounded; they do not replace the sum of quarters."""
    await book(ledger, {0: 0.498, 1: 1})
    entry = SeriesUpdate(hours({0: 0.5, 1: 1.1}))
    booked = (await ledger.async_write({FLOW: entry}, HOUR_ROUNDING))[FLOW]
    assert booked.written == 1
    assert await stored(hass) == chain({0: 0.498, 1: 1.1})


async def test_a_cleared_statistic_is_not_continued(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """If the row that must be there is gone, nothing is booked, and it is said."""
    await book(ledger, {0: 1, 1: 2})
    after = T0 + HOUR
    get_instance(hass).async_clear_statistics([statistic_id(FLOW)])
    await async_wait_recording_done(hass)
    booked = (await ledger.async_write({FLOW: SeriesUpdate(hours({2: 3}), after)}))[
        FLOW
    ]
    assert booked == WriteResult((), rows_missing=True)
    await ledger.async_announce({FLOW: "Site flow"})
    booked = (await ledger.async_write({FLOW: SeriesUpdate(hours({2: 3}), after)}))[
        FLOW
    ]
    assert booked == WriteResult((), rows_missing=True)
    assert await stored(hass) == []


async def test_many_rows_are_divided(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """More than one transaction holds is booked in several; each is exact."""
    amounts = dict.fromkeys(range(3000), 1.0)
    flows = (FLOW, OTHER, WATER)
    booked = await ledger.async_write(
        {flow: SeriesUpdate(hours(amounts)) for flow in flows}
    )
    assert [booked[flow].written for flow in flows] == [3000] * 3
    for flow in flows:
        assert await stored(hass, flow) == chain(amounts)


async def test_recorder_that_stopped(
    hass: HomeAssistant, ledger: StatisticsWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder that does not answer, or that has been stopped, is an error to retry."""
    monkeypatch.setattr("custom_components.climkit.statistics.writer.TIMEOUT", 0.2)
    recorder = get_instance(hass)
    held = threading.Event()
    reached = threading.Event()

    def hold() -> None:
        reached.set()
        held.wait()

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "queue_task", lambda task: None)
        with pytest.raises(RecorderError):
            await book(ledger, {0: 1})
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "_event_listener", None)
        with pytest.raises(RecorderError):
            await book(ledger, {0: 1})
        with pytest.raises(RecorderError):
            await ledger.async_newest_rows((FLOW,))
    assert (await book(ledger, {0: 1})).written == 1


async def test_nothing_to_book(hass: HomeAssistant, ledger: StatisticsWriter) -> None:
    """No entry, or one without hours, is answered without a write."""
    assert await ledger.async_write({}) == {}
    booked = await ledger.async_write({FLOW: SeriesUpdate(hours({}))})
    assert booked == {FLOW: WriteResult(())}


async def test_an_old_revision_is_quick(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """Later rows are moved, not written: a year's tail does not hold up the recorder."""
    amounts = dict.fromkeys(range(24 * 365), 1.0)
    await book(ledger, amounts)
    statements: list[str] = []
    engine = get_instance(hass).engine
    assert engine is not None

    def count(_c: object, _cu: object, statement: str, *_: object) -> None:
        if (
            statement.lstrip()
            .upper()
            .startswith(("UPDATE STATISTICS", "INSERT INTO STATISTICS"))
        ):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        booked = await book(ledger, {5: 3.0})
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert booked.written == 1
    assert len(statements) == 2
    assert booked.newest is not None
    assert booked.newest.sum == pytest.approx(24 * 365 + 2)
    assert booked.newest.start - T0 == timedelta(hours=24 * 365 - 1)


@pytest.mark.freeze_time("2024-03-02T00:00:30+00:00")
async def test_the_hourly_compile_of_others(
    hass: HomeAssistant, ledger: StatisticsWriter
) -> None:
    """Rows of ours for the very hour harm no sensor's statistics, nor they ours."""
    assert await async_setup_component(hass, "sensor", {})
    attributes = {
        "device_class": "energy",
        "state_class": "total",
        "unit_of_measurement": "kWh",
    }
    hass.states.async_set("sensor.other", "5", attributes)
    await async_wait_recording_done(hass)
    amounts = dict.fromkeys(range(30), 1.0)
    await book(ledger, amounts)
    midnight = datetime(2024, 3, 2, tzinfo=UTC)
    for minute in range(0, 60, 5):
        hass.states.async_set("sensor.other", str(5 + minute / 60), attributes)
        await async_wait_recording_done(hass)
        do_adhoc_statistics(hass, start=midnight + timedelta(minutes=minute))
        await book(ledger, {24: 1.0 + minute})
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        midnight,
        None,
        {"sensor.other"},
        "hour",
        None,
        {"sum"},
    )
    assert len(found["sensor.other"]) == 1
    assert await stored(hass) == chain(amounts | {24: 56.0})
