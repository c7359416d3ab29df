"""A server that answers whatever a test tells it to, and remembers what it was asked."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
import json
from time import monotonic
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.climkit.api import ClimkitClient, RequestQueue, queue

USER = "cktDevUser_123"
PASSWORD = "s3cret-Passw0rd"


@dataclass
class Answer:
    """A reply: a body that is not bytes or text is written as JSON."""

    body: Any = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    broken: bool = False
    """Hang up instead of answering."""

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        await asyncio.sleep(self.delay)
        if self.broken:
            assert request.transport is not None
            request.transport.abort()
        body = self.body
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        return web.Response(body=body, status=self.status, headers=self.headers)


@dataclass
class Asked:
    """A request that came in."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any

    @property
    def token(self) -> str:
        """Return what the request carried as authorization."""
        return self.headers.get("Authorization", "")


class Cloud:
    """The least that can be called a cloud."""

    def __init__(self) -> None:
        """Answer lists that are empty, and log everybody in."""
        self.asked: list[Asked] = []
        self.answers: defaultdict[str, list[Answer]] = defaultdict(list)
        self.tokens = 0
        self._news = asyncio.Condition()
        self.valid_until: Callable[[], Any] = lambda: None
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        """Return the base address."""
        return str(self.server.make_url("/api/v1"))

    def answer(self, path: str, *answers: Answer) -> None:
        """Set the replies to paths that begin so; the last one stays."""
        self.answers[path] = list(answers)

    def paths(self) -> list[str]:
        """Return what was asked for, in order."""
        return [asked.path for asked in self.asked]

    async def has_been_asked(self, times: int) -> None:
        """Wait until so many requests have come in."""
        async with asyncio.timeout(600), self._news:
            await self._news.wait_for(lambda: len(self.asked) >= times)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path.split("?", maxsplit=1)[0].removeprefix("/api/v1/")
        text = await request.text()
        self.asked.append(
            Asked(
                monotonic(),
                request.method,
                path,
                dict(request.query),
                dict(request.headers),
                json.loads(text) if text else None,
            )
        )
        async with self._news:
            self._news.notify_all()
        for prefix, answers in self.answers.items():
            if path.startswith(prefix) and answers:
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                return await answer.send(request)
        if path == "auth":
            return await self.token_answer().send(request)
        return await Answer().send(request)

    def token_answer(self) -> Answer:
        """Return a reply with a new token."""
        self.tokens += 1
        body = {"access_token": f"t0ken-{self.tokens}-xyz"}
        if (valid_until := self.valid_until()) is not None:
            body["valid_until"] = valid_until
        return Answer(body)


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncIterator[Cloud]:
    """Run a cloud on this machine."""
    cloud = Cloud()
    await cloud.server.start_server()
    yield cloud
    await cloud.server.close()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session such as an application would hand over."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def client(cloud: Cloud, session: aiohttp.ClientSession) -> ClimkitClient:
    """Return a client of the cloud."""
    return ClimkitClient(session, USER, PASSWORD, url=cloud.url)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first pause be 20 ms, and so on."""
    monkeypatch.setattr(queue, "FIRST_PAUSE", 0.02)


@pytest.fixture
async def requests(socket_enabled: None) -> RequestQueue:
    """Return a queue of its own."""
    return RequestQueue()
