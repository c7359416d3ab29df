"""The queue of one account: one request in flight, at most one a second.

Climkit's documentation states one request a second; the limit was seen to be enforced.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
import heapq
from itertools import count
from typing import Final

from aiolimiter import AsyncLimiter

MIN_INTERVAL: float = 1.1
"""Seconds from start to start: the server counts arrivals, so there is a margin."""

LONGEST_BACKOFF: Final = 60.0


class Priority(IntEnum):
    """Who goes first."""

    LIVE = 0
    BACKGROUND = 1


class RequestQueue:
    """Lets the requests of one account through, one after the other."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        # More than one at a time would let a burst through after every pause.
        self._limiter = AsyncLimiter(1, MIN_INTERVAL)
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._busy = False
        self._paused_until = 0.0
        self._refusals = 0
        self._starts: deque[float] = deque()

    @asynccontextmanager
    async def turn(self, priority: Priority = Priority.LIVE) -> AsyncIterator[None]:
        """Wait for one's turn: by priority, then by arrival; have it until the exit."""
        await self._acquire(priority)
        try:
            yield
        finally:
            self._pass_on()

    async def pace(self) -> None:
        """Wait until the next request may start; to be called before each."""
        loop = asyncio.get_running_loop()
        while (wait := self._paused_until - loop.time()) > 0:
            await asyncio.sleep(wait)
        await self._limiter.acquire()
        self._starts.append(loop.time())

    def pause(self, seconds: float) -> None:
        """Let nobody send for so long."""
        until = asyncio.get_running_loop().time() + seconds
        self._paused_until = max(self._paused_until, until)

    @property
    def pause_left(self) -> float:
        """Return for how many seconds nobody may send."""
        return max(self._paused_until - asyncio.get_running_loop().time(), 0.0)

    def back_off(self) -> float:
        """Return how long to wait after one more refusal: 2, 4, 8 … 60 seconds."""
        self._refusals += 1
        return min(2.0**self._refusals, LONGEST_BACKOFF)

    def succeeded(self) -> None:
        """Note that the cloud has patience again."""
        self._refusals = 0

    @property
    def requests_last_hour(self) -> int:
        """Return how many requests were sent within the last hour."""
        horizon = asyncio.get_running_loop().time() - 3600
        while self._starts and self._starts[0] < horizon:
            self._starts.popleft()
        return len(self._starts)

    async def _acquire(self, priority: Priority) -> None:
        if not self._busy:
            self._busy = True
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._pass_on()  # the turn had just come; it must not get lost
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            *_, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
                return
        self._busy = False
