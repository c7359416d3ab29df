"""Both writers when the recorder stops, its database refuses, or rows are gone."""

from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.components.recorder import util
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from custom_components.climkit.metering.hours import HOUR
from custom_components.climkit.statistics import turn
from custom_components.climkit.statistics.updates import (
    RecorderError,
    SeriesUpdate,
    WriteResult,
)
from custom_components.climkit.statistics.writer import StatisticsWriter

from ..held_recorder import Hold
from .ledger import FLOW, GRID, T0, chain, hours, metadata, stored, write


async def test_a_cleared_statistic_is_not_continued(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """If the row that must be there is gone, nothing is written, and it is said."""
    await write(writer, {0: 1, 1: 2})
    after = T0 + HOUR
    get_instance(hass).async_clear_statistics([GRID])
    await async_wait_recording_done(hass)
    written = (await writer.async_write({GRID: SeriesUpdate(hours({2: 3}), after)}))[
        GRID
    ]
    assert written == WriteResult((), rows_missing=True)
    await writer.async_announce([metadata(FLOW, "Site flow")])
    written = (await writer.async_write({GRID: SeriesUpdate(hours({2: 3}), after)}))[
        GRID
    ]
    assert written == WriteResult((), rows_missing=True)
    assert await stored(hass) == []


async def test_recorder_that_stopped(
    hass: HomeAssistant, writer: StatisticsWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder that has been stopped, or that stops, is an error to retry."""
    monkeypatch.setattr(turn, "PATIENCE", 0.05)
    await async_wait_recording_done(hass)
    recorder = get_instance(hass)
    recorder.queue_task(hold := Hold())
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "is_alive", lambda: False)
        with pytest.raises(RecorderError):
            await write(writer, {0: 1})
    hold.release.set()
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "_event_listener", None)
        with pytest.raises(RecorderError):
            await write(writer, {0: 1})
        with pytest.raises(RecorderError):
            await writer.async_newest_rows((GRID,))
    await write(writer, {0: 1})
    assert await stored(hass) == chain({0: 1})


@contextmanager
def refusing(
    hass: HomeAssistant, head: str, times: int | None = None
) -> Iterator[list[str]]:
    """Let the database refuse statements that begin so; yield those that it did."""
    engine = get_instance(hass).engine
    assert engine is not None
    refused: list[str] = []

    def refuse(_c: object, _cu: object, statement: str, *_: object) -> None:
        if statement.startswith(head) and len(refused) != times:
            refused.append(statement)
            raise OperationalError(statement, {}, Exception(1205, "disk is full"))

    event.listen(engine, "before_cursor_execute", refuse)
    try:
        yield refused
    finally:
        event.remove(engine, "before_cursor_execute", refuse)


async def test_a_database_that_takes_nothing(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """What the recorder had to drop is an error to retry; nothing is half done."""
    await write(writer, {0: 1, 1: 2})
    with refusing(hass, "INSERT INTO statistics ("), pytest.raises(RecorderError):
        await write(writer, {0: 3, 2: 4})
    assert await stored(hass) == chain({0: 1, 1: 2})
    await write(writer, {0: 3, 2: 4})
    assert await stored(hass) == chain({0: 3, 1: 2, 2: 4})


@pytest.mark.parametrize("backend", ["table"], indirect=True)
async def test_a_database_that_is_locked_for_a_moment(
    hass: HomeAssistant, writer: StatisticsWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MariaDB may be: the recorder has it done once more, behind the others."""
    await write(writer, {0: 1, 1: 2})
    monkeypatch.setattr(util, "_is_retryable_error", lambda *_: True)
    monkeypatch.setattr(get_instance(hass), "db_retry_wait", 0)
    with refusing(hass, "INSERT INTO statistics (", times=2) as refused:
        result = await write(writer, {0: 3, 2: 4})
    assert len(refused) == 2
    assert result.written == 3
    assert await stored(hass) == chain({0: 3, 1: 2, 2: 4})


async def test_a_statistic_that_the_database_does_not_take(
    hass: HomeAssistant, writer: StatisticsWriter
) -> None:
    """Nobody goes on as if it were there."""
    await writer.async_clear(GRID)
    wanted = [metadata(FLOW, "Site flow")]
    with refusing(hass, "INSERT INTO statistics_meta"), pytest.raises(RecorderError):
        await writer.async_ensure(wanted)
    await writer.async_ensure(wanted)
    await write(writer, {0: 1})
    assert await stored(hass) == chain({0: 1})
