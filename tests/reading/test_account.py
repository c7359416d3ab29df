"""What the entries and dialogs of one account share, and when it is forgotten."""

import asyncio
from datetime import timedelta
import gc

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import ClimkitClient
from custom_components.climkit.const import DOMAIN
from custom_components.climkit.reading.account import (
    SIGNAL_SITES,
    ClimkitAccount,
    async_get_account,
    async_get_client,
)
from tests.conftest import NOW, entry_for, later, set_up
from tests.setup_flow.dialog import CREDENTIALS, add_sites, log_in
from tests.simulator import Fault, SimulatedSite, Simulator


def clients() -> list[ClimkitClient]:
    """Return every client that is in memory."""
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, ClimkitClient)]


def known(*passwords: str) -> set[str]:
    """Return those of these passwords that are in memory."""
    return {
        password
        for password in passwords
        if any(client.has_password(password) for client in clients())
    }


async def test_clients_are_shared(hass: HomeAssistant, cloud: Simulator) -> None:
    """One client for the same credentials, one queue for the same account."""
    first = async_get_client(hass, "demo", "demo")
    assert async_get_client(hass, "demo", "demo") is first
    typo = async_get_client(hass, "Demo", "typo")
    assert typo is not first
    assert typo.queue is first.queue
    assert async_get_client(hass, "someone", "demo").queue is not first.queue
    assert cloud.requests == []


@pytest.mark.freeze_time(NOW)
async def test_passwords_are_forgotten(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """With the dialog, at once if they are wrong; with the entry; with its old ones."""
    add_sites(cloud, 1)
    cloud.accounts |= {"demo": "right-1"}
    flows = hass.config_entries.flow
    entry = entry_for(site, password="right-1")
    await set_up(hass, entry)
    flow = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    flow = await flows.async_configure(flow["flow_id"], {"account": "new"})
    for wrong in ("wrong-1", "wrong-2"):
        await flows.async_configure(
            flow["flow_id"], {"username": "demo", "password": wrong}
        )
        assert not known(wrong)
    flows.async_abort(flow["flow_id"])
    assert known("right-1", "wrong-1", "wrong-2") == {"right-1"}

    cloud.accounts["demo"] = "right-2"
    shown = await entry.start_reconfigure_flow(hass)
    await flows.async_configure(
        shown["flow_id"], {"username": "demo", "password": "right-2"}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert known("right-1", "right-2") == {"right-2"}

    shown = await log_in(hass, password="right-2")
    await hass.config_entries.async_remove(entry.entry_id)
    assert known("right-2")  # the dialog goes on
    flows.async_abort(shown["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert clients() == []


@pytest.mark.freeze_time(NOW)
async def test_a_new_account_of_an_entry(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """The old one does not keep it."""
    cloud.accounts["other"] = "new"
    await set_up(hass, entry)
    shown = await entry.start_reconfigure_flow(hass)
    await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"username": "other", "password": "new"}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not async_get_account(hass, "demo").is_used
    assert async_get_account(hass, "OTHER").is_used
    assert known("demo", "new") == {"new"}


@pytest.mark.freeze_time(NOW)
async def test_a_token_outlives_a_failed_start(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An entry that is tried again and again does not log in again and again."""
    cloud.faults.add(Fault("status", path="installation_infos", status=500, times=2))
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    states = [entry.state]
    for _ in range(2):
        await later(hass, freezer, timedelta(minutes=1))
        states.append(entry.state)
    assert states[0] is ConfigEntryState.SETUP_RETRY
    assert states[-1] is ConfigEntryState.LOADED
    assert len(cloud.requests.to("auth")) == 1


async def test_accounts_are_forgotten_when_their_requests_do_not_count(
    hass: HomeAssistant, cloud: Simulator
) -> None:
    client = async_get_client(hass, "used", "password")
    used = async_get_account(hass, "used")
    paused = async_get_account(hass, "paused")
    paused.queue.pause(100)
    typed = async_get_account(hass, "typed")
    await typed.queue.pace()
    idle = async_get_account(hass, "idle")
    async_get_account(hass, "the next one")
    assert async_get_account(hass, "USED") is used
    assert async_get_account(hass, "paused") is paused
    assert async_get_account(hass, "typed") is typed
    assert async_get_account(hass, "idle") is not idle
    assert client.username == "used"


@pytest.mark.freeze_time(NOW)
async def test_nobody_is_asked_while_the_password_is(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    await set_up(hass, entry)
    await entry.start_reauth_flow(hass)
    await later(hass, freezer, timedelta(hours=1))
    assert cloud.requests.to("all_installations") == []
    (flow,) = hass.config_entries.flow.async_progress()
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await later(hass, freezer, timedelta(hours=1))
    assert len(cloud.requests.to("all_installations")) == 1


@pytest.mark.freeze_time(NOW)
async def test_whoever_wants_to_know_is_told(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """More than one may listen; what they hear of is the account."""
    first: list[ClimkitAccount] = []
    second: list[ClimkitAccount] = []
    for told in (first, second):
        async_dispatcher_connect(hass, SIGNAL_SITES, told.append)
    await set_up(hass, entry)
    assert first == second == []
    await later(hass, freezer, timedelta(hours=1))
    account = async_get_account(hass, "demo")
    assert first == second == [account]
    assert account.visible == (site.id,)
    assert account.without_entry() == []


@pytest.mark.rate_limit
async def test_dialogs_and_entries_keep_the_limit_together(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
) -> None:
    """Whoever uses the account, and be it with a wrong password, waits for the others."""
    cloud.min_interval = 1.0
    running = async_get_client(hass, **CREDENTIALS)
    _, refused, shown = await asyncio.gather(
        running.site(site.id), log_in(hass, password="typo"), log_in(hass)
    )
    assert refused["errors"] == {"base": "invalid_auth"}
    assert shown["step_id"] == "meters"
    assert cloud.requests.smallest_gap() >= 1.0
    assert 429 not in {request.status for request in cloud.requests}
