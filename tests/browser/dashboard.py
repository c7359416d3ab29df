"""Waits for what the Energy dashboard gets, and reads it off the page."""

import asyncio
from datetime import date, datetime, timedelta
import json
import re
from typing import Final

from playwright.async_api import Page
import pytest

from tests.home import Home, HomeError
from tests.home.pages import (
    energy_costs,
    energy_sources,
    open_energy,
    show_day_of_month,
    words,
)
from tests.home.patience import Patience
from tests.journey import ZURICH, Journey
from tests.simulator import SimulatedSite

from .journeys import PRICED

TOLERANCE: Final = 0.005 + 96 * 0.0005
"""In kWh: two decimals in the page, and three in each of a day's quarter hours."""


async def costs_announced(home: Home, site: SimulatedSite) -> None:
    """Wait until the Energy dashboard's settings name what was entered prices for."""
    patience = Patience()
    costs = {f"climkit:{site.id}_{cost}" for cost, _ in PRICED.values()}
    while True:
        preferences = json.dumps(await home.client.command("energy/get_prefs"))
        if all(cost in preferences for cost in costs):
            return
        patience.see(preferences)
        await asyncio.sleep(0.5)


async def check_costs(page: Page, journey: Journey) -> None:
    """Read a whole day's francs off the Energy dashboard, and compare with the bill."""
    day = await open_known_day(page)
    energies = journey.truth(day)
    expected = {}
    for flow, (_, price) in PRICED.items():
        name = f"{journey.site.name} {journey.texts('entity', 'sensor', flow, 'name')}"
        franc = pytest.approx(energies[name] * price, abs=0.005 + TOLERANCE * price)
        expected[name] = franc
    patience = Patience()
    while True:
        table = await energy_costs(page)
        shown = {
            name: number(amount, "CHF")
            for name, amount in table.items()
            if name.startswith(journey.site.name) and amount
        }
        if shown == expected:
            return
        patience.see(table)
        await page.wait_for_timeout(100)


async def all_there(home: Home, site: SimulatedSite) -> None:
    """Wait until the history is in and the Energy dashboard names it."""
    entries = await home.client.command("config/entity_registry/list")
    (progress,) = (
        row["entity_id"]
        for row in entries
        if row["unique_id"] == f"{site.id}_history_import"
    )
    patience = Patience()
    while True:
        states = await home.client.states("climkit")
        try:
            preferences = await home.client.command("energy/get_prefs")
        except HomeError:  # nobody has set any
            preferences = {}
        named = f"climkit:{site.id}_grid_import" in json.dumps(preferences)
        percent = states[progress]["state"]
        if named and float(percent) == 100:
            return
        patience.see((named, percent))
        await asyncio.sleep(0.5)


async def open_known_day(page: Page) -> date:
    """Let the Energy dashboard show a day of which everything is known; return it."""
    # Yesterday; early in the morning the day before, for what comes late.
    day = (datetime.now(ZURICH) - timedelta(hours=2)).date() - timedelta(days=1)
    await open_energy(page)
    await show_day_of_month(page, day.day)
    return day


async def check_energy(page: Page, journey: Journey) -> None:
    """Read a whole day off the Energy dashboard, and compare it with the truth."""
    day = await open_known_day(page)
    expected = {
        name: pytest.approx(amount, abs=TOLERANCE)
        for name, amount in journey.truth(day).items()
    }
    shown: dict[str, float] = {}
    patience = Patience()
    while True:
        table = await energy_sources(page)
        shown = {
            name: number(amount, "kWh")
            for name, amount in table.items()
            if name.startswith(journey.site.name)
        }
        if shown == expected:
            break
        patience.see(table)
        await page.wait_for_timeout(100)  # until the page has fetched the day
    devices = await words(page.locator("hui-energy-devices-detail-graph-card"))
    for meter in journey.site.meters:
        if meter.mode == "consumption":
            assert (str(meter.name) in devices) == (meter.name != journey.left_out)


def number(text: str, unit: str) -> float:
    """Return an amount as German and French write it, as a number."""
    assert text.endswith(unit), text
    digits = re.sub(r"[^\d,]", "", text).replace(",", ".")
    return float(digits) * (-1 if text[0] in "-\N{MINUS SIGN}" else 1)
