"""Runs the simulated Climkit cloud in a process of its own."""

import asyncio
from asyncio.subprocess import Process
import os
from pathlib import Path
import sys
from typing import Self

import aiohttp

from .client import HomeError
from .home import free_port
from .patience import Patience
from .process import end
from .seed import CHECKOUT

STOP_TIMEOUT = 10


class Cloud:
    """`python -m tests.simulator` on a free port; an async context manager."""

    def __init__(self, log: Path, *options: str) -> None:
        """Prepare a cloud, with the simulator's options, that writes to `log`."""
        self._options = options
        self._port = free_port()
        self._log = log
        self._process: Process | None = None
        self.url = f"http://127.0.0.1:{self._port}/api/v1"

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def serve(self) -> None:
        """Run until cancelled; raises HomeError when it ends by itself."""
        if self._process is not None:
            await self._process.wait()
            raise HomeError(self._explain())

    async def start(self) -> None:
        """Start it and return when it answers; raises HomeError when it does not."""
        with self._log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.simulator",
                "--port",
                str(self._port),
                *self._options,
                cwd=CHECKOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        patience = Patience()
        while not await self._answers():
            if self._process.returncode is not None:
                raise HomeError(self._explain())
            patience.see(self._log.stat().st_size)
            await asyncio.sleep(0.1)

    async def _stop(self) -> None:
        """End it."""
        if (process := self._process) is None:
            return
        self._process = None
        await end(process, STOP_TIMEOUT)

    def _explain(self) -> str:
        return f"The simulator does not run:\n{self._log.read_text()[-2000:]}"

    async def _answers(self) -> bool:
        """Return whether the server answers at all, be it with a refusal."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url):
                return True
        except aiohttp.ClientError:
            return False
