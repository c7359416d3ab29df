"""How far histories have come: over restarts, wrong clocks, crashes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from custom_components.climkit import storage
from custom_components.climkit.metering.hours import HOUR
from custom_components.climkit.metering.reconcile import StatisticRow
from custom_components.climkit.statistics import progress as module
from custom_components.climkit.statistics.progress import HistoryProgress

from ..conftest import later
from .ledger import FLOW, OTHER, WATER

FIRST = datetime(2026, 6, 1, 22, tzinfo=UTC)
NOW = datetime(2026, 6, 16, 10, 5, tzinfo=UTC)
NEWEST = StatisticRow(datetime(2026, 6, 16, 8, tzinfo=UTC), 1.0, 5.0)
KEY = "climkit.entry"

pytestmark = pytest.mark.freeze_time(NOW)


async def loaded(hass: HomeAssistant) -> HistoryProgress:
    """Return what a restart remembers."""
    hass.data.pop(storage._STORES, None)
    progress = HistoryProgress(hass, "entry")
    await progress.async_load()
    return progress


def keep(hass_storage: dict[str, Any], until: str, newest: str | None) -> None:
    flows = {FLOW.key: {"until": until, "newest": newest}}
    hass_storage[KEY] = {"version": 1, "data": {"flows": flows}}


@pytest.mark.parametrize(
    ("until", "newest", "row", "expected"),
    [
        ("2026-06-16T09:00:00+00:00", None, None, "2026-06-16T09:00:00+00:00"),
        ("2026-06-16T10:00:00+00:00", "2026-06-16T08:00:00+00:00", NEWEST, None),
        ("2031-01-01T00:00:00+00:00", None, None, "2026-06-01T22:00:00+00:00"),
        (
            "2031-01-01T00:00:00+00:00",
            "2026-06-16T08:00:00+00:00",
            NEWEST,
            "2026-06-16T09:00:00+00:00",
        ),
        (
            "2026-06-16T10:00:00+00:00",
            "2026-06-16T09:00:00+00:00",
            NEWEST,
            "2026-06-16T09:00:00+00:00",
        ),
    ],
    ids=["empty", "today's form", "future", "future with rows", "older database"],
)
async def test_hints(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    until: str,
    newest: str | None,
    row: StatisticRow | None,
    expected: str | None,
) -> None:
    keep(hass_storage, until, newest)
    progress = await loaded(hass)
    progress.open(FLOW, FIRST, row)
    assert progress.until(FLOW).isoformat() == (expected or until)


@pytest.mark.parametrize(
    "data",
    [
        {"flows": {FLOW.key: {"until": "soon", "newest": None}}},
        {"flows": {FLOW.key: {"newest": None}}},
        {"flows": {FLOW.key: None}},
        {"flows": [], "foreign": 3, "second": "x"},
        {},
    ],
)
async def test_unreadable(
    hass: HomeAssistant, hass_storage: dict[str, Any], data: dict[str, Any]
) -> None:
    hass_storage[KEY] = {"version": 1, "data": data}
    progress = await loaded(hass)
    progress.open(FLOW, FIRST, None)
    assert progress.until(FLOW) == FIRST
    assert (progress.foreign, progress.second) == ({}, frozenset())


async def test_a_clock_that_stood_ahead(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_storage: dict[str, Any]
) -> None:
    """What was found empty in years to come had not happened yet."""
    progress = await loaded(hass)
    progress.open(FLOW, FIRST, NEWEST)
    freezer.move_to("2031-03-01T00:00:00+00:00")
    progress.advance(FLOW, datetime(2031, 2, 27, tzinfo=UTC))
    assert progress.is_complete(FLOW, datetime(2031, 2, 27, tzinfo=UTC))
    freezer.move_to(NOW + timedelta(minutes=20))
    assert progress.until(FLOW) == NEWEST.start + HOUR
    await progress.async_close()
    saved = hass_storage[KEY]["data"]["flows"][FLOW.key]
    assert saved["until"] == (NEWEST.start + HOUR).isoformat()
    freezer.move_to(NOW + timedelta(days=5))
    again = await loaded(hass)
    again.open(FLOW, FIRST, NEWEST)
    assert again.until(FLOW) == NEWEST.start + HOUR


async def test_never_later_than_now(hass: HomeAssistant) -> None:
    progress = await loaded(hass)
    progress.open(FLOW, FIRST, None)
    progress.advance(FLOW, NOW + timedelta(days=30))
    assert progress.until(FLOW) == NOW


async def test_saved_a_minute_after_the_first_change(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_storage: dict[str, Any]
) -> None:
    """However often it changes: a crash costs a minute, not the whole import."""
    progress = await loaded(hass)
    progress.open(FLOW, FIRST, None)
    for n in range(8):
        progress.advance(FLOW, FIRST + (n + 1) * timedelta(days=1))
        await later(hass, freezer, timedelta(seconds=20))
    saved = hass_storage[KEY]["data"]["flows"][FLOW.key]["until"]
    assert datetime.fromisoformat(saved) >= FIRST + timedelta(days=4)


async def test_what_is_not_looked_at_is_bounded(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meters that are gone are remembered, the newest of them."""
    monkeypatch.setattr(module, "MAX_HINTS", 2)
    flows = {
        f"gone{n}": {"until": (FIRST + n * HOUR).isoformat(), "newest": None}
        for n in range(5)
    }
    hass_storage[KEY] = {"version": 1, "data": {"flows": flows}}
    progress = await loaded(hass)
    progress.open(WATER, FIRST, NEWEST)
    progress.open(OTHER, FIRST, None)
    progress.close(OTHER)
    assert progress.flows == (WATER,)
    await progress.async_close()
    assert hass_storage[KEY]["data"]["flows"].keys() == {
        "gone3",
        "gone4",
        WATER.key,
    }
    assert hass_storage[KEY]["data"]["flows"][WATER.key]["unit"] == "m³"
