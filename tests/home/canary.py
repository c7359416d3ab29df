"""The canary: Climkit on a Home Assistant that its tests do not run on yet.

Run by scripts/canary, in an environment that has no test package, by that environment's
Home Assistant. Whatever goes wrong is a result, also what nobody has thought of.
"""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from datetime import UTC, datetime, timedelta
import re
import shutil
import sys
from typing import Final
from zoneinfo import ZoneInfo

from homeassistant.const import __version__ as VERSION

from tests.simulator import sites

from .__main__ import (
    DASHBOARD,
    add_climkit,
    choice_of_meters,
    say,
    show_progress,
    until_stopped,
)
from .browser import CHROMIUM, listen, log_in, open_page, shot_of_failure
from .client import HomeError
from .cloud import Cloud
from .home import Home
from .log import sort_log
from .pages import energy_sources, open_energy, show_day_of_month
from .patience import Patience
from .progress import Progress, listed
from .seed import CHECKOUT

DIRECTORY: Final = CHECKOUT / ".canary" / "home"


async def set_up(home: Home) -> str:
    """Add the site and its tariffs through their dialogs."""
    await add_climkit(home, {"meters": choice_of_meters()})
    await show_progress(home)  # a minute; by official calls, ten or more
    return str(await Progress.of(home))


async def loaded(home: Home) -> str:
    """Ask for the state of the entry."""
    entries = await home.client.command("config_entries/get", domain="climkit")
    states = [entry["state"] for entry in entries]
    return expect(states == ["loaded"], ", ".join(states))


async def imported(home: Home) -> str:
    """Compare sixty days of purchases, hour by hour, with the simulator's model."""
    site = sites.showcase()
    # After a week, whatever came late is there.
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start, end = now - timedelta(days=67), now - timedelta(days=7)
    series = f"climkit:{site.id}_grid_import"
    rows = await home.client.command(
        "recorder/statistics_during_period",
        start_time=start.isoformat(),
        end_time=end.isoformat(),
        statistic_ids=[series],
        period="hour",
        types=["change"],
    )
    found = {row["start"] / 1000: row["change"] for row in rows.get(series, ())}
    model = site.model("electricity", "H", start, end)["from_ext"]
    wrong = sum(
        abs(found.get(hour.timestamp(), 0) - energy) > 0.002
        for hour, energy in model.items()
    )
    told = f"{len(found)} of {len(model)} hours in sixty days, {wrong} wrong"
    return expect(len(found) == len(model) and not wrong, told)


async def all_known(home: Home) -> str:
    """Find a value in each sensor that is enabled."""
    progress = await Progress.of(home)
    return expect(progress.is_complete, " ".join([f"{progress}", *progress.silent]))


async def filled(home: Home) -> str:
    """Find in the Energy dashboard's settings all that the site has."""
    found = (await Progress.of(home)).dashboard
    return expect(found == DASHBOARD, listed(found) or "nothing")


async def valid(home: Home) -> str:
    """Let Home Assistant judge them; there is nothing in them that is not ours."""
    judged = await home.client.command("energy/validate")
    issues = [issue for kind in judged.values() for some in kind for issue in some]
    return expect(not issues, f"issues: {issues or 'none'}")


async def writing(home: Home) -> str:
    """Find a way of writing statistics on the system information page."""
    event = await home.client.first_event("system_health/info")
    backend = event["data"]["climkit"]["info"].get("statistics_backend")
    return expect(backend in {"table", "official"}, str(backend))


async def shown(home: Home) -> str:
    """Look at a whole day's amounts in Chromium."""
    expect(CHROMIUM is not None, "no Chromium here: scripts/setup --test installs it")
    now = datetime.now(ZoneInfo("Europe/Zurich"))
    # Yesterday; early in the morning the day before, for the water comes late.
    day = (now - timedelta(hours=7)).date() - timedelta(days=1)
    complaints: list[str] = []
    table: dict[str, str] = {}
    patience = Patience()
    async with open_page() as page, shot_of_failure(page, "canary"):
        listen(page, complaints)
        await log_in(page, home.url)
        await open_energy(page)
        await show_day_of_month(page, day.day)
        while not re.search("[1-9]", "".join(table.values())):  # not fetched yet
            patience.see(table := await energy_sources(page))
            await page.wait_for_timeout(100)
    told = [*map(" ".join, table.items()), *complaints]
    return expect(not complaints, ", ".join(told))


def expect(is_so: bool, told: str) -> str:
    """Return what is told of a check; raises HomeError with it unless it is so."""
    if not is_so:
        raise HomeError(told)
    return told


CHECKS: Final[dict[str, Callable[[Home], Awaitable[str]]]] = {
    "set-up": set_up,
    "entry": loaded,
    "history": imported,
    "sensors": all_known,
    "Energy dashboard": filled,
    "its validation": valid,
    "its page": shown,
    "way of writing statistics": writing,
}


async def passes(name: str, check: Awaitable[str]) -> bool:
    """Say what a check found, be it an error, and return whether it passed."""
    try:
        told = await check
    except Exception as err:  # noqa: BLE001
        say(f"FAILED {name}: {type(err).__name__}: {err}")
        return False
    say(f"ok     {name}: {told}")
    return True


async def life() -> str:
    """Start a home, check everything in turn, and stop it; return how many checks."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    results = []
    async with (
        Cloud(DIRECTORY / "simulator.log") as cloud,
        Home(DIRECTORY, environment={"CLIMKIT_API_URL": cloud.url}) as home,
    ):
        for name, check in CHECKS.items():
            results.append(await passes(name, check(home)))
            if check is set_up:
                expect(results[0], "nothing to look at without a set-up")
    return expect(all(results), f"{sum(results)} of {len(results)} checks passed")


async def log_is_clean() -> str:
    """Show what the whole log says against Climkit, and beside it."""
    text = (DIRECTORY / "home-assistant.log").read_text("utf-8", errors="replace")
    text = text.replace(f"{CHECKOUT}/", "")  # which may well be called climkit
    ours, others = sort_log(text)
    for record in others[:20]:
        say(f"  beside: {record.splitlines()[0]}")
    told = [
        f"{len(ours)} warnings or errors about Climkit, {len(others)} others",
        *ours,
    ]
    return expect(not ours, "\n".join(told))


async def main() -> int:
    """Run the canary and return the exit code."""
    say(f"Home Assistant {VERSION}, Python {sys.version.split()[0]}")
    passed = await passes("all of it", life())
    passed &= await passes("log", log_is_clean())
    say(f"Home Assistant {VERSION}: {'all is well' if passed else 'FAILED'}")
    return 0 if passed else 1


if __name__ == "__main__":
    with contextlib.suppress(asyncio.CancelledError):
        sys.exit(asyncio.run(until_stopped(main())))
    sys.exit(1)
