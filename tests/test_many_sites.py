"""A building manager's life: many sites of one account, set up by the dialog.

What is the account's is said, asked and repaired once, however many sites there are.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
import logging
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.climkit.const import DOMAIN
from custom_components.climkit.diagnostics import async_get_config_entry_diagnostics

from .fast_clock import fast_clock
from .simulator import Fault, SimulatedSite, Simulator, sites

NOW: Final = "2026-06-16T14:05:00+00:00"
CREATED: Final = datetime(2026, 6, 14, 22, tzinfo=UTC)
MOST_OF_ONE: Final = 20_000
"""Bytes of the diagnostics of a site with three meters, however many sites there are."""

pytestmark = [
    pytest.mark.rate_limit,
    pytest.mark.statistics_only,
    pytest.mark.freeze_time(NOW),
]


@pytest.fixture(params=[4, pytest.param(60, marks=pytest.mark.weekly)])
def count(request: pytest.FixtureRequest) -> int:
    """Return how many sites there are."""
    number: int = request.param
    return number


@pytest.fixture
def site() -> SimulatedSite:
    """Return the first of the sites."""
    return sites.many(1, created=CREATED)[0]


class Manager:
    """Many sites, and what is read in the log, in repairs and in the cloud's records."""

    def __init__(
        self, hass: HomeAssistant, cloud: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Look at what comes from now on."""
        self.hass = hass
        self.cloud = cloud
        self._caplog = caplog
        self._mark = 0

    @property
    def entries(self) -> list[ConfigEntry]:
        """Return the entries of all sites."""
        return self.hass.config_entries.async_entries(DOMAIN)

    async def set_up(self) -> None:
        """Add the first site by the dialog, and all others with it."""
        ids = [site.id for site in self.cloud.sites]
        shown = await self.hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}
        )
        shown = await self._send(shown, username="demo", password="demo")
        shown = await self._send(shown, site=ids[0])
        shown = await self._send(shown)
        assert shown["step_id"] == "others"
        shown = await self._send(shown, sites=ids[1:])
        assert shown["type"] is FlowResultType.CREATE_ENTRY
        await self.minutes(2 + 0.25 * len(ids))
        assert {entry.unique_id for entry in self.entries} == set(ids)
        self.all_well()
        await self.minutes(20)
        assert {e.runtime_data.history.data for e in self.entries} == {100}

    async def _send(self, shown: ConfigFlowResult, **values: Any) -> ConfigFlowResult:
        flows = self.hass.config_entries.flow
        result = await flows.async_configure(shown["flow_id"], values)
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            await asyncio.sleep(10)
            result = await flows.async_configure(shown["flow_id"])
        return result

    async def minutes(self, number: float) -> None:
        """Let time pass."""
        await asyncio.sleep(number * 60)

    async def load_again(self) -> None:
        """Set up all entries anew, at once, as at a start of Home Assistant."""
        entries = self.hass.config_entries
        for entry in self.entries:
            if entry.state is ConfigEntryState.LOADED:
                await entries.async_unload(entry.entry_id)
            else:
                entry.async_cancel_retry_setup()
        todo = [e for e in self.entries if e.state.recoverable]
        await asyncio.gather(*(entries.async_reload(e.entry_id) for e in todo))

    def begin(self) -> None:
        """Forget what was said and asked until now, but for the pace."""
        self._caplog.clear()
        self._mark = len(self.cloud.requests)

    def asked(self) -> Counter[str]:
        """Return the requests since the beginning, by endpoint."""
        return Counter(r.endpoint for r in self.cloud.requests[self._mark :])

    def lines(self, level: int = logging.WARNING) -> list[str]:
        """Return what a user reads in the log since the beginning."""
        return [
            record.getMessage()
            for record in self._caplog.records
            if record.name.startswith(("custom_components.climkit", "homeassistant.co"))
            and record.levelno >= level
            and "custom integration" not in record.getMessage()
        ]

    def issues(self) -> list[str]:
        """Return the keys of the repairs that concern us."""
        return [
            str(issue.translation_key)
            for issue in ir.async_get(self.hass).issues.values()
            if issue.active and DOMAIN in (issue.domain, issue.issue_domain)
        ]

    def flows(self) -> list[str]:
        """Return where the dialogs that wait for the user come from."""
        flows = self.hass.config_entries.flow.async_progress()
        return [flow["context"]["source"] for flow in flows]

    def all_well(self, but: int = 0) -> None:
        """Make sure that all sites but so many are read."""
        loaded = [e for e in self.entries if e.state is ConfigEntryState.LOADED]
        assert len(loaded) >= len(self.entries) - but
        live = [entry.runtime_data.live[0] for entry in loaded]
        assert sum(not some.last_update_success for some in live) <= but

    def keeps_the_limit(self) -> None:
        """Make sure that no request came less than a second after another."""
        times = [request.time for request in self.cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))
        assert set(self.cloud.most_in_flight.values()) == {1}
        assert 429 not in {request.status for request in self.cloud.requests}

    async def end(self) -> None:
        """Unload all."""
        self.keeps_the_limit()
        for entry in self.entries:
            await self.hass.config_entries.async_unload(entry.entry_id)
        await asyncio.sleep(10)  # the queue finds that nobody waits any more


@pytest.fixture
async def manager(
    hass: HomeAssistant,
    cloud: Simulator,
    count: int,
    caplog: pytest.LogCaptureFixture,
) -> Manager:
    """Return many sites, before they are set up."""
    asyncio.get_running_loop().set_debug(False)
    caplog.set_level(logging.INFO)
    cloud.sites[:] = sites.many(count, created=CREATED)
    return Manager(hass, cloud, caplog)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_restart_and_night(
    manager: Manager, freezer: FrozenDateTimeFactory, count: int
) -> None:
    """A restart costs one request for each site; in a night all are audited, silently.

    The diagnostics of one site tell of that one.
    """
    with fast_clock(freezer):
        await manager.set_up()
        assert manager.lines() == []
        manager.begin()
        await manager.load_again()
        await manager.minutes(1 + 0.1 * count)
        manager.all_well()
        # The values, a further poll, and of the history what is missing: a restart
        # itself is measured in tests/bench.
        asked = manager.asked()
        assert count <= asked["site_data"] <= 4 * count
        assert asked.keys() <= {"auth", "site_data", "sensors_list"}
        manager.begin()
        await manager.minutes(24 * 60)
        manager.all_well()
        asked = manager.asked()
        assert asked["all_installations"] == 1
        assert asked["installation_infos"] == asked["meter_info"] == count
        rates = Counter(
            (request.json or {}).get("sampling_frequency")
            for request in manager.cloud.requests[-asked.total() :]
            if request.endpoint == "site_data"
        )
        # The last 35 days and one old window by hour, all of it by month.
        assert 2 * count <= rates["H"] <= 3 * count
        assert rates["M"] == count
        assert manager.lines(logging.INFO) == []
        assert manager.issues() == manager.flows() == []
        for entry in manager.entries:
            told = await async_get_config_entry_diagnostics(manager.hass, entry)
            assert len(json.dumps(told, default=str)) < MOST_OF_ONE
        await manager.end()


async def test_cloud_away(manager: Manager, freezer: FrozenDateTimeFactory) -> None:
    """One line when it goes and one when it is back, and so again; none at a restart."""
    with fast_clock(freezer):
        await manager.set_up()
        for _ in range(2):
            manager.begin()
            manager.cloud.faults.add(Fault("refuse"))
            await manager.minutes(90)
            down = manager.lines()
            assert len(down) == 1
            assert "Error fetching Immeuble " in down[0]
            manager.cloud.faults.clear()
            await manager.minutes(70)
            manager.all_well()
            assert manager.lines() == down
            assert len(manager.lines(logging.INFO)) == 2
        manager.begin()
        manager.cloud.faults.add(Fault("status", status=502))
        await manager.load_again()
        await manager.minutes(30)
        manager.cloud.faults.clear()
        await manager.minutes(30)
        manager.all_well()
        assert manager.lines() == []
        assert manager.issues() == manager.flows() == []
        await manager.end()


async def test_one_is_out_of_order(
    manager: Manager, freezer: FrozenDateTimeFactory
) -> None:
    """It says so, and does not drown what happens to all."""
    with fast_clock(freezer):
        await manager.set_up()
        manager.begin()
        ill = manager.cloud.sites[1]
        manager.cloud.faults.add(
            Fault("status", status=500, path=f"site_data/{ill.id}")
        )
        await manager.minutes(60)
        manager.all_well(but=1)
        assert len(manager.lines()) == 1
        assert ill.name in manager.lines()[0]
        away = manager.cloud.faults.add(Fault("refuse"))
        await manager.minutes(60)
        assert len(manager.lines()) == 2
        manager.cloud.faults.remove(away)
        await manager.minutes(60)
        manager.all_well(but=1)
        assert len(manager.lines()) == 2
        manager.cloud.faults.clear()
        await manager.minutes(70)
        manager.all_well()
        assert len(manager.lines()) == 2
        await manager.end()


@pytest.mark.slow
@pytest.mark.parametrize(
    "count", [4], indirect=True
)  # a day of sixty takes ten minutes
async def test_one_is_withdrawn(
    manager: Manager, freezer: FrozenDateTimeFactory
) -> None:
    """After a day one repair says which one; the others never notice."""
    with fast_clock(freezer):
        await manager.set_up()
        manager.begin()
        ids = [site.id for site in manager.cloud.sites]
        manager.cloud.grant("demo", ids[:-1])
        await manager.minutes(20)
        for entry in manager.entries:
            await entry.runtime_data.site.async_refresh()  # once a day
        await manager.minutes(26 * 60)
        manager.all_well(but=1)
        denied = sum(r.status == 403 for r in manager.cloud.requests)
        # Its description and its values once an hour, with a look at what else is given,
        # each with a new log-in at most.
        assert denied <= 26 * 5 + 4 * 5
        assert manager.issues() == ["access_withdrawn"]
        assert manager.flows() == []
        assert 1 <= len(manager.lines()) <= 2
        assert all(manager.cloud.sites[-1].name in line for line in manager.lines())
        manager.cloud.grant("demo", ids)
        await manager.minutes(70)
        manager.all_well()
        assert manager.issues() == []
        await manager.end()


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_changed_password(
    manager: Manager, freezer: FrozenDateTimeFactory, count: int, *, restarted: bool
) -> None:
    """One log-in is refused, one dialog and one repair ask, one answer serves all."""
    with fast_clock(freezer):
        await manager.set_up()
        manager.begin()
        manager.cloud.accounts["demo"] = "new"
        manager.cloud.expire_tokens()
        if restarted:
            await manager.load_again()
        await manager.minutes(60)
        assert manager.asked()["auth"] == 1
        assert manager.flows() == ["reauth"]
        assert manager.issues() == ["config_entry_reauth"]
        assert len(manager.lines()) == 1, manager.lines()
        manager.begin()
        await manager.minutes(24 * 60)
        assert manager.asked() == {}
        assert manager.flows() == ["reauth"]
        assert manager.lines() == []
        (flow,) = manager.hass.config_entries.flow.async_progress()
        result = await manager.hass.config_entries.flow.async_configure(
            flow["flow_id"], {"username": "demo", "password": "new"}
        )
        assert result["reason"] == "reauth_successful"
        await manager.minutes(2 + 0.1 * count)
        manager.all_well()
        assert manager.asked()["auth"] == 1
        assert manager.issues() == manager.flows() == []
        assert manager.lines() == []
        await manager.end()


async def test_who_asks_for_all_is_removed(
    manager: Manager, freezer: FrozenDateTimeFactory
) -> None:
    """Another one asks instead, after one more log-in at most."""
    with fast_clock(freezer):
        await manager.set_up()
        manager.cloud.accounts["demo"] = "new"
        manager.cloud.expire_tokens()
        await manager.minutes(60)
        manager.begin()
        (flow,) = manager.hass.config_entries.flow.async_progress()
        asking = flow["context"]["entry_id"]
        await manager.hass.config_entries.async_remove(asking)
        await manager.minutes(60)
        assert sorted(manager.flows()) == ["integration_discovery", "reauth"]
        assert manager.issues() == ["config_entry_reauth"]
        assert manager.asked()["auth"] <= 1
        await manager.end()
