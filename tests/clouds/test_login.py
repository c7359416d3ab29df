"""Odd answers to a log-in are weather; a refusal asks the user, and then all rest."""

from datetime import timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
import pytest

from tests.simulator import Fault

from .life import START, CloudLife

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(START)]

ODD: Final[dict[str, dict[str, Any]]] = {
    "403 page": {"kind": "status", "status": 403, "body": "<html>Blocked</html>"},
    "401 page": {"kind": "status", "status": 401, "body": "<html>Blocked</html>"},
    "200 page": {"kind": "html"},
    "empty body": {"kind": "empty_body"},
    "no token": {"kind": "error_object", "body": '{"valid": true}'},
    "404": {"kind": "status", "status": 404},
    "500": {"kind": "status", "status": 500},
}
REFUSED: Final = (400, 401, 403, 422)


def odd(life: CloudLife, name: str, path: str) -> None:
    """Let log-ins, or everything, be answered oddly."""
    life.cloud.expire_tokens()
    life.cloud.faults.add(Fault(path=path, **ODD[name]))


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("path", ["auth", ""])
async def test_an_odd_hour(life: CloudLife, name: str, path: str) -> None:
    """Nobody is asked for a password that is right; an hour later all is back."""
    await life.set_up()
    await life.imported()
    odd(life, name, path)
    for _ in range(4):
        await life.minutes(15)
        assert not life.reauth
    life.cloud.faults.clear()
    await life.minutes(61)
    await life.right()
    assert not life.reauth
    assert not life.issues
    assert len(life.lines()) <= 1, life.lines()


@pytest.mark.parametrize("name", ["403 page", "200 page", "empty body", "no token"])
async def test_an_odd_hour_at_start(life: CloudLife, name: str) -> None:
    odd(life, name, "auth")
    await life.set_up()
    await life.minutes(60)
    assert not life.reauth
    assert life.entry.state is ConfigEntryState.SETUP_RETRY
    life.cloud.faults.clear()
    await life.minutes(61)
    await life.imported()
    await life.right()
    assert not life.reauth


async def test_what_is_odd_for_longer_than_a_day_asks_the_user(
    life: CloudLife,
) -> None:
    await life.set_up()
    await life.imported()
    odd(life, "no token", "auth")
    await life.minutes(20 * 60)
    asked = [life.reauth]
    await life.minutes(8 * 60)
    asked.append(life.reauth)
    mark = life.mark
    await life.minutes(12 * 60)
    assert len(life.cloud.requests) - mark <= 12 * 60 / 25 + 1, "one in 25 minutes"
    life.cloud.faults.clear()
    await life.minutes(61)
    asked.append(life.reauth)
    assert asked == [False, True, False], "not at once, after a day, and taken back"
    await life.right()


async def nothing_goes_out(life: CloudLife, *, days: float = 1.5) -> None:
    """Make sure that while the user is asked there is no request, whatever comes."""
    mark = life.mark
    await life.minutes(days * 24 * 60)
    asked = [(r.endpoint, str(r.time)) for r in life.cloud.requests[mark:]]
    assert not asked, f"{len(asked)} requests: {asked[:4]}"


async def new_password(life: CloudLife, password: str) -> None:
    """Do what a user does who is asked."""
    flows = life.hass.config_entries.flow
    (flow,) = flows.async_progress_by_handler("climkit")
    result = await flows.async_configure(
        flow["flow_id"], {"username": "demo", "password": password}
    )
    assert result["type"] == "abort"
    assert result["reason"] == "reauth_successful"
    await life.minutes(5)


@pytest.mark.parametrize("status", REFUSED)
async def test_a_changed_password(life: CloudLife, status: int) -> None:
    """The user is asked at once, nobody logs in meanwhile, and all comes back."""
    life.cloud.quirks.refused_login = status
    await life.set_up()
    await life.imported()
    life.cloud.accounts["demo"] = "new"
    life.cloud.expire_tokens()
    mark = life.mark
    await life.minutes(20)
    assert life.reauth
    logins = [r for r in life.cloud.requests[mark:] if r.endpoint == "auth"]
    assert len(logins) <= 2
    await nothing_goes_out(life)
    await new_password(life, "new")
    await life.minutes(61)
    await life.right()
    assert len(life.lines()) <= 1, life.lines()


@pytest.mark.parametrize("after", [1, 2])
async def test_a_password_that_changes_while_importing(
    life: CloudLife, after: int
) -> None:
    """The import rests too, and goes on with the new one."""
    life.cloud.quirks.longest = {"H": timedelta(days=7)}
    life.cloud.quirks.window_refusal = 400
    fault = Fault("refuse", path="site_data", after=after)
    life.cloud.faults.add(fault)
    await life.set_up()
    life.cloud.faults.remove(fault)
    life.cloud.accounts["demo"] = "new"
    life.cloud.expire_tokens()
    await life.minutes(60)
    assert life.reauth
    await nothing_goes_out(life)
    await new_password(life, "new")
    await life.imported()
    await life.right()
