"""Who may send when: one request at a time, at most one a second, live ones first."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count
from typing import Final

MIN_INTERVAL: float = 1.1
"""Seconds between the starts of two requests; the cloud allows one a second."""

MARGIN: Final = 1.1
"""By how much MIN_INTERVAL is longer than what the cloud asks for."""

FIRST_PAUSE: float = 2.0
"""Seconds to wait after a first refusal that does not say how long."""

LONGEST_PAUSE: float = 60.0
"""Seconds that somebody waits for a pause to end; with a longer one, callers fail."""

HOUR: Final = 3600.0
DAY: Final = 86400.0

_MOMENT: Final = 0.001
"""Seconds that are not worth a timer."""


class Priority(IntEnum):
    """Who goes first when several wait."""

    LIVE = 0
    BACKGROUND = 1


class RequestQueue:
    """The queue of one account: the cloud counts requests by account."""

    def __init__(self) -> None:
        self._interval = MIN_INTERVAL
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._taken = False
        self._timer: asyncio.TimerHandle | None = None
        self._starts: deque[float] = deque()
        self._on_the_way = False
        self._not_before = float("-inf")
        self._paused_until = float("-inf")
        self._refusals = 0

    @asynccontextmanager
    async def turn(self, priority: Priority = Priority.LIVE) -> AsyncGenerator[None]:
        """Hold the account alone; waits for those of higher priority and those before.

        The turn comes when a request may be sent, so that the choice among those who
        wait falls as late as possible; or at once when the pause is longer than
        LONGEST_PAUSE: look at `paused_for` before sending.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._numbers), turn))
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # granted and cancelled in the same moment
                self._release()
            raise
        try:
            yield
        finally:
            self._release()

    async def pace(self) -> None:
        """Wait until a request may be sent, and count it; call before every single one."""
        # Not for an event but for a time, which a pause may put off meanwhile.
        while (wait := self._ready_in()) > _MOMENT:  # noqa: ASYNC110
            await asyncio.sleep(wait)
        self._starts.append(asyncio.get_running_loop().time())
        self._forget_starts()
        self._postpone(self._interval)
        self._on_the_way = True

    def answered(self) -> None:
        """Count from now on: only now is it certain that the last request has arrived.

        Making a connection takes longer than using it again. Counted from the start
        alone, the second request could arrive less than a second after the first.
        """
        if self._on_the_way:
            self._on_the_way = False
            self._postpone(self._interval / MARGIN)

    def pause(self, seconds: float) -> None:
        """Let nobody send for so many seconds, a day at most; what is no time is ignored."""
        if not seconds > 0:
            return
        seconds = min(seconds, DAY)
        now = asyncio.get_running_loop().time()
        self._paused_until = max(self._paused_until, now + seconds)
        self._postpone(seconds)
        self._grant()

    def refused(self, retry_after: float | None) -> float:
        """Pause because the cloud said so; return for how many seconds.

        Without `retry_after` (seconds) the pause doubles with each refusal in a row.
        """
        doubled = FIRST_PAUSE * 2 ** min(self._refusals, 10)
        self._refusals += 1
        seconds = retry_after or min(doubled, LONGEST_PAUSE)
        self.pause(seconds)
        return seconds

    def accepted(self) -> None:
        """Begin with a short pause again the next time the cloud refuses."""
        self._refusals = 0

    @property
    def paused_for(self) -> float:
        """Return for how many seconds nobody may send because the cloud said so."""
        return max(0.0, self._paused_until - asyncio.get_running_loop().time())

    @property
    def requests_last_hour(self) -> int:
        """Return how many requests were sent in the last 60 minutes."""
        self._forget_starts()
        return len(self._starts)

    def _forget_starts(self) -> None:
        """Forget the requests that were sent more than 60 minutes ago."""
        before = asyncio.get_running_loop().time() - HOUR
        while self._starts and self._starts[0] < before:
            self._starts.popleft()

    def _postpone(self, seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        self._not_before = max(self._not_before, now + seconds)

    def _grant(self) -> None:
        """Give the turn to whoever is next, now or when the time has come."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._forget_cancelled()
        if self._taken or not self._waiting:
            return
        wait = self._ready_in()
        if _MOMENT < wait <= LONGEST_PAUSE:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait, self._grant)
            return
        self._taken = True
        heappop(self._waiting)[2].set_result(None)

    def _forget_cancelled(self) -> None:
        while self._waiting and self._waiting[0][2].done():
            heappop(self._waiting)

    def _ready_in(self) -> float:
        """Return in how many seconds a request may be sent."""
        return self._not_before - asyncio.get_running_loop().time()

    def _release(self) -> None:
        self._taken = False
        self._grant()
