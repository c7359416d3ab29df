"""A building manager's life: many sites of one account, set up by the dialog.

What is the account's is said, asked and repaired once, however many sites there are.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime
import json
import logging
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from custom_components.climkit.diagnostics import async_get_config_entry_diagnostics

from .fast_clock import fast_clock
from .manager import Manager
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


@pytest.fixture(params=[3, pytest.param(60, marks=pytest.mark.weekly)])
def count(request: pytest.FixtureRequest) -> int:
    """Return how many sites there are."""
    number: int = request.param
    return number


@pytest.fixture
def site() -> SimulatedSite:
    """Return the first of the sites."""
    return sites.many(1, created=CREATED)[0]


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
    "count", [3], indirect=True
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
