"""A clock that jumps: whenever all wait, the time of the next timer comes at once.

Home Assistant, its recorder, the client and the simulated cloud run as they are; only
waiting takes no time. A day of polls with all their pauses is over in seconds.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final, Protocol, override
from unittest.mock import patch
from weakref import WeakSet

import aiohttp
from aiohttp.connector import Connection

from custom_components.climkit.statistics.turn import RecorderTurn

SETTLE: Final = 0.001
"""Real seconds in which a request on its way must get on, or else it has to wait."""


class Frozen(Protocol):
    """The time that everybody sees, as freezegun makes it."""

    time_to_freeze: datetime
    """Now: in UTC, naive."""

    def tick(self, delta: timedelta) -> object:
        """Move on."""


class _Busy:
    """Counts work in threads, for which the clock has to wait."""

    def __init__(self) -> None:
        self.count = 0

    def watch(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose future counts until it is done."""

        @wraps(call)
        def counted(*args: Any) -> Any:
            future = call(*args)
            self.count += 1
            future.add_done_callback(self._finished)
            return future

        return counted

    def _finished(self, _: object) -> None:
        self.count -= 1


class _Requests:
    """Knows whether a request of any client is on its way, which may take a moment."""

    def __init__(self) -> None:
        self._connecting = 0
        self._connections: WeakSet[Connection] = WeakSet()

    @property
    def are_under_way(self) -> bool:
        """Return whether a client waits for a connection, or for the end of a reply."""
        return self._connecting > 0 or not all(c.closed for c in self._connections)

    def watch(self, connect: Callable[..., Any]) -> Callable[..., Any]:
        """Return a connector's method whose connections are known."""

        @wraps(connect)
        async def known(*args: Any, **kwargs: Any) -> Connection:
            self._connecting += 1
            try:
                connection: Connection = await connect(*args, **kwargs)
            finally:
                self._connecting -= 1
            self._connections.add(connection)
            return connection

        return known


class _Selector:
    """The selector of the loop; where it would block, the clock moves instead."""

    def __init__(
        self, real: Any, frozen: Frozen, busy: _Busy, requests: _Requests
    ) -> None:
        self._real = real
        self._frozen = frozen
        self._busy = busy
        self._requests = requests
        self._asleep_until: datetime | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready; if nothing is, let the time of the next timer come."""
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        if self._busy.count or timeout is None:
            return self._real.select(0.02)
        if ready := self._real.select(SETTLE if self._requests.are_under_way else 0):
            return ready
        self._frozen.tick(self._pause(timeout) + timedelta(microseconds=1))
        return []

    def _pause(self, timeout: float) -> timedelta:
        """Return how much time passes before anything happens again."""
        until, self._asleep_until = self._asleep_until, None
        asleep = until - self._frozen.time_to_freeze if until else timedelta()
        return max(timedelta(seconds=timeout), asleep)

    def fall_asleep(self, until: datetime) -> None:
        """Let the machine sleep, as soon as no request is on its way."""
        self._asleep_until = until.replace(tzinfo=None)

    @override
    def __repr__(self) -> str:
        return f"<fast {self._real!r}>"


type Sleep = Callable[[datetime], None]
"""Lets the machine sleep until a moment in UTC: whatever was due meanwhile is due then."""


@contextmanager
def fast_clock(frozen: Frozen) -> Iterator[Sleep]:
    """Let the running loop's clock jump from timer to timer."""
    loop: Any = asyncio.get_running_loop()
    busy, requests = _Busy(), _Requests()
    connector = aiohttp.BaseConnector
    run = RecorderTurn.async_run

    async def counted_run(*args: Any) -> Any:
        busy.count += 1
        try:
            return await run(*args)
        finally:
            busy.count -= 1

    def now() -> float:
        """Return what the loop would ask freezegun for, in more words and each turn."""
        return frozen.time_to_freeze.replace(tzinfo=UTC).timestamp()

    real, resolution = loop._selector, loop._clock_resolution
    selector = loop._selector = _Selector(real, frozen, busy, requests)
    # Frozen time counts from 1970: a nanosecond is lost in so large a float, and a
    # timer that is due exactly now would never come.
    loop._clock_resolution = 1e-6
    try:
        with (
            patch.object(loop, "time", now),
            patch.object(loop, "run_in_executor", busy.watch(loop.run_in_executor)),
            patch.object(RecorderTurn, "async_run", counted_run),
            patch.object(connector, "connect", requests.watch(connector.connect)),
        ):
            yield selector.fall_asleep
    finally:
        loop._selector, loop._clock_resolution = real, resolution
