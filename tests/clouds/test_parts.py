"""Clouds of which a part fails: one meter, one medium, one day. It costs itself."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.simulator import Fault, SimulatedMeter

from .life import BEGINNING, DAY, DAYS, START, CloudLife, bound

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(START)]

POINT: Final = SimulatedMeter(
    id="63d9a1f0000000000000aaaa", name="Borne", type="charge_point"
)
ALONE: Final = "Appartement 1.2"
REFUSALS: Final = (400, 403, 404, 500, "error_object", "html", "hang")


def with_lone_meter(life: CloudLife) -> str:
    """Add a meter that has a series of its own, but no columns at the site."""
    meter = life.site.meter(ALONE).id
    life.cloud.quirks.without_columns = (meter,)
    options = {"meters": [*life.entry.options["meters"], meter]}
    object.__setattr__(life.entry, "options", options)
    return meter


@pytest.mark.parametrize("how", REFUSALS)
async def test_a_meter_whose_past_fails(life: CloudLife, how: Any) -> None:
    """The others have all their history; it has what it is given."""
    meter = with_lone_meter(life)
    life.cloud.quirks.failing = {meter: how}
    life.cloud.quirks.failing_before = KEPT
    await life.set_up()
    await life.minutes(30)
    await life.right()
    await life.imported()
    rows = await life.rows(f"{meter}_consumption")
    assert rows, "the meter has its last weeks"
    assert KEPT <= min(rows) <= KEPT + timedelta(hours=36)
    life.revise(5)
    life.revise(50)
    await life.night()
    await life.right()
    # Its depth is searched for, its windows are its own.
    assert life.past() <= bound(2 + 2 + 11 + 6)
    assert len(life.lines()) <= 1, life.lines()


KEPT: Final = datetime(2026, 5, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("how", REFUSALS)
async def test_a_meter_that_always_fails(life: CloudLife, how: Any) -> None:
    """Polls, import, night and actions go on; the actions say which one is missing."""
    meter = with_lone_meter(life)
    life.cloud.quirks.failing = {meter: how}
    await life.set_up()
    await life.minutes(40)
    await life.right()
    life.revise(50)
    mark = life.mark
    await life.night()
    await life.right()
    assert life.past(mark) <= bound(6)
    life.revise(40)
    with pytest.raises(HomeAssistantError):
        await life.call("import_history")
    await life.right()
    await life.readings_are_right()
    with pytest.raises(HomeAssistantError):
        await life.call("get_readings", meter=meter)
    assert len(life.lines()) <= 1, life.lines()
    assert not life.reauth


MEDIUM: Final[dict[str, dict[str, Any]]] = {
    "hang": {"kind": "hang"},
    "refuse": {"kind": "refuse"},
    "500": {"kind": "status", "status": 500},
    "403": {"kind": "status", "status": 403},
    "html": {"kind": "html"},
    "empty_list": {"kind": "empty_list"},
}


@pytest.mark.parametrize("name", MEDIUM)
async def test_a_medium_that_fails(life: CloudLife, name: str) -> None:
    """Electricity has all its history and its present; later the other has too."""
    life.site.meters.append(POINT)
    options = {"meters": [*life.entry.options["meters"], POINT.id]}
    object.__setattr__(life.entry, "options", options)
    life.cloud.faults.add(Fault(path="/charge_point$", **MEDIUM[name]))
    if name == "403":
        life.cloud.quirks.failing = {POINT.id: 403}
    await life.set_up()
    await life.minutes(30)
    await life.right()
    life.revise(50)
    await life.night()
    await life.right()
    assert len(life.lines()) <= 1, life.lines()
    life.cloud.faults.clear()
    life.cloud.quirks.failing = {}
    await life.minutes(60)
    await life.imported(within=timedelta(minutes=5))
    if name == "empty_list":  # which may have been the truth: the night finds it
        await life.night()
    life.follow(POINT.id, "charge_point")
    await life.right()


@pytest.mark.parametrize("how", [500, "hang"])
async def test_a_bad_day_in_the_middle(life: CloudLife, how: Any) -> None:
    """One day can't be read until the second night: the rest is in at once."""
    bad = BEGINNING + 40 * DAY
    hitting = life.cloud.faults.hitting

    def struck(endpoint: str, path: str) -> Fault | None:
        asked = life.cloud.requests[-1].json or {}
        if asked.get("sampling_frequency") == "H":
            start, end = (_moment(asked.get(key)) for key in ("t_s", "t_e"))
            if start < bad + DAY and bad < end:
                return Fault("hang") if how == "hang" else Fault("status", status=500)
        return hitting(endpoint, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(life.cloud.faults, "hitting", struck)
        await life.set_up()
        await life.imported()
        rows = await life.rows(f"{life.site.id}_consumption")
        assert min(rows) == BEGINNING
        assert len(rows) >= (DAYS - 5) * 24
        assert life.past() <= bound(20)
    await life.night()
    await life.right()
    # It may lie within two of the days that are asked for.
    assert len(life.lines()) <= 2, life.lines()


def _moment(text: str | None) -> datetime:
    """Return what a naive time asks for, as the cloud reads it in summer."""
    if text is None:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=2)
