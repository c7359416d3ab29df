"""Fixtures of the whole suite: a real Home Assistant, a real recorder, a real cloud."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
import logging
import os
import random
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import statistics
from homeassistant.components.recorder.core import Recorder
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_PASSWORD,
    CONF_USERNAME,
    EVENT_CALL_SERVICE,
    EVENT_COMPONENT_LOADED,
    EVENT_CORE_CONFIG_UPDATE,
    EVENT_RECORDER_5MIN_STATISTICS_GENERATED,
    EVENT_RECORDER_HOURLY_STATISTICS_GENERATED,
    EVENT_SERVICE_REGISTERED,
    EVENT_SERVICE_REMOVED,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import EVENT_DEVICE_REGISTRY_UPDATED
from homeassistant.helpers.entity_registry import EVENT_ENTITY_REGISTRY_UPDATED
from homeassistant.helpers.issue_registry import EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from sqlalchemy.orm import Session

# Home Assistant finds integrations through this package; its own test folder has one
# of the same name, which would be found first.
from custom_components.climkit.api import queue
from custom_components.climkit.const import CONF_METERS, CONF_SITE, DOMAIN
from custom_components.climkit.statistics import transactions

from .quick_dates import quicken
from .simulator import SimulatedSite, Simulator, sites

quicken()
# The plugin has every SQL statement logged: a million lines, and twice the time.
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
# It writes to the terminal, too, what threads log after the test that started them.
logging.getLogger().handlers.clear()

NOW = "2026-06-16T10:05:00+00:00"
"""A Tuesday in summer, at noon in Zurich: the default time of the tests."""
LATELY = datetime(2026, 6, 9, 22, tzinfo=UTC)
"""The beginning of sites whose years of history nobody asks for."""


UNREAD: Final = [
    EVENT_CALL_SERVICE,
    EVENT_COMPONENT_LOADED,
    EVENT_CORE_CONFIG_UPDATE,
    EVENT_SERVICE_REGISTERED,
    EVENT_SERVICE_REMOVED,
    EVENT_DEVICE_REGISTRY_UPDATED,
    EVENT_ENTITY_REGISTRY_UPDATED,
    EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED,
    EVENT_RECORDER_5MIN_STATISTICS_GENERATED,
    EVENT_RECORDER_HOURLY_STATISTICS_GENERATED,
]
"""Events that nobody reads in the recorder's database. In tests it commits each by itself,
and there is at least one for each entity and each action."""
WITHOUT_EVENTS: Final = {"exclude": {"event_types": UNREAD}}
"""A recorder's configuration: states and statistics as everywhere."""
WITHOUT_STATES: Final = {"exclude": {"event_types": UNREAD, "domains": ["sensor"]}}
"""Nor states, each of which is a commit, too: a quarter of the time of a long life.
Statistics are announced and written all the same."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to run all there is, as is done once a week."""
    parser.addoption(
        "--weekly",
        action="store_true",
        help="also run what is marked weekly, and all of it in asyncio's debug mode",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than there are cores: some tests wait for others."""
    return (os.process_cpu_count() or 1) + 1


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what is weekly, and begin with what takes long.

    Not by `-m` in the configuration: one given by hand would take its place.
    """
    if not config.getoption("weekly"):
        left_out = [item for item in items if item.get_closest_marker("weekly")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("weekly")]
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
async def enable_event_loop_debug(request: pytest.FixtureRequest) -> None:
    """Set the loop's debug mode, which the plugin has on, only where it is wanted.

    It finds calls from wrong threads, and costs a quarter of the time.
    """
    wanted = request.config.getoption("weekly")
    marked = request.node.get_closest_marker("debug") is not None
    asyncio.get_running_loop().set_debug(wanted or marked)


@pytest.fixture(autouse=True)
def _no_waiting(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let requests follow each other at once, except where the limit is the subject.

    A clock that stands still would otherwise let nobody through twice.
    """
    if not request.node.get_closest_marker("rate_limit"):
        monkeypatch.setattr(queue, "MIN_INTERVAL", 0.0)


@pytest.fixture(autouse=True)
def _same_luck(request: pytest.FixtureRequest) -> None:
    """Let polls jitter the same in every run: what a test needs luck for is no test."""
    random.seed(request.node.nodeid)


@pytest.fixture(autouse=True)
def _imports_at_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the recorder send the rows of an import together, except once a week.

    Between two rows it looks whether there is the next, and sends the one before each
    time by itself: nine tenths of the time of tests of the official way of writing.
    """
    one_by_one = getattr(statistics, "_import_statistics_with_session", None)
    if one_by_one is None or request.config.getoption("weekly"):
        return

    def at_once(instance: Recorder, session: Session, *args: Any) -> bool:
        with session.no_autoflush:
            done: bool = one_by_one(instance, session, *args)
            return done

    monkeypatch.setattr(statistics, "_import_statistics_with_session", at_once)


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: object) -> None:
    """Prepare the recorder's database before Home Assistant, in whatever order."""


@pytest.fixture
def recorder_config(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Spare the recorder events, and states where nobody looks at them."""
    spared = request.node.get_closest_marker("statistics_only")
    return WITHOUT_STATES if spared else WITHOUT_EVENTS


@pytest.fixture(params=["table", "official"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the way of writing that is in use: as if something private had moved."""
    name: str = request.param
    if name == "official":
        monkeypatch.setattr(transactions, "probe", lambda: "something")
    return name


@pytest.fixture
def site() -> SimulatedSite:
    """Return the site that the cloud meters, six days old; tests may override it."""
    return sites.community(created=LATELY)


@pytest.fixture
async def cloud(
    site: SimulatedSite,
    recorder_mock: object,
    enable_custom_integrations: None,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Simulator]:
    """Run Climkit's cloud, with Home Assistant's clock, and let clients find it."""
    simulator = Simulator([site], clock=dt_util.utcnow, min_interval=0)
    async with simulator:
        monkeypatch.setenv("CLIMKIT_API_URL", simulator.url)
        yield simulator


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return a config entry for the site, with all its meters."""
    return entry_for(site)


def entry_for(
    site: SimulatedSite,
    *,
    meters: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    entry_id: str | None = None,
    **credentials: str,
) -> MockConfigEntry:
    """Return a config entry for a site: with these meters (ids), or all of them.

    Other `options` take the place of that choice. The entry's id is not left to chance:
    it decides at which minute of the night the audit makes requests of its own.
    """
    if meters is None:
        meters = [meter.id for meter in site.meters]
    known = {CONF_USERNAME: "demo", CONF_PASSWORD: "demo", CONF_SITE: site.id}
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry_id or f"site-{site.id}",
        title=site.name,
        unique_id=site.id,
        data=known | credentials,
        options={CONF_METERS: meters} if options is None else options,
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set up a config entry and wait until its sensors are there."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def history_done(entry: MockConfigEntry) -> None:
    """Wait until all of the history is in, and what the polls brought is written."""
    history, statistics = entry.runtime_data.history, entry.runtime_data.statistics
    done = asyncio.Event()

    def check() -> None:
        if history.data >= 100 and not statistics.pending:
            done.set()

    unsubscribe = history.async_add_listener(check), statistics.async_listen(check)
    check()
    await done.wait()
    for stop in unsubscribe:
        stop()


async def later(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, by: timedelta
) -> None:
    """Let time pass, and everything happen that was due."""
    freezer.tick(by)
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
