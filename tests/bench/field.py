"""The same work done the way existing clients do it: a poll per meter, small windows.

Counts follow from the way; the time of a request and of reading its reply is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
import time
from typing import Final, override

import aiohttp

from custom_components.climkit.api import ClimkitClient, RequestQueue, Resolution

WINDOW: Final = timedelta(days=30)
PAUSE: Final = 2.0
POLLS_PER_HOUR: Final = 4
LOG_INS_PER_HOUR: Final = 4
DELAY_ADDED: Final = 60 / POLLS_PER_HOUR / 2
"""Minutes that polls at any moment are late in the middle."""


@dataclass(frozen=True, slots=True)
class Field:
    """What it would cost."""

    requests_per_hour: int
    import_requests: int
    import_seconds: float
    rows_per_poll: int
    poll_seconds: float
    """For the requests of one poll, without any pause."""


async def measure(url: str, site_id: str, meters: Sequence[str], days: int) -> Field:
    """Measure some requests and compute the rest; the cloud must not limit them."""
    now = datetime.now(UTC)
    windows = ceil(days / WINDOW.days)
    async with aiohttp.ClientSession() as session:
        client = ClimkitClient(session, "demo", "demo", queue=_Unlimited(), url=url)
        begin = time.perf_counter()
        rows = 0
        for meter in meters:
            series = await client.meter_series(
                site_id, meter, Resolution.QUARTER_HOUR, now - WINDOW
            )
            rows += len(series.starts)
        poll = time.perf_counter() - begin
    each = poll / len(meters)
    columns = len(meters) + 1
    return Field(
        POLLS_PER_HOUR * columns + LOG_INS_PER_HOUR,
        windows * columns,
        windows * columns * (each + PAUSE),
        rows,
        poll,
    )


def restart_requests(sites: int, meters: int) -> int:
    """Return what it takes to show values after a restart of that many sites.

    A log-in, the list of the account, and of each site its description, its meters, and
    a poll for it and for each of its meters.
    """
    return 2 + sites * (2 + 1 + meters)


class _Unlimited(RequestQueue):
    @override
    async def pace(self) -> None:
        """Let everybody send at once."""

    @override
    def answered(self) -> None:
        """Keep no distance."""
