"""A clock that jumps: whenever all wait, the time of the next timer comes at once.

Home Assistant, its recorder, the client and the simulated cloud run as they are; only
waiting takes no time. A day of polls with all their pauses is over in seconds.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any, Final, Protocol, override
from unittest.mock import patch

from custom_components.climkit.statistics.writer import StatisticsWriter

SETTLE: Final = 0.001
"""Real seconds in which something must happen, or else all are waiting."""


class Frozen(Protocol):
    """The time that everybody sees, as freezegun makes it."""

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


class _Selector:
    """The selector of the loop; where it would block, the clock moves instead."""

    def __init__(self, real: Any, frozen: Frozen, busy: _Busy, settle: float) -> None:
        self._real = real
        self._frozen = frozen
        self._busy = busy
        self._settle = settle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready; if nothing is, let the time of the next timer come."""
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        if self._busy.count or timeout is None:
            return self._real.select(0.02)
        if ready := self._real.select(self._settle):
            return ready
        self._frozen.tick(timedelta(seconds=timeout) + timedelta(microseconds=1))
        return []

    @override
    def __repr__(self) -> str:
        return f"<fast {self._real!r}>"


@contextmanager
def fast_clock(frozen: Frozen, *, settle: float = SETTLE) -> Iterator[None]:
    """Let the running loop's clock jump from timer to timer.

    Where no thread and no socket takes part, `settle` may be 0.
    """
    loop: Any = asyncio.get_running_loop()
    busy = _Busy()
    book = StatisticsWriter._async_run

    async def counted_book(*args: Any) -> Any:
        busy.count += 1
        try:
            return await book(*args)
        finally:
            busy.count -= 1

    real, resolution = loop._selector, loop._clock_resolution
    loop._selector = _Selector(real, frozen, busy, settle)
    # Frozen time counts from 1970: a nanosecond is lost in so large a float, and a
    # timer that is due exactly now would never come.
    loop._clock_resolution = 1e-6
    try:
        with (
            patch.object(loop, "run_in_executor", busy.watch(loop.run_in_executor)),
            patch.object(StatisticsWriter, "_async_run", counted_book),
        ):
            yield
    finally:
        loop._selector, loop._clock_resolution = real, resolution
