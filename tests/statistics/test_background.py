"""What is done behind the polls, when the database can't be read; and what is derived."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from custom_components.climkit.metering.flows import Flow
from custom_components.climkit.metering.hours import HOUR, QUARTER
from custom_components.climkit.metering.spans import Span
from custom_components.climkit.statistics import writer as writers
from custom_components.climkit.statistics.updates import Amounts, Derived, RecorderError
from custom_components.climkit.statistics.writer import StatisticsWriter

from ..conftest import later
from ..ledger import rows_of
from .sites_by_hand import settled, site_info, statistics_of
from .test_derived import metadata

NOW = datetime(2026, 6, 16, 10, 5, tzinfo=UTC)
START = datetime(2026, 6, 14, 10, tzinfo=UTC)
COST = "climkit:51_consumption_cost"
INFO = site_info()
FLOW = INFO.flows[0]

pytestmark = [
    pytest.mark.freeze_time(NOW),
    pytest.mark.usefixtures("recorder_mock", "enable_custom_integrations", "backend"),
]


async def test_tried_again(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A database that is locked: again after 5, 15, 60 seconds; what waits is kept."""
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    recorder = get_instance(hass)
    tries = 0

    def fail(_c: object, _cu: object, statement: str, *_: object) -> None:
        nonlocal tries
        if "FROM statistics" in statement:
            tries += 1
            raise OperationalError(statement, {}, Exception("database is locked"))

    statistics = await statistics_of(hass, "first")
    event.listen(recorder.engine, "before_cursor_execute", fail)
    try:
        statistics.async_follow(INFO)
        for seconds in (1, 5, 15, 60):
            await later(hass, freezer, timedelta(seconds=seconds))
    finally:
        event.remove(recorder.engine, "before_cursor_execute", fail)
    assert tries >= 4
    assert not statistics.is_open(FLOW)
    assert FLOW not in statistics.totals({FLOW: {}})
    await later(hass, freezer, timedelta(seconds=300))
    assert statistics.is_open(FLOW)
    await statistics.async_close()


async def test_a_fault_of_our_own(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and does not end the writing for good."""
    statistics = await statistics_of(hass, "first")
    with monkeypatch.context() as patch:
        patch.setattr(writers, "is_as_wanted", None)
        statistics.async_follow(INFO)
        await settled(hass, statistics)
    assert "TypeError" in caplog.text
    caplog.clear()
    await later(hass, freezer, timedelta(seconds=6))
    assert statistics.is_open(FLOW)
    await statistics.async_close()


async def test_closed_while_it_waits(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = await statistics_of(hass, "first")
    monkeypatch.setattr(get_instance(hass), "_event_listener", None)
    statistics.async_follow(INFO)
    await settled(hass, statistics)
    await statistics.async_close()
    monkeypatch.undo()
    await later(hass, freezer, timedelta(seconds=6))
    assert not statistics.is_open(FLOW)


async def test_ensured(hass: HomeAssistant) -> None:
    """Not before Home Assistant has started: nobody would answer."""
    statistics = await statistics_of(hass, "first")
    hass.set_state(CoreState.starting)
    with pytest.raises(RecorderError):
        await statistics.async_ensure(INFO, INFO.flows)
    hass.set_state(CoreState.running)
    await statistics.async_ensure(INFO, ())
    await statistics.async_ensure(INFO, INFO.flows)
    await statistics.async_ensure(INFO, INFO.flows)
    await statistics.async_close()


async def test_derived_of_polls(hass: HomeAssistant) -> None:
    """Costs are told the quarter hours at hand; what was cleared is known to be missing."""
    statistics = await statistics_of(hass, "first")
    seen: list[int] = []

    def derive(flow: Flow, quarters: Any) -> tuple[Derived, ...]:
        if flow != FLOW:
            return ()
        seen.append(len(quarters))

        def amounts(span: Span, sources: Sequence[Amounts]) -> Amounts:
            return {hour: 0.3 * amount for hour, amount in sources[0].items()}

        source = statistics.statistic_id(flow)
        return (Derived(metadata(COST), (source,), amounts),)

    statistics.async_set_derivations(derive)
    statistics.async_follow(INFO)
    await settled(hass, statistics)
    statistics.advance([FLOW], START)
    poll = {START + n * QUARTER: 0.5 for n in range(8)}
    since = {FLOW: START}
    statistics.async_write_quarters({FLOW: poll}, asked=NOW, known_since=since)
    await settled(hass, statistics)
    assert seen == [8]
    assert statistics.derived_missing == {COST}
    (derived,) = derive(FLOW, {})
    statistics.derived_missing.clear()
    span = START, START + 2 * HOUR
    assert await statistics.async_rederive(derived, [span]) == 0
    assert statistics.derived_missing == {COST}
    await StatisticsWriter(hass).async_ensure([derived.metadata])
    assert await statistics.async_rederive(derived, [span]) == 2
    expected = {START: (0.6, 0.6), START + HOUR: (0.6, 1.2)}
    rows = await rows_of(hass, COST)
    assert rows == {hour: pytest.approx(row) for hour, row in expected.items()}
    await statistics.async_close()
