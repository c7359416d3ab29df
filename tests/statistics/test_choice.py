"""Which way of writing is taken: what is private of the recorder is probed at start."""

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.db_schema import Statistics
from homeassistant.components.recorder.table_managers.statistics_meta import (
    StatisticsMetaManager,
)
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.core import HomeAssistant
from homeassistant.helpers import importlib
import pytest

from custom_components.climkit.statistics import table, writer
from custom_components.climkit.statistics.writer import async_choose, backend_name

type Change = Callable[[pytest.MonkeyPatch], None]


def other(*, needed: Any) -> bool:
    """Stand for a function with other arguments."""
    return bool(needed)


MOVED: dict[str, Change] = {
    "a column": lambda patch: patch.setitem(table._NAMES, Statistics, ("when",)),
    "a method": lambda patch: patch.delattr(RecorderTask, "commit_before"),
    "arguments": lambda patch: patch.setattr(StatisticsMetaManager, "get_many", other),
}


@pytest.mark.parametrize("change", MOVED.values(), ids=MOVED)
def test_probe(change: Change) -> None:
    assert table.probe() is None
    with pytest.MonkeyPatch.context() as patch:
        change(patch)
        assert table.probe() is not None


async def test_choice_is_made_once(
    hass: HomeAssistant,
    recorder_mock: Recorder,
    backend: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert backend_name(hass) is None
    chosen = [await async_choose(hass) for _ in range(3)]
    assert {one.name for one in chosen} == {backend}
    assert backend_name(hass) == backend
    lines = [r for r in caplog.records if "not as expected" in r.getMessage()]
    assert len(lines) == (backend == "official")


async def test_two_who_choose_at_once(
    hass: HomeAssistant,
    recorder_mock: Recorder,
    backend: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the disk is slow, another site may ask: both get the same, said once."""
    load = importlib.async_import_module

    async def slowly(hass: HomeAssistant, name: str) -> ModuleType:
        await asyncio.sleep(0)
        return await load(hass, name)

    monkeypatch.setattr(writer, "async_import_module", slowly)
    first, second = await asyncio.gather(async_choose(hass), async_choose(hass))
    assert first is second
    assert first.name == backend
    lines = [r for r in caplog.records if "not as expected" in r.getMessage()]
    assert len(lines) == (backend == "official")
