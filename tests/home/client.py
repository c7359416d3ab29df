"""Speaks to a running Home Assistant as its web page does: HTTP and WebSocket."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from http import HTTPStatus
from typing import Any, Self, override

import aiohttp
from yarl import URL

from .patience import STALLED

type Json = dict[str, Any]


class HomeError(Exception):
    """Home Assistant did not do what it was asked to."""


class HomeClient:
    """One user's session with a Home Assistant; an async context manager."""

    def __init__(self, url: str) -> None:
        """Prepare a session with the Home Assistant at `url` (scheme and host)."""
        self.url = URL(url)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=STALLED), trust_env=False
        )
        self._token = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    async def answers(self) -> bool:
        """Return whether the web page is served."""
        try:
            async with self._session.get(self.url) as response:
                return response.status == HTTPStatus.OK
        except aiohttp.ClientError, TimeoutError:
            return False

    async def create_user(self, username: str, password: str, language: str) -> None:
        """Create the first user (the owner) by onboarding, and log in as such."""
        answer = await self.request(
            "POST",
            "/api/onboarding/users",
            {
                "client_id": self._client_id,
                "name": username.capitalize(),
                "username": username,
                "password": password,
                "language": language,
            },
        )
        await self._redeem(answer["auth_code"])

    async def needs_user(self) -> bool:
        """Return whether nobody has been made the owner yet."""
        async with self._session.get(self.url / "api/onboarding") as response:
            if response.status != HTTPStatus.OK:
                return False
            steps: list[Json] = await response.json()
        return any(step["step"] == "user" and not step["done"] for step in steps)

    async def log_in(self, username: str, password: str) -> None:
        """Log in as the log-in page does; raises HomeError when refused."""
        flow = await self.request(
            "POST",
            "/auth/login_flow",
            {
                "client_id": self._client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self._client_id,
            },
        )
        result = await self.request(
            "POST",
            f"/auth/login_flow/{flow['flow_id']}",
            {
                "client_id": self._client_id,
                "username": username,
                "password": password,
            },
        )
        if result["type"] != "create_entry":
            raise HomeError(f"Log-in refused: {result.get('errors')}")
        await self._redeem(result["result"])

    async def request(self, method: str, path: str, json: Json | None = None) -> Any:
        """Send one request and return the JSON; raises HomeError unless it is OK."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with self._session.request(
            method, self.url.join(URL(path)), json=json, headers=headers
        ) as response:
            if not response.ok:
                raise HomeError(
                    f"{method} {path}: {response.status} {await response.text()}"
                )
            return await response.json()

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send one WebSocket command and return its result; raises HomeError."""
        async with self._asking(kind, fields) as (_, result):
            return result

    async def first_event(self, kind: str, **fields: Any) -> Any:
        """Subscribe and return the first event that comes; raises HomeError."""
        async with self._asking(kind, fields) as (socket, _):
            async with asyncio.timeout(STALLED):
                return (await socket.receive_json())["event"]

    async def states(self, integration: str) -> dict[str, Json]:
        """Return the states of one integration's entities by entity id."""
        entries = await self.command("config/entity_registry/list")
        ours = {row["entity_id"] for row in entries if row["platform"] == integration}
        states: list[Json] = await self.command("get_states")
        return {
            state["entity_id"]: state for state in states if state["entity_id"] in ours
        }

    @contextlib.asynccontextmanager
    async def _asking(
        self, kind: str, fields: Json
    ) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, Any]]:
        """Send one command and keep its connection open, with the result at hand."""
        address = self.url.join(URL("/api/websocket"))
        async with self._session.ws_connect(address, max_msg_size=0) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self._token})
            if (answer := await socket.receive_json())["type"] != "auth_ok":
                raise HomeError(f"WebSocket log-in refused: {answer}")
            await socket.send_json({"id": 1, "type": kind, **fields})
            async with asyncio.timeout(STALLED):
                answer = await socket.receive_json()
            if not answer["success"]:
                raise HomeError(f"{kind}: {answer['error']}")
            yield socket, answer["result"]

    async def _redeem(self, code: str) -> None:
        """Turn an authorization code into an access token (valid 30 minutes)."""
        async with self._session.post(
            self.url.join(URL("/auth/token")),
            data={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": self._client_id,
            },
        ) as response:
            response.raise_for_status()
            self._token = (await response.json())["access_token"]

    @property
    def _client_id(self) -> str:
        return f"{self.url.origin()}/"

    @override
    def __repr__(self) -> str:
        return f"<HomeClient {self.url}>"
