"""Never two requests of one account within a second, whoever wants what."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
import logging
import random

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.api import Priority, RequestQueue
from custom_components.climkit.const import DOMAIN
from custom_components.climkit.schedule import QUARTER, PublicationSchedule

from .conftest import NOW, entry_for
from .fast_clock import fast_clock
from .simulator import SimulatedSite, Simulator, sites

pytestmark = pytest.mark.rate_limit


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

    async def flow() -> None:
        result = await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}
        )
        await hass.config_entries.flow.async_configure(
            result["flow_id"], {"username": "Demo", "password": "demo"}
        )

    async def action(name: str) -> None:
        await hass.services.async_call(
            DOMAIN,
            name,
            {"config_entry_id": entries[0].entry_id},
            blocking=True,
            return_response=name == "get_readings",
        )

    await asyncio.gather(flow(), action("get_readings"), action("import_history"))
    await hass.async_block_till_done(wait_background_tasks=True)
    times = [request.monotonic for request in cloud.requests]
    assert len(times) > 8
    assert min(b - a for a, b in pairwise(times)) >= 1.0
    assert all(request.status == 200 for request in cloud.requests)
    # Names that differ in case are one account to the limit, but two to the log-in.
    assert len(cloud.requests.to("auth")) == 2


SITES = 100
"""Of one account: about 400 polls an hour of 3270 requests that may be sent."""
ANSWER = 0.3
"""Seconds that the cloud takes to answer."""


@pytest.mark.freeze_time(NOW)
async def test_a_day_of_a_hundred_sites(freezer: FrozenDateTimeFactory) -> None:
    """Polls go first, in their order; history gets all that is left, and nobody starves.

    All sites publish at the same moments, so all want to poll within a minute: then the
    last of them waits for 99 others. That is what the limit forces, and the most.
    """
    queue = RequestQueue()
    chance = random.Random(6)
    sent: list[float] = []
    waits: list[float] = []
    served: dict[int, int] = defaultdict(int)
    loop = asyncio.get_running_loop()
    loop.set_debug(False)

    async def request(priority: Priority) -> float:
        wanted = loop.time()
        async with queue.turn(priority):
            await queue.pace()
            sent.append(loop.time())
            await asyncio.sleep(ANSWER)
            queue.answered()
        return loop.time() - wanted

    async def live() -> None:
        schedule = PublicationSchedule()
        while True:
            waits.append(await request(Priority.LIVE))
            now = dt_util.utcnow()
            published = now - timedelta(minutes=17)
            newest = published - (published - _MIDNIGHT) % QUARTER
            schedule.polled(newest, now)
            wait = (schedule.next_poll(now) - now).total_seconds()
            await asyncio.sleep(wait + chance.uniform(0, 15))

    async def history(number: int) -> None:
        while True:
            await request(Priority.BACKGROUND)
            served[number] += 1

    with fast_clock(freezer, settle=0):
        tasks = [asyncio.create_task(live()) for _ in range(SITES)]
        tasks += [asyncio.create_task(history(number)) for number in range(SITES)]
        await asyncio.sleep(86400)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(2)  # the queue's own timer

    assert min(b - a for a, b in pairwise(sent)) >= 1.0
    # The hundredth waits for 99 live ones and the one that is on its way.
    longest = (SITES + 1) * 1.1 + 2 * ANSWER + SITES * ANSWER
    assert max(waits) <= longest
    assert len(waits) >= SITES * 4 * 23
    # Nothing is wasted while somebody waits, and background work is shared evenly.
    assert len(sent) >= 0.75 * 86400 / 1.1
    assert min(served.values()) >= 0.95 * max(served.values())


_MIDNIGHT = dt_util.parse_datetime("2026-06-16T00:00:00+00:00", raise_on_error=True)


@pytest.mark.slow
@pytest.mark.freeze_time(NOW)
async def test_sites_of_one_account(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Twenty sites in Home Assistant: one token at a time, and all are up to date."""
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    asyncio.get_running_loop().set_debug(False)
    created = dt_util.utcnow() - timedelta(days=3)
    cloud.sites[:] = sites.many(20, created=created)
    entries = [entry_for(site, meters=[]) for site in cloud.sites]
    with fast_clock(freezer):
        for entry in entries:
            entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entries[0].entry_id)
        await asyncio.sleep(3600)
        cloud.requests.clear()
        await asyncio.sleep(3600)
        times = [request.time for request in cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))
        assert len(cloud.requests.to("auth")) <= 5
        assert cloud.most_in_flight["demo"] == 1
        for entry in entries:
            newest = entry.runtime_data.live[0].data.newest
            assert dt_util.utcnow() - newest < timedelta(minutes=17 + 15 + 3)
            await hass.config_entries.async_unload(entry.entry_id)
