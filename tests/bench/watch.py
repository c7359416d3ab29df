"""Looks at the event loop and at the memory while others work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
import gc
import os
import resource
import threading
import time
from typing import Any, Final
from unittest.mock import patch

from custom_components.climkit.statistics.table import WriteTask
from custom_components.climkit.statistics.writer import StatisticsWriter

BEAT: Final = 0.005
"""Seconds between two looks."""

_PAGE: Final = resource.getpagesize()


@dataclass(slots=True)
class Seen:
    """What was seen until now."""

    longest_block: float = 0.0
    """Seconds for which the integration held up the loop, at most: the loop's thread
    worked, or waited for Python's lock while the integration worked in another. Without
    the garbage collection, and without the time in which other processes had the
    processor, or the recorder's work had the lock."""
    longest_silence: float = 0.0
    """Seconds for which the loop did not come round, at most, for whatever reason:
    among others because the recorder stores the states of hundreds of new sensors."""
    longest_work: float = 0.0
    """Seconds that the loop's thread worked in one go, at most."""
    blocks: int = 0
    """How often it did not come round for 50 ms."""
    memory_before: int = 0
    memory_peak: int = 0

    @property
    def extra_memory(self) -> float:
        """Return by how many MB the process grew, at its peak."""
        return (self.memory_peak - self.memory_before) / 1e6


@asynccontextmanager
async def watch() -> AsyncIterator[Seen]:
    """Watch the running loop; what is seen grows until the exit."""
    gc.collect()
    kernel = _Kernel()
    start = kernel.memory()
    seen = Seen(memory_before=start, memory_peak=start)
    collecting = _Collections()
    gc.callbacks.append(collecting)
    elsewhere = _Elsewhere()
    task = asyncio.create_task(_beat(seen, collecting, kernel, elsewhere))
    try:
        with elsewhere.noted():
            yield seen
    finally:
        task.cancel()
        gc.callbacks.remove(collecting)
        kernel.close()


async def _beat(
    seen: Seen, collecting: _Collections, kernel: _Kernel, elsewhere: _Elsewhere
) -> None:
    while True:
        delayed, busy = kernel.delayed(), elsewhere.seconds
        before = time.perf_counter(), time.thread_time(), collecting.seconds
        here = collecting.seconds_here
        await asyncio.sleep(BEAT)
        silence = time.perf_counter() - before[0] - BEAT
        rubbish = collecting.seconds - before[2]
        work = time.thread_time() - before[1] - (collecting.seconds_here - here)
        stood_still = silence - rubbish - (kernel.delayed() - delayed)
        block = min(stood_still, work + elsewhere.seconds - busy)
        seen.longest_silence = max(seen.longest_silence, silence)
        seen.longest_block = max(seen.longest_block, block)
        seen.longest_work = max(seen.longest_work, work)
        seen.blocks += block > 0.05
        seen.memory_peak = max(seen.memory_peak, kernel.memory())


class _Elsewhere:
    """Adds up how long the integration works in other threads than the loop's.

    Work of the processor: a query that waits for the lock, too, holds up nobody.
    """

    def __init__(self) -> None:
        self._over = 0.0
        self._since: dict[int, float] = {}
        """What the clocks of the threads showed when they began."""

    @property
    def seconds(self) -> float:
        """Return the seconds until now, what still runs included."""
        running = [*self._since.items()]
        return self._over + sum(_worked(thread) - begun for thread, begun in running)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what is booked, read from the database, and read out of replies."""
        read, to_thread = StatisticsWriter._async_read, asyncio.to_thread
        with (
            patch.object(WriteTask, "run", self._timed(WriteTask.run)),
            patch.object(
                StatisticsWriter,
                "_async_read",
                lambda ledger, call, *args: read(ledger, self._timed(call), *args),
            ),
            patch.object(
                asyncio,
                "to_thread",
                lambda call, *args: to_thread(self._timed(call), *args),
            ),
        ):
            yield

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            thread = threading.get_ident()
            begun = self._since[thread] = _worked(thread)
            try:
                return call(*args)
            finally:
                del self._since[thread]
                self._over += _worked(thread) - begun

        return timed


def _worked(thread: int) -> float:
    """Return for how many seconds a thread has had a processor."""
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


class _Kernel:
    """What the kernel knows of this process and of the thread that asks first.

    By files that stay open. Every call of the system gives Python's lock away, and may
    have to wait 5 ms to get it back: opening files at each beat held up the loop for
    longer than whatever it was to watch.
    """

    def __init__(self) -> None:
        self._memory = os.open("/proc/self/statm", os.O_RDONLY)
        try:
            self._scheduling = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        except FileNotFoundError:  # not every kernel keeps that account
            self._scheduling = os.open("/dev/null", os.O_RDONLY)

    def memory(self) -> int:
        """Return the resident bytes of this process."""
        return int(os.pread(self._memory, 200, 0).split()[1]) * _PAGE

    def delayed(self) -> float:
        """Return for how many seconds the thread could have run, but had no processor."""
        account = os.pread(self._scheduling, 200, 0).split()
        return int(account[1]) / 1e9 if account else 0.0

    def close(self) -> None:
        """Close the files."""
        os.close(self._memory)
        os.close(self._scheduling)


class _Collections:
    """Adds up the time that the garbage collection takes, in any thread.

    Before its end is told, the lock may already have gone to the loop that waits for it.
    """

    def __init__(self) -> None:
        self._loop = threading.get_ident()
        self._over = self.seconds_here = 0.0
        self._start: float | None = None

    @property
    def seconds(self) -> float:
        """Return the seconds until now, what still runs included."""
        start = self._start
        return self._over + (0.0 if start is None else time.perf_counter() - start)

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._start = time.perf_counter()
        elif self._start is not None:
            took = time.perf_counter() - self._start
            self._start = None
            self._over += took
            if threading.get_ident() == self._loop:
                self.seconds_here += took
