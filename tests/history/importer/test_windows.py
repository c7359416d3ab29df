"""What is asked for, window by window, whatever the cloud gives of it."""

from datetime import UTC, datetime, timedelta
import gc
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import Resolution, Series
from custom_components.climkit.reading.asking import Asker
from custom_components.climkit.reading.limits import Kind
from tests.conftest import NOW, history_done, later, set_up
from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import Fault, SimulatedSite, Simulator

from .whole_history import CREATED, assert_history, hourly

pytestmark = pytest.mark.statistics_only


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
async def test_one_window_at_a_time(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was stored is gone when the next window comes, of hundreds of meters too."""
    get = Asker.async_get
    left: list[int] = []

    async def asking(asker: Asker, kind: Kind, *args: Any, **named: Any) -> Series:
        if kind.resolution is Resolution.HOUR:
            left.append(sum(map(_is_window, gc.get_objects())))
        return await get(asker, kind, *args, **named)

    monkeypatch.setattr(Asker, "async_get", asking)
    await set_up(hass, entry)
    await history_done(entry)
    assert left == [0] * len(hourly(cloud))


def _is_window(some: object) -> bool:
    if not isinstance(some, Series):
        return False
    return some.resolution is Resolution.HOUR and len(some.starts) > 48


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
async def test_months_of_which_no_hour_is_given(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """A cloud that keeps hours of this month only: no older month is looked into."""
    kept = datetime(2026, 6, 5, tzinfo=UTC)
    cloud.quirks.depth = {"H": kept}
    await set_up(hass, entry)
    await history_done(entry)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_export")
    assert min(rows) == kept
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
