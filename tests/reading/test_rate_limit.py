"""Never two requests of one account within a second, whoever wants what."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
import logging
import random
from statistics import median

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import Priority, RequestQueue
from custom_components.climkit.const import DOMAIN
from custom_components.climkit.metering.hours import QUARTER
from custom_components.climkit.metering.publication import RETRY, PublicationSchedule
from tests.simulator import SimulatedSite, Simulator, sites
from tests.simulator.publication import USUAL_DELAY

from ..conftest import NOW, entry_for
from ..fast_clock import fast_clock
from ..setup_flow.dialog import log_in

pytestmark = [pytest.mark.rate_limit, pytest.mark.statistics_only]


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=dt_util.utcnow() - timedelta(days=4))


@pytest.mark.slow
async def test_all_at_once(hass: HomeAssistant, cloud: Simulator) -> None:
    """Two entries, a flow of somebody who types the name otherwise, and actions."""
    cloud.min_interval = 1.0
    cloud.accounts["Demo"] = "demo"
    cloud.sites += sites.many(1, created=cloud.sites[0].created)
    entries = [entry_for(site, meters=[]) for site in cloud.sites]
    for entry in entries:
        entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entries[0].entry_id)
    assert len(cloud.sites) == len(entries)

    async def action(name: str) -> None:
        await hass.services.async_call(
            DOMAIN,
            name,
            {"config_entry_id": entries[0].entry_id},
            blocking=True,
            return_response=name == "get_readings",
        )

    await asyncio.gather(
        log_in(hass, username="Demo"), action("get_readings"), action("import_history")
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    times = [request.monotonic for request in cloud.requests]
    assert len(times) > 8
    assert min(b - a for a, b in pairwise(times)) >= 1.0
    assert all(request.status == 200 for request in cloud.requests)
    # Names that differ in case are one account to the limit, but two to the log-in.
    assert len(cloud.requests.to("auth")) == 2


async def _import_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Have all of a site fetched again."""
    await hass.services.async_call(
        DOMAIN, "import_history", {"config_entry_id": entry.entry_id}, blocking=True
    )


SITES = 100
"""Of one account: about 400 polls an hour of 3270 requests that may be sent."""
SAMPLING = "sampling_frequency"
ANSWER = 0.3
"""Seconds that the cloud takes to answer."""


class Day:
    """What all who use one account do on a day, and how long they wait for it."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.queue = RequestQueue()
        self.chance = random.Random(6)
        self.loop = asyncio.get_running_loop()
        self.sent: list[float] = []
        self.polls: list[float] = []
        self.actions: list[float] = []
        self.flows: list[float] = []
        self.audits: list[float] = []
        self.history_of: dict[int, int] = defaultdict(int)

    async def request(self, priority: Priority) -> float:
        """Send one, and return how long that took."""
        wanted = self.loop.time()
        async with self.queue.turn(priority):
            await self.queue.pace()
            self.sent.append(self.loop.time())
            await asyncio.sleep(ANSWER)
            self.queue.answered()
        return self.loop.time() - wanted

    async def live(self) -> None:
        """Poll a site as it publishes."""
        schedule = PublicationSchedule()
        while True:
            self.polls.append(await self.request(Priority.LIVE))
            now = dt_util.utcnow()
            published = now - timedelta(minutes=17)
            newest = published - (published - _MIDNIGHT) % QUARTER
            schedule.polled(newest, now)
            wait = (schedule.next_poll(now) - now).total_seconds()
            await asyncio.sleep(wait + self.chance.uniform(0, 15))

    async def history(self, number: int) -> None:
        """Import without end."""
        while True:
            await self.request(Priority.BACKGROUND)
            self.history_of[number] += 1

    async def flow(self) -> None:
        """Open a flow that names all sites, every hour."""
        while True:
            begin = self.loop.time()
            for _ in range(SITES + 3):  # log-in, list, names, meters
                await self.request(Priority.LIVE)
            self.flows.append(self.loop.time() - begin)
            await asyncio.sleep(3600 - self.flows[-1])

    async def action(self) -> None:
        """Ask for readings now and then."""
        while True:
            await asyncio.sleep(self.chance.uniform(0, 600))
            self.actions.append(await self.request(Priority.LIVE))

    async def audit(self) -> None:
        """Check a site at night: weeks by the hour, all months, a month by the day."""
        await asyncio.sleep(self.chance.uniform(12 * 3600, 16 * 3600))
        begin = self.loop.time()
        for _ in range(3):
            await self.request(Priority.BACKGROUND)
        self.audits.append(self.loop.time() - begin)


@pytest.mark.freeze_time(NOW)
async def test_a_day_of_a_hundred_sites(freezer: FrozenDateTimeFactory) -> None:
    """Polls go first, in their order; history gets all that is left, and nobody starves.

    All sites publish at the same moments, so all want to poll within a minute: then the
    last of them waits for 99 others. That is what the limit forces, and the most, but
    for one request that is on its way, and one each of whoever else is in a hurry: a
    flow and an action.
    """
    day = Day()
    with fast_clock(freezer):
        work = [day.flow(), day.action()]
        work += [day.live() for _ in range(SITES)]
        work += [day.history(number) for number in range(SITES)]
        work += [day.audit() for _ in range(SITES)]
        tasks = [asyncio.create_task(one) for one in work]
        await asyncio.sleep(86400)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(2)  # the queue's own timer

    assert min(b - a for a, b in pairwise(day.sent)) >= 1.0
    # The hundredth waits for 99 live ones, the one that is on its way, and two others.
    longest = (SITES + 3) * (1.1 + ANSWER)
    assert max(*day.polls, *day.actions) <= longest
    assert len(day.polls) >= SITES * 4 * 23
    # A flow has its turn between the polls, however many there are.
    assert len(day.flows) >= 23
    assert max(day.flows) <= 3 * longest
    assert len(day.audits) == SITES
    assert max(day.audits) <= 3600
    # Nothing is wasted while somebody waits, and background work is shared evenly.
    assert len(day.sent) >= 0.75 * 86400 / 1.1
    assert min(day.history_of.values()) >= 0.95 * max(day.history_of.values())


_MIDNIGHT = dt_util.parse_datetime("2026-06-16T00:00:00+00:00", raise_on_error=True)


@pytest.mark.slow
@pytest.mark.freeze_time(NOW)
async def test_sites_of_one_account(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Twenty sites in Home Assistant, all at their audit, five at an import, and a flow.

    One token at a time (a flow logs in, to try what was typed), and all are up to date.
    """
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    created = dt_util.utcnow() - timedelta(days=3)
    cloud.sites[:] = sites.many(20, created=created)
    entries = [entry_for(site, meters=[]) for site in cloud.sites]
    with fast_clock(freezer):
        for entry in entries:
            entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entries[0].entry_id)
        await asyncio.sleep(3600)
        cloud.requests.clear()
        everything = [entry.runtime_data.audit.async_run() for entry in entries]
        everything += [_import_again(hass, entry) for entry in entries[:5]]
        busy = asyncio.gather(*everything, log_in(hass))
        await asyncio.sleep(3600)
        assert busy.done()
        times = [request.time for request in cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))
        assert len(cloud.requests.to("auth")) <= 5 + 1
        by_hour = [r for r in cloud.requests if (r.json or {}).get(SAMPLING) == "H"]
        assert len(by_hour) >= 20 + 5
        assert cloud.most_in_flight["demo"] == 1
        now = dt_util.utcnow()
        ages = [now - entry.runtime_data.live[0].data.newest for entry in entries]
        oldest = USUAL_DELAY + QUARTER  # the next is published just now
        assert median(ages) < oldest + timedelta(minutes=3)
        assert max(ages) < oldest + RETRY + timedelta(minutes=1)  # after an early poll
        for entry in entries:
            await hass.config_entries.async_unload(entry.entry_id)
