"""Runs the simulated Climkit cloud in a process of its own."""

import asyncio
from asyncio.subprocess import Process
import contextlib
import os
from pathlib import Path
import signal
import sys
from typing import Self

import aiohttp

from .client import HomeError
from .home import CHECKOUT, free_port

START_TIMEOUT = 30
STOP_TIMEOUT = 10


class Cloud:
    """`python -m tests.simulator` on a free port; an async context manager."""

    def __init__(self, log: Path) -> None:
        """Prepare a cloud that writes its output to `log`."""
        self._port = free_port()
        self._log = log
        self._process: Process | None = None
        self.url = f"http://127.0.0.1:{self._port}/api/v1"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        """Start it and return when it answers; raises HomeError when it does not."""
        with self._log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.simulator",
                "--port",
                str(self._port),
                cwd=CHECKOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        async with asyncio.timeout(START_TIMEOUT):
            while not await self._answers():
                if self._process.returncode is not None:
                    raise HomeError(
                        f"The simulator ended:\n{self._log.read_text()[-2000:]}"
                    )
                await asyncio.sleep(0.1)

    async def _stop(self) -> None:
        """End it."""
        if (process := self._process) is None:
            return
        self._process = None
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _answers(self) -> bool:
        """Return whether the server answers at all, be it with a refusal."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url):
                return True
        except aiohttp.ClientError:
            return False
