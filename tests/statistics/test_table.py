"""What our own way of reading leaves behind in the recorder's connections: nothing."""

from collections.abc import Sequence
from typing import Any

from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import Connection, Engine, event

from custom_components.climkit.metering.hours import HOUR
from custom_components.climkit.statistics import table
from custom_components.climkit.statistics.updates import SeriesUpdate
from custom_components.climkit.statistics.writer import StatisticsWriter, async_choose

from .ledger import COLD, EXPORT, FLOWS, GRID, T0, hours, metadata

SHRINK = "PRAGMA shrink_memory"
LOOK_UP = "statistics.start_ts <"


@pytest.mark.parametrize(
    ("look_ups", "at_once"),
    [(1, [3, 3, 3]), (6, [6, 3]), (table.LOOK_UPS, [9])],
    ids=["each by itself", "two together", "all"],
)
async def test_pages_are_forgotten(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    look_ups: int,
    at_once: Sequence[int],
) -> None:
    """SQLite lets go of them before there are many, and the amounts are the same."""
    writer = StatisticsWriter(hass)
    assert (await async_choose(hass)).name == "table"
    await writer.async_announce([metadata(flow, "Site flow") for flow in FLOWS])
    await async_wait_recording_done(hass)
    ids = GRID, EXPORT, COLD
    await writer.async_write(
        {id_: SeriesUpdate(hours({0: 1.0, 1: at})) for at, id_ in enumerate(ids)}
    )
    seen = [0]

    def note(_: Connection, __: Any, statement: str, *args: Any) -> None:
        if LOOK_UP in statement:
            seen[-1] += 1
        elif statement == SHRINK:
            seen.append(0)

    monkeypatch.setattr(table, "LOOK_UPS", look_ups)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = await writer.async_amounts(ids, [T0, T0 + HOUR, T0 + 2 * HOUR])
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert found == {id_: {T0: 1.0, T0 + HOUR: float(at)} for at, id_ in enumerate(ids)}
    assert seen == [*at_once, 0]
