"""Both writers on a real recorder: chains, revisions, holes, other people's rows."""

from datetime import UTC, datetime, timedelta
import threading

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

from custom_components.climkit.metering.hours import HOUR
from custom_components.climkit.metering.reconcile import HOUR_ROUNDING
from custom_components.climkit.statistics.updates import SeriesUpdate, WriteResult
from custom_components.climkit.statistics.writer import StatisticsWriter

from .ledger import (
    COLD,
    EXPORT,
    FLOW,
    GRID,
    T0,
    as_stored,
    chain,
    hours,
    metadata,
    stored,
    write,
)


async def test_metadata(hass: HomeAssistant, writer: StatisticsWriter) -> None:
    """Statistics can be picked in the Energy dashboard, even while empty."""
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    grid = found["climkit:63ce_grid_import"][1]
    assert (grid["unit_class"], grid["unit_of_measurement"]) == ("energy", "kWh")
    assert (grid["has_sum"], int(grid["mean_type"])) == (True, 0)
    assert (grid["source"], grid["name"]) == ("climkit", "Site flow")
    water = found["climkit:77aa_consumption"][1]
    assert (water["unit_class"], water["unit_of_measurement"]) == ("volume", "m³")


async def test_name_follows(hass: HomeAssistant, writer: StatisticsWriter) -> None:
    """A new name in the cloud reaches the statistic; its rows stay."""
    await write(writer, {0: 1})
    await writer.async_announce([metadata(FLOW, "New name")])
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    assert found[GRID][1]["name"] == "New name"
    assert await stored(hass) == chain({0: 1})


async def test_first_and_later_rows(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """Rows are appended with the sum going on; nothing new writes nothing."""
    amounts: dict[int, float] = {0: 1.5, 1: 2.25, 2: 0}
    written = await write(writer, amounts)
    assert written.written == 3
    assert written.newest is not None
    assert (written.newest.start, written.newest.sum) == (T0 + 2 * HOUR, 3.75)
    assert (await write(writer, amounts)).written == 0
    amounts |= {3: 4.0, 4: -0.5}
    assert (await write(writer, amounts)).written == 2
    assert await stored(hass) == chain(amounts)
    tails = await writer.async_newest_rows((GRID, EXPORT))
    assert as_stored(tails[GRID]) == chain(amounts)
    assert tails[EXPORT] == ()
    later = dict.fromkeys(range(5, 20), 1.0)
    await write(writer, later)
    (tail,) = (await writer.async_newest_rows((GRID,))).values()
    assert as_stored(tail) == chain(amounts | later)[-8:]
    assert (await write(writer, {})).newest_rows == tail


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
    hass: HomeAssistant, writer: StatisticsWriter, revision: dict[int, float]
) -> None:
    """Whatever hour is corrected, all later sums go on from it."""
    amounts = {n: float(n) for n in range(10)}
    await write(writer, amounts)
    await write(writer, revision)
    assert await stored(hass) == chain(amounts | revision)


async def test_gap_is_filled_later(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """Hours that were missing take their place; their neighbours keep their amounts."""
    await write(writer, {0: 1, 5: 6})
    await write(writer, {2: 3, 3: 4})
    assert await stored(hass) == chain({0: 1, 2: 3, 3: 4, 5: 6})


async def test_other_statistics_are_left_alone(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """A revision of one flow moves no sum of another."""
    amounts = dict.fromkeys(range(5), 1.0)
    await writer.async_write(
        {GRID: SeriesUpdate(hours(amounts)), EXPORT: SeriesUpdate(hours(amounts))}
    )
    await write(writer, {1: 4.0})
    assert await stored(hass, EXPORT) == chain(amounts)
    assert await stored(hass) == chain(amounts | {1: 4.0})


async def test_nobody_ever_sees_a_spike(
    hass: HomeAssistant, writer: StatisticsWriter
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
        quarter = {n: 1.0 + n % 24 / 10 for n in range(24 * 90)}
        for first in range(0, 24 * 90, 720):
            await write(writer, {n: quarter[n] for n in range(first, first + 720)})
        month = dict.fromkeys(range(500, 1220), 0.5)
        await write(writer, month)
    finally:
        event.remove(engine, "commit", check)
    assert not broken
    assert await stored(hass) == chain(quarter | month)


async def test_rounding_is_left_alone(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """The cloud's hourly rows are rounded; they do not replace the sum of quarters."""
    await write(writer, {0: 0.498, 1: 1})
    entry = SeriesUpdate(hours({0: 0.5, 1: 1.1}))
    written = (await writer.async_write({GRID: entry}, HOUR_ROUNDING))[GRID]
    assert written.written == 1
    assert await stored(hass) == chain({0: 0.498, 1: 1.1})


async def test_many_rows_are_divided(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """More than one transaction holds is written in several; each is exact."""
    amounts = dict.fromkeys(range(1800), 1.0)
    flows = (GRID, EXPORT, COLD)
    written = await writer.async_write(
        {flow: SeriesUpdate(hours(amounts)) for flow in flows}
    )
    assert [written[flow].written for flow in flows] == [1800] * 3
    for flow in flows:
        assert await stored(hass, flow) == chain(amounts)


async def test_nothing_to_book(hass: HomeAssistant, writer: StatisticsWriter) -> None:
    """No entry, or one without hours, is answered without a write."""
    assert await writer.async_write({}) == {}
    written = await writer.async_write({GRID: SeriesUpdate(hours({}))})
    assert written == {GRID: WriteResult(())}


@pytest.mark.parametrize("backend", ["table"], indirect=True)
async def test_an_old_revision_is_quick(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """Later rows are moved, not written: a year's tail does not hold up the recorder."""
    amounts = dict.fromkeys(range(24 * 365), 1.0)
    await write(writer, amounts)
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
        written = await write(writer, {5: 3.0})
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert written.written == 1
    assert len(statements) == 2
    assert written.newest is not None
    assert written.newest.sum == pytest.approx(24 * 365 + 2)
    assert written.newest.start - T0 == timedelta(hours=24 * 365 - 1)


@pytest.mark.freeze_time("2024-03-02T00:00:30+00:00")
async def test_the_hourly_compile_of_others(
    hass: HomeAssistant, writer: StatisticsWriter
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
    await write(writer, amounts)
    midnight = datetime(2024, 3, 2, tzinfo=UTC)
    for minute in range(0, 60, 5):
        hass.states.async_set("sensor.other", str(5 + minute / 60), attributes)
        await async_wait_recording_done(hass)
        do_adhoc_statistics(hass, start=midnight + timedelta(minutes=minute))
        await write(writer, {24: 1.0 + minute})
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
