"""Random lives: whatever happens in whatever order, the books are right."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.climkit.api import Column
from custom_components.climkit.metering.flows import Flow, FlowKind
from custom_components.climkit.metering.hours import HOUR, HourlyAmounts
from custom_components.climkit.statistics.metadata import (
    statistic_id,
    statistic_metadata,
)
from custom_components.climkit.statistics.updates import SeriesUpdate
from custom_components.climkit.statistics.writer import StatisticsWriter, async_choose

from .conftest import entry_for, history_done, later, set_up
from .ledger import WIRE, assert_equal, model_hours, rows_of
from .simulator import Fault, SimulatedSite, Simulator
from .simulator.faults import FaultKind

pytestmark = pytest.mark.statistics_only

T0 = datetime(2026, 3, 27, tzinfo=UTC)
"""Two days before the clocks change."""

AMOUNTS = st.integers(-2000, 9000).map(lambda wh: wh / 1000)
STRETCHES = st.tuples(st.integers(0, 200), st.lists(AMOUNTS, min_size=1, max_size=60))
STEPS = st.one_of(
    st.tuples(st.just("book"), STRETCHES),
    st.tuples(st.just("partial"), STRETCHES),
    st.tuples(st.just("again"), STRETCHES),
    st.tuples(st.just("clear"), st.none()),
)

KINDS: tuple[FaultKind, ...] = ("refuse", "html", "truncated", "nulls", "shuffled")

_numbers = count()


@pytest.fixture
async def writer(
    recorder_mock: Recorder, hass: HomeAssistant, backend: str
) -> StatisticsWriter:
    """Return a writer on a real recorder, of either way."""
    assert (await async_choose(hass)).name == backend
    return StatisticsWriter(hass)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=1, max_size=25))
async def test_any_sequence_of_bookings(
    hass: HomeAssistant,
    writer: StatisticsWriter,
    steps: list[tuple[str, tuple[int, list[float]]]],
) -> None:
    """After each step the chain is exact, and every hour is as it was last told."""
    flow = Flow(
        f"site{next(_numbers)}",
        FlowKind.GRID_IMPORT,
        "electricity",
        Column(None, "from_ext"),
    )
    id_ = statistic_id(flow)
    await writer.async_announce([statistic_metadata(flow, id_, "Random")])
    paper: dict[datetime, float] = {}
    for action, stretch in steps:
        if action == "clear":
            get_instance(hass).async_clear_statistics([id_])
            await async_wait_recording_done(hass)
            await writer.async_announce([statistic_metadata(flow, id_, "Random")])
            paper.clear()
            continue
        first, amounts = stretch
        told = {T0 + (first + n) * HOUR: amount for n, amount in enumerate(amounts)}
        if action == "partial":
            hours = HourlyAmounts({}, told)
            paper = told | paper
        else:
            hours = HourlyAmounts(told, {})
            paper |= told
        await writer.async_write({id_: SeriesUpdate(hours)})
        if action == "again":
            assert (await writer.async_write({id_: SeriesUpdate(hours)}))[
                id_
            ].written == 0
        assert_same(await rows_of(hass, id_), paper)


def assert_same(
    rows: Mapping[datetime, tuple[float, float]], paper: Mapping[datetime, float]
) -> None:
    """Compare the amounts of all hours with what was written on paper."""
    assert {hour: state for hour, (state, _) in rows.items()} == pytest.approx(paper)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "start", ["2026-03-28T20:05:00+00:00", "2026-10-24T20:05:00+00:00"]
)
async def test_a_random_life(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    seed: int,
    start: str,
) -> None:
    """Hundreds of polls among faults, revisions, outages, restarts and cleared rows.

    The chain of sums holds after every step; after a quiet night all equals the model.
    """
    random = Random(seed)
    freezer.move_to(start)
    site.created = (dt_util.utcnow() - timedelta(days=40)).replace(hour=0, minute=0)
    flat = site.meter("Appartement 1.1").id
    entry = entry_for(site, meters=[flat])
    await set_up(hass, entry)
    await history_done(entry)
    for _ in range(60):
        await _happen(hass, random, cloud, site, entry)
        await later(hass, freezer, timedelta(minutes=random.choice([5, 15, 15, 90])))
        await rows_of(hass, f"climkit:{site.id}_consumption")
        await rows_of(hass, f"climkit:{flat}_solar_consumption")
    cloud.faults.clear()
    for _ in range(8):
        await later(hass, freezer, timedelta(minutes=15))
    await history_done(entry)
    await entry.runtime_data.audit.async_run()
    now = dt_util.utcnow()
    columns = {
        f"{site.id}_{kind}": WIRE[kind] for kind in ("consumption", "grid_export")
    }
    columns[f"{flat}_solar_consumption"] = f"self_{flat}"
    for key, column in columns.items():
        model = model_hours(site, column, site.created, now, at=now)
        assert_equal(await rows_of(hass, f"climkit:{key}"), model)


async def _happen(
    hass: HomeAssistant,
    random: Random,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Let one thing happen, or nothing."""
    now = dt_util.utcnow().replace(minute=0)
    begin = now - timedelta(hours=random.randint(1, 30 * 24))
    match random.choice(
        ["fault", "revise", "outage", "restart", "clear", *["quiet"] * 5]
    ):
        case "fault":
            kind = random.choice(KINDS)
            cloud.faults.add(Fault(kind, path="site_data", times=random.randint(1, 3)))
        case "revise":
            factor = random.choice([0.2, 1.5, 3.0])
            end = begin + timedelta(hours=random.randint(1, 48))
            site.revise(begin, end, factor=factor, at=now)
        case "outage":
            start = now - timedelta(hours=random.randint(1, 3))
            site.outage(start, now, until=now + timedelta(hours=random.randint(1, 5)))
        case "restart":
            await hass.config_entries.async_reload(entry.entry_id)
        case "clear":
            get_instance(hass).async_clear_statistics(
                [f"climkit:{site.id}_consumption"]
            )
            await async_wait_recording_done(hass)
        case _:
            pass
