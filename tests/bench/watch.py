"""Looks at the event loop and at the memory while others work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import gc
import os
import resource
import time
from typing import Final

BEAT: Final = 0.005
"""Seconds between two looks."""

_PAGE: Final = resource.getpagesize()


@dataclass(slots=True)
class Seen:
    """What was seen until now."""

    longest_block: float = 0.0
    """Seconds for which the loop did not come round, at most: working, or waiting for
    Python's lock; without the garbage collection, and without the time in which other
    processes had the processor."""
    longest_silence: float = 0.0
    """The same with everything."""
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
    task = asyncio.create_task(_beat(seen, collecting, kernel))
    try:
        yield seen
    finally:
        task.cancel()
        gc.callbacks.remove(collecting)
        kernel.close()


async def _beat(seen: Seen, collecting: _Collections, kernel: _Kernel) -> None:
    while True:
        delayed = kernel.delayed()
        before = time.perf_counter(), time.thread_time(), collecting.seconds
        await asyncio.sleep(BEAT)
        silence = time.perf_counter() - before[0] - BEAT
        work = time.thread_time() - before[1]
        rubbish = collecting.seconds - before[2]
        block = silence - rubbish - (kernel.delayed() - delayed)
        seen.longest_silence = max(seen.longest_silence, silence)
        seen.longest_block = max(seen.longest_block, block)
        seen.longest_work = max(seen.longest_work, work - rubbish)
        seen.blocks += block > 0.05
        seen.memory_peak = max(seen.memory_peak, kernel.memory())


class _Kernel:
    """What the kernel knows of this process and of the thread that asks first.

    By files that stay open. Every call of the system gives Python's lock away, and may
    have to wait 5 ms to get it back: opening files at each beat held up the loop for
    longer than whatever it was to watch.
    """

    def __init__(self) -> None:
        self._memory = os.open("/proc/self/statm", os.O_RDONLY)
        self._scheduling = os.open("/proc/thread-self/schedstat", os.O_RDONLY)

    def memory(self) -> int:
        """Return the resident bytes of this process."""
        return int(os.pread(self._memory, 200, 0).split()[1]) * _PAGE

    def delayed(self) -> float:
        """Return for how many seconds the thread could have run, but had no processor."""
        return int(os.pread(self._scheduling, 200, 0).split()[1]) / 1e9

    def close(self) -> None:
        """Close the files."""
        os.close(self._memory)
        os.close(self._scheduling)


class _Collections:
    """Adds up the time that the garbage collection takes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._start = 0.0

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._start = time.perf_counter()
        else:
            self.seconds += time.perf_counter() - self._start
