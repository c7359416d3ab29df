"""The import from clouds that give little at once, or little of the past: how many requests.

In simulated time, with the real pause between requests. Beside them stands the least
that is possible, as it is worked out on paper: of whoever knew all limits beforehand.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, log2
import os
from pathlib import Path
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.util import dt as dt_util

from custom_components.climkit.metering.hours import HOUR
from tests.fast_clock import fast_clock
from tests.simulator import Quirks, Request, SimulatedSite, Simulator, sites
from tests.simulator.building import flat_meters

from .comparison import Compared, Sure, compare
from .frozen import frozen_time
from .home import add, home
from .steady import START

CHOSEN: Final = 2
"""Meters with statistics: a reply has all meters, however few of them are stored."""

DAY: Final = timedelta(days=1)
LONGEST_WINDOW: Final = 120 * DAY
"""Of hourly rows, for the memory: five years are 16 windows, as the design has it."""
VALUES: Final = 1_000_000
"""So many values in a reply are some 20 MB, and as much as the memory has room for."""

MIDNIGHT: Final = START.replace(hour=22, minute=0)
"""The local midnight after the start: so many days earlier everything begins."""
POLLED: Final = 48 * HOUR
"""What is newer comes with the polls."""
A_WHILE: Final = 60.0
"""Seconds until what the polls brought meanwhile is stored behind the history."""
DATA: Final = ("site_data", "meter_data")
GIVE_UP: Final = 12 * HOUR
"""An import that takes longer, in simulated time, hangs."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a cloud gives; None where it does not limit that."""

    name: str
    window: timedelta | None = None
    """The longest window of hourly rows that it does not refuse."""
    depth: timedelta | None = None
    """How far back it gives anything; what begins earlier is refused."""
    rows: int | None = None
    """So many rows has a reply at most; the rest is left out without a word."""
    media: tuple[str, ...] = ()
    """What is metered besides electricity, in two flats; each is asked for by itself."""

    def site(self, meters: int, begin: datetime) -> SimulatedSite:
        """Return a site that is metered since then, with so many electricity meters."""
        site = sites.large(meters, created=begin)
        for medium in self.media:
            site.meters += flat_meters(self.name, medium, ("1.1", "2.1"))
        return site

    @property
    def quirks(self) -> Quirks:
        """Return how the simulator does it."""
        return Quirks(
            longest={"H": self.window} if self.window else {},
            depth={"": MIDNIGHT - self.depth} if self.depth else {},
            most_rows=self.rows,
        )

    def since(self, begin: datetime) -> datetime:
        """Return from when on something is given of a site that is metered since then."""
        return max(begin, MIDNIGHT - self.depth) if self.depth else begin

    def windows(self, begin: datetime, columns: int) -> int:
        """Return how few requests could bring the history since then, on paper.

        As many as there are windows in what the cloud gives of it, but for the hours
        that polls bring. The longest window is the shortest of what the cloud takes, of
        as many hours as a reply has rows, and of what a reply has room for: so many
        days, and so many values, `columns` of them an hour. Nothing is asked for twice,
        nothing in vain, and nothing but hours.
        """
        given = START - self.since(begin) - POLLED
        at_once = min(
            LONGEST_WINDOW,
            VALUES // columns * HOUR,
            self.window or LONGEST_WINDOW,
            self.rows * HOUR if self.rows else LONGEST_WINDOW,
        )
        return ceil(given / at_once)

    def search(self, begin: datetime) -> int:
        """Return how few questions could find the day before which nothing is given.

        Each is answered by yes or no, so it takes the logarithm of the number of days.
        That it is the same of another medium takes two.
        """
        if self.since(begin) == begin:
            return 0
        return ceil(log2((START - begin) / DAY)) + 2 * len(self.media)


CASES: Final = (
    Case("no limit"),
    Case("31 days at once", window=31 * DAY),
    Case("7 days at once", window=7 * DAY),
    Case("two years of depth", depth=730 * DAY),
    Case("1,000 rows a reply", rows=1000),
    Case(
        "31 days at once and two years of depth, 4 media",
        window=31 * DAY,
        depth=730 * DAY,
        media=("heating", "cold_water", "hot_water"),
    ),
)


@dataclass(slots=True)
class Limited:
    """What an import cost."""

    case: Case
    meters: int
    windows: int
    search: int
    """The fewest requests for the hours themselves, and to find the depth."""
    requests: Counter[str] = field(default_factory=Counter)
    """By sampling, whether they were granted or refused; without polls."""
    seconds: float = 0.0
    """Until all was in, by the simulated clock."""
    smallest_gap: float = 0.0
    book: Compared = field(default_factory=Compared)

    @property
    def least(self) -> int:
        """Return how few requests it could be."""
        return self.windows + self.search

    @property
    def total(self) -> int:
        """Return how many requests the import made."""
        return self.requests.total()

    @property
    def bar(self) -> int:
        """Return how many it may make: some to find out about the cloud, and a quarter.

        Of each medium, months have to be asked for as well, and how far back they go.
        """
        return int(1.25 * self.least) + 12 + 6 * len(self.case.media)


async def measure(
    directory: Path, case: Case, *, meters: int, days: int, chosen: int = CHOSEN
) -> Limited:
    """Import the history of a site that has been metered for so many days."""
    begin = MIDNIGHT - days * DAY
    site = case.site(meters, begin)
    ids = [meter.id for meter in site.meters if meter.mode != "introduction"]
    windows = sum(
        case.windows(begin, len(site.frame(medium, "H", START - DAY, START).names))
        for medium in ("electricity", *case.media)
    )
    result = Limited(case, meters, windows, case.search(begin))
    with frozen_time(START) as frozen:
        cloud = Simulator(
            [site], clock=dt_util.utcnow, min_interval=0, quirks=case.quirks
        )
        async with cloud, home(directory) as hass:
            os.environ["CLIMKIT_API_URL"] = cloud.url
            with fast_clock(frozen):
                entry = await add(hass, site, ids[:chosen])
                await _imported(entry)
                result.seconds = (dt_util.utcnow() - START).total_seconds()
                await asyncio.sleep(A_WHILE)
            now = dt_util.utcnow()
        result.smallest_gap = _smallest_gap(cloud.requests)
        result.requests = _asked(cloud.requests)
        sure = Sure(case.since(begin), now - 2 * HOUR)
        path = directory / "home-assistant_v2.db"
        flows = entry.runtime_data.site.data.flows
        result.book = compare(path, site, flows, now, sure)
    return result


async def _imported(entry: ConfigEntry) -> None:
    """Wait until the whole history is in."""
    history = entry.runtime_data.history
    done = asyncio.Event()

    def advanced() -> None:
        if history.data >= 100:
            done.set()

    unsubscribe = history.async_add_listener(advanced)
    advanced()
    async with asyncio.timeout(GIVE_UP.total_seconds()):
        await done.wait()
    unsubscribe()


def _smallest_gap(requests: Iterable[Request]) -> float:
    """Return the seconds between the two closest, by the simulated clock."""
    gaps = (later.time - earlier.time for earlier, later in pairwise(requests))
    return min(gaps, default=timedelta.max).total_seconds()


def _asked(requests: Iterable[Request]) -> Counter[str]:
    """Count the questions for series, by sampling, but for polls."""
    return Counter(
        request.json["sampling_frequency"]
        for request in requests
        if request.endpoint in DATA and not _is_poll(request)
    )


def _is_poll(request: Request) -> bool:
    """Return whether quarter hours of two days are asked for; of one, it is a control."""
    start = datetime.fromisoformat(request.json["t_s"]).replace(tzinfo=UTC)
    is_long = request.time - start >= POLLED
    return is_long and request.json["sampling_frequency"] == "15T"
