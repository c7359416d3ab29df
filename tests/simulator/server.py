"""The HTTP server: lets requests in, remembers them, and sends the answers."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from aiohttp import web

from .accounts import Accounts, Token, monotonic
from .faults import Fault, Faults
from .quirks import Quirks
from .replies import Reply, answer, log_in, refusal
from .requests import BASE, Request, RequestLog, account_of, decoded, route
from .site import SimulatedSite
from .wire import body_of, drop, is_short, refused, send_in_part

_SHUTDOWN: Final = 0.5
"""Seconds that running requests get when the server stops."""


def _now() -> datetime:
    return datetime.now(UTC)


class Simulator:
    """Climkit's cloud on a loopback port; an async context manager.

    Everything that is a plain attribute may be changed while it runs.
    """

    def __init__(
        self,
        sites: Sequence[SimulatedSite],
        *,
        accounts: dict[str, str] | None = None,
        clock: Callable[[], datetime] = _now,
        publication_delay: timedelta | None = None,
        min_interval: float = 1.0,
        token_lifetime: timedelta = timedelta(minutes=15),
        quirks: Quirks | None = None,
    ) -> None:
        """Serve these sites to these accounts, {username: password}.

        `clock` returns the aware present; `min_interval` is the rate limit in real
        seconds, 0 for none; `publication_delay` of None leaves the sites theirs.
        """
        self.sites = list(sites)
        self.accounts = {"demo": "demo"} if accounts is None else accounts
        self.clock = clock
        self.min_interval = min_interval
        self.token_lifetime = token_lifetime
        self.quirks = quirks or Quirks()
        self.faults = Faults(self._now)
        self.requests = RequestLog()
        self.tokens = Accounts(self.accounts)
        self.most_in_flight: dict[str, int] = defaultdict(int)
        """How many requests of an account ran at once, at most."""
        self.data_replies = 0
        """How many replies with validated data there were."""
        self.host = "127.0.0.1"
        self.port = 0
        self._in_flight: dict[str, int] = defaultdict(int)
        self._runner: web.AppRunner | None = None
        self._workers: ThreadPoolExecutor | None = None
        self._stopping = asyncio.Event()
        if publication_delay is not None:
            self.publication_delay = publication_delay

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _now(self) -> datetime:
        return self.clock()  # which may be another one by then

    @property
    def url(self) -> str:
        """Return the base URL of the API."""
        return f"http://{self.host}:{self.port}{BASE}"

    @property
    def publication_delay(self) -> timedelta:
        """Return how long after its end a quarter hour is shown, at the first site."""
        return self.sites[0].publication_delay

    @publication_delay.setter
    def publication_delay(self, delay: timedelta) -> None:
        for site in self.sites:
            site.publication_delay = delay

    def grant(
        self,
        username: str,
        site_ids: Sequence[str],
        meters: Sequence[str] | None = None,
    ) -> None:
        """Limit an account to these sites, and in them to these meters."""
        self.tokens.grant(username, site_ids, meters)

    def expire_tokens(self) -> None:
        """Refuse every token given so far."""
        self.tokens.expire_tokens()

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen; after a stop, port 0 means the same port as before."""
        self._stopping.clear()
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._workers = ThreadPoolExecutor(1, thread_name_prefix="simulator")
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN
        )
        await self._runner.setup()
        self.host = host
        site = web.TCPSite(self._runner, host, port or self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and all connections; `start` opens it again."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._workers is not None:
            self._workers.shutdown()
            self._workers = None

    async def _serve(self, incoming: web.Request) -> web.StreamResponse:
        """Take a request in, remember it, and answer it."""
        arrived = monotonic()
        endpoint, parts, fits = route(incoming.method, incoming.path)
        request = Request(
            arrived,
            self.clock(),
            incoming.method,
            incoming.path_qs.removeprefix(BASE),
            endpoint,
            parts,
            dict(incoming.query),
        )
        self.requests.append(request)
        request.body = await incoming.read()
        request.json = decoded(request.body)
        token = self.tokens.token(incoming.headers.get("Authorization", ""))
        request.username = username = account_of(request, token)
        account = username or ""
        self._in_flight[account] += 1
        self.most_in_flight[account] = max(
            self.most_in_flight[account], self._in_flight[account]
        )
        try:
            response = await self._respond(incoming, request, token, fits=fits)
            request.status = response.status
            return response
        finally:
            self._in_flight[account] -= 1
            request.finished = monotonic()

    async def _respond(
        self,
        incoming: web.Request,
        request: Request,
        token: Token | None,
        *,
        fits: bool,
    ) -> web.StreamResponse:
        """Return the answer: rate limit first, then faults, then the endpoint."""
        interval = timedelta(seconds=self.min_interval)
        if request.username and self.tokens.starts_too_soon(
            request.username, request.monotonic, interval
        ):
            return await self._send(incoming, self._too_many(), None)
        fault = self.faults.hitting(request.endpoint, request.path)
        if fault is not None:
            request.fault = fault.kind
            if (response := await self._before_answer(incoming, fault)) is not None:
                return response
        if not request.endpoint:
            reply = refusal(404, "Not found")
        elif not fits:
            reply = refusal(405, "Method not allowed")
        else:
            reply = await self._reply(request, token)
        return await self._send(incoming, reply, fault)

    async def _reply(self, request: Request, token: Token | None) -> Reply:
        now = self.clock()
        if request.endpoint == "auth":
            return log_in(self, request, now)
        if token is None or now >= token.expires:
            return refusal(401, "Invalid or expired token")
        return await asyncio.get_running_loop().run_in_executor(
            self._workers, answer, self, request, token, now
        )

    async def _before_answer(
        self, incoming: web.Request, fault: Fault
    ) -> web.StreamResponse | None:
        """Do what a fault does before there is an answer; None to go on."""
        match fault.kind:
            case "refuse":
                drop(incoming)
                return web.Response(status=500)
            case "hang":
                return await self._hang(incoming, fault.delay)
            case "wait":
                await asyncio.sleep(fault.delay or 1.0)
            case "status" | "redirect":
                return refused(fault, incoming)
        return None

    async def _hang(self, incoming: web.Request, delay: float | None) -> web.Response:
        try:
            async with asyncio.timeout(delay):
                await self._stopping.wait()
        except TimeoutError:
            pass
        drop(incoming)
        return web.Response(status=500)

    async def _send(
        self, incoming: web.Request, reply: Reply, fault: Fault | None
    ) -> web.StreamResponse:
        if reply.hang:
            return await self._hang(incoming, None)
        if fault is None and is_short(reply):
            body, kind = body_of(reply, None)
        else:
            body, kind = await asyncio.get_running_loop().run_in_executor(
                self._workers, body_of, reply, fault
            )
        if fault is not None and fault.kind in ("reset", "slow"):
            return await send_in_part(incoming, fault, body)
        return web.Response(
            status=reply.status,
            headers={**reply.headers, "Content-Type": kind},
            body=body,
        )

    def _too_many(self) -> Reply:
        headers = {}
        if self.quirks.retry_after is not None:
            headers["Retry_After"] = self.quirks.retry_after
        return refusal(self.quirks.too_many_requests, "Too many requests", **headers)
