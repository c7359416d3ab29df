"""Ends the processes that a home consists of."""

import asyncio
from asyncio.subprocess import Process
import contextlib
import os
import signal


async def end(process: Process, patience: float) -> None:
    """Ask a process to end; after `patience` seconds, or if cancelled, end its group."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
