"""Looks at the event loop and at the memory while others work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import gc
from pathlib import Path
import resource
import time
from typing import Final

BEAT: Final = 0.005
"""Seconds between two looks."""

_PAGE: Final = resource.getpagesize()
_SCHEDULING: Final = Path("/proc/thread-self/schedstat")


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


def memory() -> int:
    """Return the resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


@asynccontextmanager
async def watch() -> AsyncIterator[Seen]:
    """Watch the running loop; what is seen grows until the exit."""
    gc.collect()
    start = memory()
    seen = Seen(memory_before=start, memory_peak=start)
    collecting = _Collections()
    gc.callbacks.append(collecting)
    task = asyncio.create_task(_beat(seen, collecting))
    try:
        yield seen
    finally:
        task.cancel()
        gc.callbacks.remove(collecting)


async def _beat(seen: Seen, collecting: _Collections) -> None:
    while True:
        before = time.perf_counter(), time.thread_time(), collecting.seconds
        delayed = _delayed()
        await asyncio.sleep(BEAT)
        rubbish = collecting.seconds - before[2]
        silence = time.perf_counter() - before[0] - BEAT
        block = silence - rubbish - (_delayed() - delayed)
        work = time.thread_time() - before[1] - rubbish
        seen.longest_silence = max(seen.longest_silence, silence)
        seen.longest_block = max(seen.longest_block, block)
        seen.longest_work = max(seen.longest_work, work)
        seen.blocks += block > 0.05
        seen.memory_peak = max(seen.memory_peak, memory())


def _delayed() -> float:
    """Return for how many seconds this thread could have run, but had no processor."""
    try:
        return int(_SCHEDULING.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


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
