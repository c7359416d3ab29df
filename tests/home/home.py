"""Runs a real Home Assistant in a process of its own, from a folder of its own."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Mapping
import contextlib
import json
import os
from pathlib import Path
import signal
import socket
import sys
from typing import Final, Self

from .client import HomeClient, HomeError

USERNAME: Final = "demo"
PASSWORD: Final = "demo"
LANGUAGES: Final = ("en", "de", "fr", "it")
RESTART_EXIT_CODE: Final = 100
START_TIMEOUT: Final = 300
STOP_TIMEOUT: Final = 60

CHECKOUT: Final = Path(__file__).parents[2]

# Only what the demo shows, and nothing that discovers devices or calls the outside.
CONFIGURATION: Final = """\
# Written once by tests/home; change it as you like.
frontend:
config:
history:
logbook:
energy:
recorder:
automation: !include automations.yaml
script: !include scripts.yaml
scene: !include scenes.yaml
logger:
  default: warning
  logs:
    custom_components.climkit: {level}
    # Cameras are nothing that a demo has, nor what their libraries miss.
    haffmpeg: critical
    homeassistant.components.camera: critical
"""


PLACE: Final = {
    "location_name": "Demo",
    "latitude": 47.3769,
    "longitude": 8.5417,
    "elevation": 408,
    "radius": 100,
    "time_zone": "Europe/Zurich",
    "country": "CH",
    "currency": "CHF",
    "unit_system_v2": "metric",
    "external_url": None,
    "internal_url": None,
}


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

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start and return when it is ready for use and `client` is logged in."""
        self.seed()
        await self._launch()
        async with asyncio.timeout(START_TIMEOUT):
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
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

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

    def seed(self) -> None:
        """Write what a first start needs; what is there already stays."""
        storage = self.directory / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        level = "debug" if self._debug else "info"
        _write_new(
            self.directory / "configuration.yaml", CONFIGURATION.format(level=level)
        )
        for name in ("automations", "scenes"):
            _write_new(self.directory / f"{name}.yaml", "[]\n")
        _write_new(self.directory / "scripts.yaml", "{}\n")
        link = self.directory / "custom_components" / "climkit"
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(CHECKOUT / "custom_components" / "climkit")
        # Without the step core_config, which adds integrations nobody asked for.
        done = ["core_config", "analytics", "integration"]
        _store(storage / "onboarding", 4, {"done": done}, keep=True)
        place = {**PLACE, "language": self._language or LANGUAGES[0]}
        _store(storage / "core.config", 1, place, minor=4, keep=True)
        # Version 1: Home Assistant completes it with every key that it wants today.
        address = {"server_host": ["127.0.0.1"], "server_port": self.port}
        _store(storage / "http", 1, address)

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
        """Wait a little; raises HomeError when the process has ended meanwhile."""
        await asyncio.sleep(0.25)
        if self._process is None or self._process.returncode is not None:
            raise HomeError(
                self._explain(self._process.returncode if self._process else None)
            )

    def _explain(self, code: int | None) -> str:
        """Return why it ended, with the last lines that it wrote."""
        output = self.directory / "output.log"
        lines = output.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"Home Assistant ended with {code}:", *lines])


def _write_new(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text)


def _store(
    path: Path, version: int, data: object, *, minor: int = 1, keep: bool = False
) -> None:
    """Write one file of Home Assistant's storage."""
    if keep and path.exists():
        return
    content = {"version": version, "minor_version": minor, "key": path.name}
    path.write_text(json.dumps({**content, "data": data}))
