"""The demo: a real Home Assistant with Climkit, against a simulated cloud.

Run by scripts/demo and scripts/develop; ends cleanly on Ctrl-C.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
import contextlib
from pathlib import Path
import shutil
import signal
import sys
import time

from .client import HomeError
from .cloud import Cloud
from .home import LANGUAGES, PASSWORD, USERNAME, Home, free_port
from .seed import CHECKOUT
from .setup_flow import run_flow

STARTED = time.monotonic()


def say(text: str) -> None:
    """Print one line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:4.0f} s] {text}", flush=True)


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description="Run a real Home Assistant with Climkit against a simulated cloud.",
    )
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
        help="of the simulated cloud, may be given several times (community); "
        "a wrong one makes the simulator list them",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=CHECKOUT / ".demo",
        help="where Home Assistant lives (.demo)",
    )
    return parser.parse_args()


async def add_climkit(home: Home) -> None:
    """Add Climkit through its own config flow, unless it is there already."""
    entries = await home.client.request("GET", "/api/config/config_entries/entry")
    if any(entry["domain"] == "climkit" for entry in entries):
        say("Climkit is already set up")
        return
    say("Adding Climkit through its set-up dialog")
    answers = {"username": USERNAME, "password": PASSWORD}
    await run_flow(home.client, "climkit", answers, say=lambda text: say(f"  {text}"))


async def show_progress(home: Home, limit: float = 90) -> None:
    """Wait until every sensor has a value, at most `limit` seconds, and say how many."""
    shown = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while True:
                states = [row["state"] for row in (await sensors(home)).values()]
                known = sum(s not in ("unknown", "unavailable") for s in states)
                listed = await home.client.command("recorder/list_statistic_ids")
                series = sum(row["source"] == "climkit" for row in listed)
                text = f"{known} of {len(states)} sensors, {series} statistics"
                if text != shown:
                    say(f"  {text}")
                    shown = text
                if states and known == len(states) and series:
                    return
                await asyncio.sleep(2)


async def sensors(home: Home) -> dict[str, dict[str, object]]:
    """Return the states of Climkit's entities by entity id."""
    return await home.client.states("climkit")


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
        say("Starting the simulated Climkit cloud")
        options.directory.mkdir(parents=True, exist_ok=True)
        sites = [f"--site={name}" for name in options.site]
        cloud = Cloud(options.directory / "simulator.log", *sites)
        await stack.enter_async_context(cloud)
        say(f"  {cloud.url}")
        say("Starting Home Assistant")
        home = Home(
            options.directory,
            port=port,
            language=options.language,
            environment={"CLIMKIT_API_URL": cloud.url},
            debug=options.debug,
        )
        # Also when the start itself fails or is interrupted.
        stack.push_async_callback(home.close)
        stack.callback(say, "Stopping Home Assistant")
        await home.start()
        yield home, cloud


async def demo(options: argparse.Namespace) -> None:
    """Run until cancelled."""
    async with running(options) as (home, cloud):
        if not options.no_entry:
            await add_climkit(home)
            say("Waiting for the first values")
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


def main() -> int:
    """Run the demo and return the exit code."""
    options = arguments()

    async def until_stopped() -> None:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        await demo(options)

    try:
        asyncio.run(until_stopped())
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
