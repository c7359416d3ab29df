"""Enters the tariffs of simulated sites as a person would, with the bills in the hand."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from tests.simulator import SimulatedSite
from tests.simulator.tariffs import SimulatedTariff, tariffs_of

from .home import Home
from .setup_flow import add_subentry

_OF_HOURS: Final = "preset"


async def add_tariffs(
    home: Home,
    sites: Iterable[SimulatedSite],
    *,
    changed: date | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Add the tariffs of those sites that are set up; raises HomeError if refused.

    Prices change on the last 1 January, or on another day.
    """
    entries = await home.client.request("GET", "/api/config/config_entries/entry")
    by_title = {
        entry["title"]: entry["entry_id"]
        for entry in entries
        if entry["domain"] == "climkit"
    }
    for site in sites:
        if site.name in by_title:
            await _add(
                home, by_title[site.name], tariffs_of(site, changed=changed), say
            )


async def _add(
    home: Home,
    entry_id: str,
    tariffs: Iterable[SimulatedTariff],
    say: Callable[[str], None],
) -> None:
    known: set[str] = set()
    for tariff in tariffs:
        answers = tariff.answers
        if tariff.component in known:
            # The form of a further version has the hours of the last one.
            answers.pop(_OF_HOURS, None)
        known.add(tariff.component)
        say(await add_subentry(home.client, entry_id, "tariff", answers))
