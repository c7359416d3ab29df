"""Refusals and outages: weather until they last; then everything comes back."""

from datetime import timedelta
from typing import Any, Final

from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest

from tests.simulator import Fault

from .life import DAY, FLAT, START, CloudLife, bound

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(START)]

STATUSES: Final = (401, 403, 404)
PATH: Final = "^/(site_data|meter_data)/"


def devices(life: CloudLife) -> int:
    """Return how many devices the entry has."""
    registry = dr.async_get(life.hass)
    return len(dr.async_entries_for_config_entry(registry, life.entry.entry_id))


@pytest.mark.parametrize("moment", ["at start", "later"])
@pytest.mark.parametrize("status", STATUSES)
async def test_one_refusal(life: CloudLife, status: int, moment: str) -> None:
    """It costs an hour at most, no repair, and no requests by the meter."""
    if moment == "later":
        await life.set_up()
        await life.imported()
    # A 401 is asked again with a new token: both are refused.
    times = 2 if status == 401 else 1
    life.cloud.faults.add(Fault("status", path="site_data", status=status, times=times))
    mark = life.mark
    if moment == "at start":
        await life.set_up()
    await life.minutes(62)
    await life.imported()
    await life.right()
    alone = [r for r in life.cloud.requests[mark:] if r.endpoint == "meter_data"]
    assert len(alone) <= 2
    assert not life.reauth
    assert not life.issues
    assert len(life.lines()) <= 1, life.lines()


@pytest.mark.parametrize("hours", [3, 26])
@pytest.mark.parametrize("status", STATUSES)
async def test_all_data_refused(life: CloudLife, status: int, hours: int) -> None:
    """A repair only after a day; within an hour of the end all is back."""
    await life.set_up()
    await life.imported()
    before = devices(life)
    life.cloud.faults.add(Fault("status", path=PATH, status=status))
    mark = life.mark
    await life.minutes(hours * 60)
    assert ("access_withdrawn" in life.issues) == (hours > 24)
    # After 1, 5, 15 and then 60 minutes; by the poll's own plan at most.
    assert len(life.cloud.requests) - mark <= 5 * 5 * hours
    life.cloud.faults.clear()
    await life.minutes(61)
    await life.right()
    assert not life.issues
    assert not life.reauth
    assert devices(life) == before
    assert len(life.lines()) <= 1, life.lines()


LISTS: Final[dict[str, dict[str, Any]]] = {
    "empty": {"kind": "empty_list"},
    "403": {"kind": "status", "status": 403},
    "404": {"kind": "status", "status": 404},
    "error object": {"kind": "error_object"},
}


@pytest.mark.parametrize("kind", ["short", *LISTS])
async def test_a_short_list_of_meters(life: CloudLife, kind: str) -> None:
    """For some hours, at the time of the daily look: nobody loses a device."""
    await life.set_up()
    await life.imported()
    before = devices(life)
    await life.mostly_asleep(18)
    await life.minutes(2 * 60)
    flat = life.site.meter(FLAT).id
    if kind == "short":
        life.cloud.quirks.unlisted = (flat,)
    else:
        life.cloud.faults.add(Fault(path="meter_info", **LISTS[kind]))
    mark = life.mark
    for _ in range(6):
        await life.minutes(60)
        assert devices(life) == before
        assert life.value(f"{flat}_consumption") not in (None, "unavailable")
    assert "meter_info" in {r.endpoint for r in life.cloud.requests[mark:]}
    life.cloud.quirks.unlisted = ()
    life.cloud.faults.clear()
    await life.minutes(61)
    await life.right()


@pytest.mark.slow
async def test_a_meter_that_is_gone_goes_in_time(life: CloudLife) -> None:
    """What three lists in more than a day lack is believed."""
    await life.set_up()
    await life.imported()
    before = devices(life)
    life.cloud.quirks.unlisted = (life.site.meter(FLAT).id,)
    await life.mostly_asleep(72)
    await life.minutes(6 * 60)
    assert devices(life) == before - 1
    life.cloud.quirks.unlisted = ()
    await life.mostly_asleep(24)
    await life.minutes(60)
    assert devices(life) == before
    await life.right()


@pytest.mark.parametrize("kind", ["short", "empty", "403"])
async def test_a_short_list_of_sites(life: CloudLife, kind: str) -> None:
    """A site that a list lacks for some hours is read on."""
    await life.set_up()
    await life.imported()
    if kind == "short":
        life.cloud.quirks.unlisted = (life.site.id,)
    else:
        life.cloud.faults.add(Fault(path="all_installations", **LISTS[kind]))
    mark = life.mark
    await life.restart()
    await life.mostly_asleep(18)
    await life.minutes(5 * 60)
    assert "all_installations" in {r.endpoint for r in life.cloud.requests[mark:]}
    await life.right()
    assert not life.issues
    assert not life.reauth


AWAY: Final[dict[str, dict[str, Any]]] = {
    "refuse": {"kind": "refuse"},
    "hang": {"kind": "hang"},
    "502": {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"},
    "html": {"kind": "html"},
    "403 page": {"kind": "status", "status": 403, "body": "<html>Blocked</html>"},
    "429 long": {"kind": "status", "status": 429, "headers": {"Retry-After": "900"}},
}


@pytest.mark.parametrize("name", AWAY)
async def test_days_without_the_cloud(life: CloudLife, name: str) -> None:
    """Three days: one line, few requests, and an hour later everything is back."""
    await life.set_up()
    await life.imported()
    before = devices(life)
    mark = life.mark
    life.cloud.faults.add(Fault(**AWAY[name]))
    await life.minutes(3 * 24 * 60)
    assert len(life.cloud.requests) - mark <= 3 * 24 * 16
    life.cloud.faults.clear()
    mark = life.mark
    await life.minutes(61)
    await life.right()
    assert len(life.asked(mark)) <= bound(10)
    assert not life.reauth
    assert not life.issues
    assert devices(life) == before
    assert len(life.lines()) <= 2, life.lines()


@pytest.mark.parametrize("seconds", [5, 30])
@pytest.mark.parametrize("status", [502, 503])
async def test_a_burst_while_importing(
    life: CloudLife, status: int, seconds: int
) -> None:
    """Some seconds of it do not shrink an import."""
    since = dt_util.utcnow() + timedelta(seconds=5)
    until = since + timedelta(seconds=seconds)
    fault = Fault("status", status=status, since=since, until=until, path="site_data")
    life.cloud.faults.add(fault)
    await life.set_up()
    await life.imported()
    await life.right()
    assert life.past() <= bound(2)
    widest = max(
        _days(request.json) for request in life.asked(0, "H") if request.status == 200
    )
    assert widest >= 60, "windows stay long"


def _days(asked: dict[str, Any]) -> float:
    """Return how many days a request asks for."""
    start, end = (
        dt_util.parse_datetime(asked[key]) if asked.get(key) else dt_util.utcnow()
        for key in ("t_s", "t_e")
    )
    assert start
    assert end
    return (end.replace(tzinfo=None) - start.replace(tzinfo=None)) / DAY
