"""Run the simulated cloud on its own: python -m tests.simulator."""

import argparse
import asyncio
from collections.abc import Callable
import contextlib
from datetime import UTC, date, datetime, timedelta
from functools import partial
import signal
from typing import Final

from . import sites
from .local_time import local_start
from .server import Simulator
from .site import SimulatedSite

SITES: Final[dict[str, Callable[..., SimulatedSite]]] = {
    "showcase": sites.showcase,
    "community": sites.community,
    "everything": partial(
        sites.community, heat=True, water=True, cooling=True, charge_points=2
    ),
    "battery": sites.with_battery,
    "apartment": sites.apartment,
    "heat": sites.heat_only,
    "no-pv": sites.no_pv,
    "rules": sites.with_rules,
    "large": sites.large,
    "sensors": sites.with_environment_sensors,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    parser.description = "A server that behaves like Climkit's metering cloud."
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument(
        "--site", action="append", choices=SITES, help="may be given several times"
    )
    parser.add_argument(
        "--created",
        type=date.fromisoformat,
        metavar="DATE",
        help="first day of the sites (2023-03-01): less history is quicker to import",
    )
    parser.add_argument("--many", type=int, default=0, help="so many small sites more")
    parser.add_argument("--delay-minutes", type=float, help="of publication")
    parser.add_argument(
        "--account", action="append", metavar="USER:PASSWORD", default=[]
    )
    parser.add_argument(
        "--min-interval", type=float, default=1.0, help="seconds between two requests"
    )
    return parser.parse_args()


def _simulator(options: argparse.Namespace) -> Simulator:
    served: dict[str, SimulatedSite] = {}
    age = {}
    if options.created is not None:
        midnight = local_start(options.created, "Europe/Zurich")
        age["created"] = datetime.fromtimestamp(midnight, UTC)
    for name in options.site or ["showcase"]:
        site = SITES[name](**age)
        served[site.id] = site
    served |= {site.id: site for site in sites.many(options.many, **age)}
    accounts = dict(account.split(":", 1) for account in options.account)
    delay = options.delay_minutes
    return Simulator(
        list(served.values()),
        accounts=accounts or {"demo": "demo"},
        publication_delay=None if delay is None else timedelta(minutes=delay),
        min_interval=options.min_interval,
    )


async def _run(options: argparse.Namespace) -> None:
    simulator = _simulator(options)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    await simulator.start(options.port, options.host)
    try:
        names = ", ".join(site.name for site in simulator.sites[:5])
        print(f"Climkit simulator: {simulator.url}", flush=True)
        print(f"  sites: {names} ({len(simulator.sites)})", flush=True)
        print(f"  accounts: {', '.join(simulator.accounts)}", flush=True)
        await stop.wait()
    finally:
        await simulator.stop()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
