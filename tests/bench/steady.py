"""Hours of normal life in simulated time: requests, log-ins, and how late readings come."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import os
from pathlib import Path
from statistics import median
import time
from typing import Final

from homeassistant.util import dt as dt_util

from custom_components.climkit.metering.hours import HOUR, QUARTER
from custom_components.climkit.reading.live_coordinator import LiveCoordinator
from tests.fast_clock import fast_clock
from tests.simulator import Publication, SimulatedSite, Simulator

from .frozen import frozen_time
from .home import add, home

START: Final = datetime(2026, 6, 16, 4, 5, tzinfo=UTC)
"""A Tuesday in summer, in the morning in Zurich: hours go by before the next audit."""

HISTORY: Final = timedelta(days=3)
"""So long have the sites been metered: their import is not the subject."""


@dataclass(slots=True)
class Steady:
    """What some sites of one account cost in normal operation."""

    sites: int
    meters: int
    hours: float
    publication: Publication
    requests: Counter[str] = field(default_factory=Counter)
    hourly: list[int] = field(default_factory=list)
    """Requests of each hour."""
    first_values: int = 0
    """Requests until the first sensor of the first site had a value."""
    delays: list[float] = field(default_factory=list)
    """Seconds between a publication and the sensors that show it."""
    smallest_gap: float = 0.0
    """Seconds between the two closest requests, by the simulated clock."""
    cpu: float = 0.0
    """Seconds of this process, cloud included, for a simulated hour."""

    @property
    def mean(self) -> float:
        """Return requests per hour and account: now and then a poll comes early."""
        return self.requests.total() / self.hours

    @property
    def per_hour(self) -> float:
        """Return the requests of an hour like most."""
        return median(self.hourly)

    @property
    def log_ins_per_hour(self) -> float:
        """Return log-ins per hour and account."""
        return self.requests["auth"] / self.hours

    @property
    def cpu_per_poll(self) -> float:
        """Return seconds of this process, cloud included, for one poll of a site."""
        polls = self.requests["site_data"] / self.hours
        return self.cpu / polls if polls else float("nan")

    @property
    def median_delay(self) -> float:
        """Return the median, in seconds."""
        return median(self.delays) if self.delays else float("nan")


async def measure(
    directory: Path,
    sites: Sequence[SimulatedSite],
    *,
    chosen: int = 8,
    hours: float,
    warm_up: float = 3.0,
    publication: Publication,
) -> Steady:
    """Live with these sites for so many hours after the first ones, which are for learning."""
    meters = max(sum(m.mode != "introduction" for m in s.meters) for s in sites)
    result = Steady(len(sites), meters, hours, publication)
    for site in sites:
        site.publication[""] = publication
    with frozen_time(START) as frozen:
        simulator = Simulator(sites, clock=dt_util.utcnow, min_interval=0)
        async with simulator, home(directory) as hass:
            os.environ["CLIMKIT_API_URL"] = simulator.url
            with fast_clock(frozen):
                for site in sites:
                    ids = [m.id for m in site.meters if m.mode != "introduction"]
                    entry = await add(hass, site, ids[:chosen])
                    if not result.first_values:
                        result.first_values = len(simulator.requests)
                    _listen(entry.runtime_data.live[0], publication, result)
                await asyncio.sleep(warm_up * 3600)
                simulator.requests.clear()
                result.delays.clear()
                begin = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
                await asyncio.sleep(hours * 3600)
                end = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
            result.cpu = (end - begin) / hours
            requests = list(simulator.requests)
    result.requests = Counter(request.endpoint for request in requests)
    # Between two polls: at one, it would be by chance in which hour the next one falls.
    begin_of_hours = requests[0].time - QUARTER / 2
    hours_since = Counter((r.time - begin_of_hours) // HOUR for r in requests)
    result.hourly = [hours_since[number] for number in range(int(hours))]
    gaps = [(b.time - a.time).total_seconds() for a, b in pairwise(requests)]
    result.smallest_gap = min(gaps, default=float("inf"))
    return result


def _listen(live: LiveCoordinator, publication: Publication, result: Steady) -> None:
    """Note how late each new quarter hour is shown, from now on."""
    newest = live.data.newest

    def updated() -> None:
        nonlocal newest
        if live.data.newest and live.data.newest != newest:
            newest = live.data.newest
            late = dt_util.utcnow() - publication.shown_at(newest)
            result.delays.append(late.total_seconds())

    live.async_add_listener(updated)
