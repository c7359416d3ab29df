"""The import of years of history, watched: requests, time, memory, and every single hour."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import sqlite3
import tempfile
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant

from custom_components.climkit.runtime import ClimkitConfigEntry
from tests.simulator import SimulatedSite

from .cloud import Cloud, cloud, measured_site
from .comparison import Compared, Sure, compare
from .home import add, home
from .memory import given_back, of_sqlite
from .watch import Seen, watch

LIVE_EVERY: Final = 5.0
"""Seconds between the polls that have to come through while the import runs."""


@dataclass(slots=True)
class Import:
    """What an import cost, and whether it is right."""

    meters: int
    chosen: int
    requests: Counter[str] = field(default_factory=Counter)
    """By endpoint; quarter hours are polls, "history" is the import."""
    set_up_seconds: float = 0.0
    set_up_memory: float = 0.0
    """MB by which the process had grown when the entry was set up, entities included."""
    page_caches: float | None = None
    """MB of SQLite: of the recorder's connections, which keep up to 16 MB each."""
    given_back: float | None = None
    """MB that were free at the end, and that the C library had kept all the same."""
    seconds: float = 0.0
    book: Compared = field(default_factory=Compared)
    smallest_gap: float = 0.0
    live_polls: int = 0
    longest_poll: float = 0.0
    poll_cpu: float = 0.0
    """Seconds that this process works for a poll once the history is in."""
    poll_rows: float = 0
    """Rows that polls without news wrote."""
    seen: Seen = field(default_factory=Seen)
    idle: Seen = field(default_factory=Seen)


def run(meters: int, chosen: int, days: int) -> Import:
    """Import the history of a site into a new database; may be in another process."""
    with tempfile.TemporaryDirectory() as folder:
        measuring = measure(Path(folder), meters=meters, chosen=chosen, days=days)
        return asyncio.run(measuring)


async def measure(
    directory: Path, *, meters: int, chosen: int, days: int, idle: float = 3.0
) -> Import:
    """Import the history of a site into a new database in the folder."""
    result = Import(meters, chosen)
    async with cloud(meters, days) as simulated:
        os.environ["CLIMKIT_API_URL"] = simulated.url
        site = measured_site(meters, days)
        ids = [meter.id for meter in site.meters if meter.mode != "introduction"]
        async with home(directory) as hass:
            async with watch() as result.idle:
                await asyncio.sleep(idle)
            async with watch() as result.seen:
                entry = await _run(hass, site, ids[:chosen], simulated, result)
            result.page_caches, result.given_back = of_sqlite(), given_back()
            await _poll_without_news(hass, entry, result)
            flows = entry.runtime_data.live[0].flows
            now = datetime.now(UTC)
        report = await simulated.ask()
    result.smallest_gap = report["smallest_gap"]
    result.requests = Counter(_purpose(request) for request in report["requests"])
    path = directory / "home-assistant_v2.db"
    sure = Sure(site.created, now - timedelta(hours=2))
    result.book = compare(path, site, flows, now, sure)
    return result


async def _run(
    hass: HomeAssistant,
    site: SimulatedSite,
    meters: list[str],
    simulated: Cloud,
    result: Import,
) -> ClimkitConfigEntry:
    begin = time.perf_counter()
    entry: ClimkitConfigEntry = await add(hass, site, meters)
    result.set_up_seconds = time.perf_counter() - begin
    result.set_up_memory = result.seen.extra_memory
    history = entry.runtime_data.history
    done = asyncio.Event()

    def advanced() -> None:
        if history.data >= 100:
            done.set()

    unsubscribe = history.async_add_listener(advanced)
    advanced()
    polling = asyncio.create_task(_keep_polling(entry, result))
    await done.wait()
    result.seconds = time.perf_counter() - begin
    polling.cancel()
    unsubscribe()
    return entry


async def _keep_polling(entry: ClimkitConfigEntry, result: Import) -> None:
    live = entry.runtime_data.live[0]
    while True:
        await asyncio.sleep(LIVE_EVERY)
        begin = time.perf_counter()
        await live.async_refresh()
        assert live.last_update_success
        result.live_polls += 1
        result.longest_poll = max(result.longest_poll, time.perf_counter() - begin)


async def _poll_without_news(
    hass: HomeAssistant, entry: ClimkitConfigEntry, result: Import
) -> None:
    """Poll a few times, when nothing new can have come."""
    live = entry.runtime_data.live[0]
    await live.async_refresh()
    await hass.async_block_till_done()
    path = Path(hass.config.config_dir) / "home-assistant_v2.db"
    before = _written(path)
    begin = time.process_time()
    for _ in range(3):
        await live.async_refresh()
    result.poll_cpu = (time.process_time() - begin) / 3
    await hass.async_block_till_done()
    result.poll_rows = _written(path) - before


def _written(path: Path) -> float:
    """Return a number that grows with every row that is written or rewritten."""
    with closing(sqlite3.connect(path)) as database:
        (count, total) = database.execute(
            "select count(*), total(sum) from statistics"
        ).fetchone()
    return int(count) + float(total)


def _purpose(request: Mapping[str, Any]) -> str:
    if request["endpoint"] == "site_data" and request["resolution"] == "H":
        return "history"
    return str(request["endpoint"])
