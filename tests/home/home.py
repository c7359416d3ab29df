"""Runs a real Home Assistant in a process of its own, from a folder of its own."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Mapping
import contextlib
import os
from pathlib import Path
import socket
import sys
from typing import Final, Self

from .client import HomeClient, HomeError
from .patience import Patience
from .process import end
from .seed import seed

USERNAME: Final = "demo"
PASSWORD: Final = "demo"
LANGUAGES: Final = ("en", "de", "fr", "it")
RESTART_EXIT_CODE: Final = 100
STOP_TIMEOUT: Final = 60


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if a server may listen there, else the next port that is free."""
    for port in range(preferred, preferred + 100) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise HomeError(f"No free port from {preferred} on")


class Home:
    """One Home Assistant and its folder; an async context manager that starts and stops it.

    Its user, `demo` with the password `demo`, is there from the first start on.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        language: str | None = None,
        environment: Mapping[str, str] | None = None,
        debug: bool = False,
    ) -> None:
        """Prepare a home in `directory`; port 0 takes a free one.

        `language` is the system's and the user's; None keeps it, at first English.
        `debug` shows Home Assistant's log in the terminal, with our debug messages.
        """
        self.directory = directory.absolute()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.directory / "home-assistant.log"
        self.client = HomeClient(self.url)
        self._language = language
        self._environment = dict(environment or {})
        self._debug = debug
        self._process: Process | None = None
        self._patience = Patience()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start and return when it is ready for use and `client` is logged in.

        Raises HomeError when that does not work.
        """
        seed(
            self.directory,
            port=self.port,
            language=self._language or LANGUAGES[0],
            debug=self._debug,
        )
        await self._launch()
        self._patience = Patience()
        try:
            await self._become_ready()
        except TimeoutError as err:
            raise HomeError(f"Home Assistant does not get ready: {err}") from err

    async def _become_ready(self) -> None:
        """Wait for the page, log in, and wait until everything is set up."""
        while not await self.client.answers():
            await self._pause()
        first = await self.client.needs_user()
        if first:
            await self.client.create_user(
                USERNAME, PASSWORD, self._language or LANGUAGES[0]
            )
        else:
            await self.client.log_in(USERNAME, PASSWORD)
        while (await self.client.command("get_config"))["state"] != "RUNNING":
            await self._pause()
        if self._language or first:
            await self._speak(self._language or LANGUAGES[0])
        # The page stays blank for as long as this fails.
        await self.client.command("get_services")

    async def stop(self) -> None:
        """Ask it to stop, as its own page would, and wait until it is gone."""
        if (process := self._process) is None:
            return
        self._process = None
        await end(process, STOP_TIMEOUT)

    async def restart(self) -> None:
        """Stop it and start it again in the same folder, at the same address."""
        await self.stop()
        await self.start()

    async def close(self) -> None:
        """Stop it and end the client's session."""
        await self.stop()
        await self.client.close()

    async def serve(self) -> None:
        """Run until cancelled, starting anew when asked to in the page.

        Raises HomeError when Home Assistant ends for another reason.
        """
        while self._process is not None:
            code = await self._process.wait()
            if code != RESTART_EXIT_CODE:
                raise HomeError(self._explain(code))
            self._process = None
            await self.start()

    async def _launch(self) -> None:
        """Start the process, in a group of its own so that Ctrl-C is ours to handle."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent / "modules"),
            **self._environment,
        }
        command = [sys.executable, "-m", "homeassistant", "--skip-pip"]
        command += ["--config", str(self.directory)]
        if not self._debug:
            command += ["--log-no-color"]
        with (self.directory / "output.log").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.directory,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=None if self._debug else output,
                stderr=None if self._debug else output,
                start_new_session=True,
            )

    async def _speak(self, language: str) -> None:
        """Set the language of the system and of the user's page."""
        await self.client.command("config/core/update", language=language)
        preferences = {
            "language": language,
            "number_format": "language",
            "time_format": "24",
            "date_format": "language",
            "time_zone": "local",
            "first_weekday": "language",
        }
        await self.client.command(
            "frontend/set_user_data", key="language", value=preferences
        )

    async def _pause(self) -> None:
        """Wait a little; raises HomeError when the process has ended meanwhile.

        Raises TimeoutError when it has written nothing for long.
        """
        await asyncio.sleep(0.25)
        logs = (self.log, self.directory / "output.log")
        self._patience.see([log.exists() and log.stat().st_size for log in logs])
        if self._process is None or self._process.returncode is not None:
            raise HomeError(
                self._explain(self._process.returncode if self._process else None)
            )

    def _explain(self, code: int | None) -> str:
        """Return why it ended, with the last lines that it wrote."""
        output = self.directory / "output.log"
        lines = output.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"Home Assistant ended with {code}:", *lines])
