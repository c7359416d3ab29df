"""The demo: a real Home Assistant with Climkit, against a simulated cloud.

Run by scripts/demo and scripts/develop; ends cleanly on Ctrl-C.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
import contextlib
from pathlib import Path
import shutil
import signal
import sys
import time
from typing import Final

from tests.simulator import sites
from tests.simulator.__main__ import SITES
from tests.simulator.options import EXAMPLES, switches

from .client import HomeError
from .cloud import Cloud
from .home import LANGUAGES, PASSWORD, USERNAME, Home, free_port
from .patience import Patience
from .progress import Progress, listed
from .seed import CHECKOUT
from .setup_flow import run_flow
from .tariffs import add_tariffs

STARTED = time.monotonic()
STANDSTILL = 120
"""Seconds without progress before the demo calls itself ready: some 45 pass while
a limited cloud is searched for the day before which it gives nothing."""

DASHBOARD: Final = {
    "grid": 1,
    "solar": 1,
    "battery": 1,
    "water": 2,  # cold and hot
    "devices": 7,  # three flats, common parts, heat pump, two charge points
    "water devices": 6,  # cold and hot of three flats
}
"""What the Energy dashboard has in the end, with the meters of `choice_of_meters`."""


def say(text: str) -> None:
    """Print one line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:4.0f} s] {text}", flush=True)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line's options; `cloud` has those that the simulator reads."""
    own = _own_options()
    parser = argparse.ArgumentParser(
        description="Run a real Home Assistant with Climkit against a simulated cloud.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[own, switches()],
    )
    options = parser.parse_args(words)
    _, options.cloud = own.parse_known_args(words)
    options.cloud += [f"--site={name}" for name in options.site]
    return options


def _own_options() -> argparse.ArgumentParser:
    """Return the options that are the demo's, not its cloud's."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--port", type=int, default=8123, help="of the page (8123)")
    parser.add_argument(
        "--language", choices=LANGUAGES, help="of the page and of all names (en)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start over: forget the last run"
    )
    parser.add_argument(
        "--debug", action="store_true", help="show Home Assistant's log here"
    )
    parser.add_argument(
        "--no-entry", action="store_true", help="leave adding Climkit to you"
    )
    parser.add_argument(
        "--site",
        action="append",
        default=[],
        help="of the simulated cloud, may be given several times (showcase); "
        "a wrong one makes the simulator list them",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=CHECKOUT / ".demo",
        help="where Home Assistant lives (.demo)",
    )
    return parser


async def add_climkit(
    home: Home, answers: Mapping[str, object], served: Sequence[str] = ()
) -> None:
    """Add Climkit and tariffs through their own flows, unless it is there already.

    `served` has the names of the cloud's sites, if these are not the usual one.
    """
    entries = await home.client.request("GET", "/api/config/config_entries/entry")
    if any(entry["domain"] == "climkit" for entry in entries):
        say("Climkit is set up already: fetching what is new since then")
        return
    say("Adding Climkit through its set-up dialog")
    answers = {"username": USERNAME, "password": PASSWORD, **answers}
    await run_flow(home.client, "climkit", answers, say=lambda text: say(f"  {text}"))
    say("Adding its tariffs, through their own dialog")
    billed = [SITES[name]() for name in served or ["showcase"]]
    await add_tariffs(home, billed, say=lambda text: say(f"  {text}"))
    say("Importing the history, as fast as Climkit allows: one request a second")


def choice_of_meters() -> list[str]:
    """Return the meters of the showcase that its owner would choose, by id.

    All but the one that adds up the charge points, which are chosen themselves.
    """
    return [
        meter.id
        for meter in sites.showcase().meters
        if meter.is_measuring and not meter.is_rule_meter
    ]


async def show_progress(home: Home) -> None:
    """Wait until everything is there, or nothing more comes, and say how far it is."""
    shown, dashboard = "", ""
    patience = Patience(STANDSTILL)
    with contextlib.suppress(TimeoutError):
        while True:
            progress = await Progress.of(home)
            if (text := listed(progress.dashboard)) != dashboard:
                say(f"  In the Energy dashboard: {text}")
                dashboard = text
            if (text := str(progress)) != shown:
                say(f"  {text}")
                shown = text
            if progress.is_complete:
                return
            patience.see((shown, dashboard))
            await asyncio.sleep(2)


def remove(directory: Path) -> None:
    """Delete a home; raises HomeError for a folder that is not one."""
    if not directory.exists():
        return
    if not (directory / "configuration.yaml").exists():
        raise HomeError(f"{directory} is not a home of ours: not deleted")
    say(f"Starting over: deleting {directory}")
    shutil.rmtree(directory)


@contextlib.asynccontextmanager
async def running(options: argparse.Namespace) -> AsyncIterator[tuple[Home, Cloud]]:
    """Run the simulated cloud and Home Assistant."""
    if options.fresh:
        remove(options.directory)
    port = free_port(options.port)
    if port != options.port:
        say(f"Port {options.port} is taken: using {port}")
    async with contextlib.AsyncExitStack() as stack:
        say("Starting the simulated Climkit cloud, and Home Assistant")
        options.directory.mkdir(parents=True, exist_ok=True)
        cloud = Cloud(options.directory / "simulator.log", *options.cloud)
        home = Home(
            options.directory,
            port=port,
            language=options.language,
            environment={"CLIMKIT_API_URL": cloud.url},
            debug=options.debug,
        )
        # Also when the start itself fails or is interrupted.
        stack.push_async_exit(cloud)
        stack.push_async_callback(home.close)
        stack.callback(say, "Stopping Home Assistant")
        async with asyncio.TaskGroup() as group:
            group.create_task(home.start())
            group.create_task(cloud.start())
        say(f"  {cloud.url}")
        yield home, cloud


async def demo(options: argparse.Namespace) -> None:
    """Run until cancelled."""
    async with running(options) as (home, cloud):
        if not options.no_entry:
            await add_climkit(
                home,
                {} if options.site else {"meters": choice_of_meters()},
                options.site,
            )
            await show_progress(home)
        say("Ready. Ctrl-C stops it; started again, it goes on from here.")
        print(
            f"\n    {home.url}/energy\n    {home.url}/config/integrations"
            f"\n\n    user {USERNAME}, password {PASSWORD}\n",
            flush=True,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(home.serve())
            group.create_task(cloud.serve())


async def until_stopped[T](work: Awaitable[T]) -> T:
    """Return what work comes to; a signal to end cancels it, so that it can clean up."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await work


def main() -> int:
    """Run the demo and return the exit code."""
    options = arguments()
    try:
        asyncio.run(until_stopped(demo(options)))
    except asyncio.CancelledError:
        say("Stopped")
        return 0
    except HomeError as err:
        say(f"Failed: {err}")
        return 1
    except ExceptionGroup as group:
        say(f"Failed: {group.exceptions[0]}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
