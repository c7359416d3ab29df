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
from .options import EXAMPLES, midnight, quirks_of, switches
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


def command_line() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator",
        description="A server that behaves like Climkit's metering cloud.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[switches()],
    )
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
    return parser


def simulator(options: argparse.Namespace) -> Simulator:
    """Return the cloud of these options; raises ValueError for a meter there is not."""
    served: dict[str, SimulatedSite] = {}
    age = {}
    if options.created is not None:
        age["created"] = midnight(options.created)
    for name in options.site or ["showcase"]:
        site = SITES[name](**age)
        served[site.id] = site
    served |= {site.id: site for site in sites.many(options.many, **age)}
    accounts = dict(account.split(":", 1) for account in options.account)
    delay = options.delay_minutes
    cloud = Simulator(
        list(served.values()),
        accounts=accounts or {"demo": "demo"},
        publication_delay=None if delay is None else timedelta(minutes=delay),
        min_interval=options.min_interval,
        quirks=quirks_of(options, list(served.values()), datetime.now(UTC)),
    )
    for fault in options.fault:
        cloud.faults.add(fault)
    return cloud


async def _run(cloud: Simulator, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    await cloud.start(options.port, options.host)
    try:
        names = ", ".join(site.name for site in cloud.sites[:5])
        print(f"Climkit simulator: {cloud.url}", flush=True)
        print(f"  sites: {names} ({len(cloud.sites)})", flush=True)
        print(f"  accounts: {', '.join(cloud.accounts)}", flush=True)
        await stop.wait()
    finally:
        await cloud.stop()


def main() -> None:
    """Run until stopped."""
    parser = command_line()
    options = parser.parse_args()
    try:
        cloud = simulator(options)
    except ValueError as err:
        parser.error(str(err))
    asyncio.run(_run(cloud, options))


if __name__ == "__main__":
    main()
