"""A tariff is added to years of history, watched: rows, time, requests, every single cost."""

import asyncio
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
import os
from pathlib import Path
import sqlite3
import time
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import numpy as np

from custom_components.climkit.metering.hours import HourlyAmounts
from custom_components.climkit.runtime import ClimkitConfigEntry
from tests.ledger import CHAIN

from .cloud import Cloud, cloud, measured_site
from .home import add, home
from .watch import Seen, watch

BOOKING_EVERY: Final = 0.5
"""Seconds between the bookings that have to come through meanwhile."""

DAYS: Final = ["mon", "tue", "wed", "thu", "fri"]
HIGH: Final = {"price": 0.30, "from": "07:00:00", "to": "20:00:00", "days": DAYS}
GRID: Final = {"pricing": "times", "price": 0.20, "zones": [HIGH]}
SUN: Final = {"pricing": "fixed", "price": 0.15}
ZURICH: Final = ZoneInfo("Europe/Zurich")


@dataclass(slots=True)
class Pricing:
    """What it cost to add the grid's tariff, and whether all costs are right."""

    meters: int
    series: int = 0
    rows: int = 0
    seconds: float = 0.0
    requests: int = 0
    """But those of polls that were due anyway."""
    bookings: int = 0
    longest_booking: float = 0.0
    """Seconds that a live booking took from being asked for to being stored."""
    wrong: int = 0
    """Hours without the cost that follows from stored energy and the price."""
    broken: int = 0
    """Rows whose sum is not the sum before and their state."""
    seen: Seen = field(default_factory=Seen)

    @property
    def rate(self) -> float:
        """Return rows per second, through the database."""
        return self.rows / self.seconds if self.seconds else float("nan")


async def measure(directory: Path, *, meters: int, days: int) -> Pricing:
    """Import the history of a site, all its meters chosen; then add tariffs."""
    result = Pricing(meters)
    path = directory / "home-assistant_v2.db"
    async with cloud(meters, days) as simulated:
        os.environ["CLIMKIT_API_URL"] = simulated.url
        site = measured_site(meters, days)
        ids = [meter.id for meter in site.meters if meter.mode != "introduction"]
        async with home(directory) as hass:
            entry: ClimkitConfigEntry = await add(hass, site, ids)
            await _history(entry)
            _add(hass, entry, "solar", SUN)
            await _priced(entry)
            before, asked = _count(path), await _questions(simulated)
            polls: list[None] = []
            for live in entry.runtime_data.live:
                live.async_add_listener(lambda: polls.append(None))
            async with watch() as result.seen:
                begin = time.perf_counter()
                _add(hass, entry, "grid", GRID)
                booking = asyncio.create_task(_keep_booking(entry, result))
                await _priced(entry)
                result.seconds = time.perf_counter() - begin
                booking.cancel()
            result.requests = await _questions(simulated) - asked - len(polls)
            result.rows = _count(path) - before
    _compare(path, result)
    return result


def _add(
    hass: HomeAssistant, entry: ClimkitConfigEntry, component: str, data: dict[str, Any]
) -> None:
    known = {"component": component, "meters": [], "valid_from": "2000-01-01"}
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(known | data),
            subentry_type="tariff",
            title=component,
            unique_id=None,
        ),
    )


async def _history(entry: ClimkitConfigEntry) -> None:
    history = entry.runtime_data.history
    while (  # noqa: ASYNC110 (there is no event of all being done)
        history.data < 100 or entry.runtime_data.statistics.pending
    ):
        await asyncio.sleep(0.1)


async def _priced(entry: ClimkitConfigEntry) -> None:
    while entry.runtime_data.pricing.pending:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def _keep_booking(entry: ClimkitConfigEntry, result: Pricing) -> None:
    """Book nothing new, again and again: it waits for its turn like any live poll."""
    statistics = entry.runtime_data.statistics
    flow = entry.runtime_data.live[0].flows[0]
    while True:
        begin = time.perf_counter()
        await statistics.async_write({flow: HourlyAmounts({}, {})})
        took = time.perf_counter() - begin
        result.bookings += 1
        result.longest_booking = max(result.longest_booking, took)
        await asyncio.sleep(BOOKING_EVERY)


async def _questions(simulated: Cloud) -> int:
    """Return how many requests for quarter hours there were."""
    report = await simulated.ask()
    return sum(request["resolution"] == "15T" for request in report["requests"])


def _count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        (count,) = database.execute(
            "select count(*) from statistics join statistics_meta"
            " on statistics_meta.id = metadata_id where unit_of_measurement = 'CHF'"
        ).fetchone()
    return int(count)


def _compare(path: Path, result: Pricing) -> None:
    """Hold every cost against stored energy and the price on paper."""
    with closing(sqlite3.connect(path)) as database:
        ids = dict(
            database.execute(
                "select statistic_id, id from statistics_meta where source = 'climkit'"
            ).fetchall()
        )
        for name, number in ids.items():
            kind = name.removesuffix("_cost")
            if kind == name or not kind.endswith("consumption") | kind.endswith(
                "import"
            ):
                continue
            result.series += 1
            parts = _parts(kind)
            costs, sums = _series(database, number)
            energies = [(_series(database, ids[part])[0], sun) for part, sun in parts]
            steps = np.diff(sums, prepend=0.0) - np.array([*costs.values()])
            result.broken += int((abs(steps) > CHAIN).sum())
            expected: dict[float, float] = {}
            for energy, sun in energies:
                for hour, amount in energy.items():
                    price = 0.15 if sun else _grid_price(hour)
                    expected[hour] = expected.get(hour, 0.0) + amount * price
            result.wrong += len(expected.keys() ^ costs.keys())
            result.wrong += sum(
                abs(costs[hour] - cost) > 1e-6
                for hour, cost in expected.items()
                if hour in costs
            )


def _parts(kind: str) -> list[tuple[str, bool]]:
    """Return the statistics of energy that a cost follows from, and which is the sun's."""
    if kind.endswith("solar_consumption"):
        return [(kind, True)]
    if kind.endswith(("grid_consumption", "grid_import")):
        return [(kind, False)]
    owner = kind.removesuffix("consumption")
    return [(f"{owner}grid_consumption", False), (f"{owner}solar_consumption", True)]


def _series(
    database: sqlite3.Connection, number: int
) -> tuple[dict[float, float], list[float]]:
    rows = database.execute(
        "select start_ts, state, sum from statistics where metadata_id = ?"
        " order by start_ts",
        (number,),
    ).fetchall()
    return {row[0]: row[1] for row in rows}, [row[2] for row in rows]


_prices: dict[float, float] = {}


def _grid_price(hour: float) -> float:
    if hour not in _prices:
        local = datetime.fromtimestamp(hour, ZURICH)
        high = local.weekday() < 5 and 7 <= local.hour < 20
        _prices[hour] = 0.30 if high else 0.20
    return _prices[hour]
