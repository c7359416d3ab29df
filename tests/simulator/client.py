"""A client as plain as can be, for looking at the simulated cloud itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import Any

import aiohttp

from .server import Simulator
from .site import SimulatedSite

_TIMEOUT = aiohttp.ClientTimeout(5)


class PlainClient:
    """Sends what it is told to, as fast as it is told to."""

    def __init__(self, cloud: Simulator, session: aiohttp.ClientSession) -> None:
        """Talk to this simulator; without a token before `log_in`."""
        self.cloud = cloud
        self.session = session
        self.headers: dict[str, str] = {}

    async def log_in(
        self, username: str = "demo", password: str = "demo"
    ) -> tuple[int, Any]:
        """Use another token from now on; return (status, reply)."""
        body = {"username": username, "password": password}
        status, reply = await self.send("POST", "auth", body)
        self.headers = {"Authorization": f"Bearer {reply.get('access_token')}"}
        return status, reply

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return (status, JSON or text) of a request; aiohttp's errors come through."""
        async with self.session.request(
            method,
            f"{self.cloud.url}/{path}",
            json=body,
            headers=self.headers,
            timeout=_TIMEOUT,
        ) as response:
            text = await response.text()
            try:
                return response.status, json.loads(text)
            except ValueError:
                return response.status, text

    async def rows(self, site: SimulatedSite, kind: str, **body: Any) -> Any:
        """Return the rows of site_data."""
        status, rows = await self.send("POST", f"site_data/{site.id}/{kind}", body)
        assert status == 200, rows
        return rows


@asynccontextmanager
async def logged_in(cloud: Simulator) -> AsyncIterator[PlainClient]:
    """Give a client that has logged in as demo."""
    async with aiohttp.ClientSession() as session:
        client = PlainClient(cloud, session)
        await client.log_in()
        yield client
