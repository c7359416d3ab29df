"""The simulated cloud as a process of its own, so that its work is not counted as ours.

Run with -m it serves, says its address, and then obeys commands, a line of JSON each.
"""

import argparse
import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
import sys
from typing import Any, Final

from tests.simulator import SimulatedSite, Simulator, sites

LIMIT: Final = 2**26
"""Bytes of the longest line that the process may say."""


def measured_site(meters: int, days: int) -> SimulatedSite:
    """Return a site that has been metered for so many days, to the local midnight."""
    today = datetime.now(UTC).date()
    begin = datetime.combine(today, datetime.min.time(), UTC)
    return sites.large(meters, created=begin - timedelta(days=days, hours=1))


@dataclass(slots=True)
class Cloud:
    """A running process."""

    url: str
    _process: Process

    async def ask(self, **changes: Any) -> dict[str, Any]:
        """Change attributes of the simulator, e.g. `min_interval`; return its report."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(changes).encode() + b"\n")
        report: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return report


@asynccontextmanager
async def cloud(meters: int, days: int) -> AsyncIterator[Cloud]:
    """Run a cloud with one site of so many meters, metered for so many days."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(meters), str(days)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LIMIT,
    )
    assert process.stdin
    assert process.stdout
    try:
        url = (await process.stdout.readline()).decode().strip()
        yield Cloud(url, process)
    finally:
        process.stdin.close()
        await process.wait()


async def _serve(meters: int, days: int) -> None:
    async with Simulator([measured_site(meters, days)]) as simulator:
        print(simulator.url, flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for name, value in json.loads(line).items():
                setattr(simulator, name, value)
            print(json.dumps(_report(simulator)), flush=True)


def _report(simulator: Simulator) -> dict[str, Any]:
    return {
        "smallest_gap": simulator.requests.smallest_gap(),
        "most_in_flight": max(simulator.most_in_flight.values(), default=0),
        "requests": [
            {
                "endpoint": request.endpoint,
                "resolution": (request.json or {}).get("sampling_frequency"),
                "status": request.status,
            }
            for request in simulator.requests
        ],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("meters", type=int)
    parser.add_argument("days", type=int)
    options = parser.parse_args()
    asyncio.run(_serve(options.meters, options.days))
