"""HTTP: one request at a time, no credentials to strangers, every failure one of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
import json
import logging
import re
import time
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from .content import Content
from .exceptions import (
    ClimkitConnectionError,
    ClimkitError,
    ClimkitRateLimitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
)
from .queue import DAY, RequestQueue
from .shape_report import Observations

MAX_BODY: int = 64 << 20
"""Bytes of a reply; five years of 40 meters by hour would be 60 million."""

MAX_ERROR_BODY: Final = 64 << 10
MAX_HOPS: Final = 3
REDIRECTS: Final = {301, 302, 303, 307, 308}

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)
_TOO_MANY: Final = re.compile(rb"too[\s_-]*many[\s_-]*requests", re.IGNORECASE)
_PLAIN_SECONDS: Final = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)
_LOGGER: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask for."""

    endpoint: str
    """Its name for errors and logs, without ids."""
    path: tuple[str, ...] = field(repr=False)
    payload: Mapping[str, Any] | None = field(default=None, repr=False)
    """Makes it a POST."""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def method(self) -> str:
        """Return the HTTP method."""
        return "GET" if self.payload is None else "POST"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, of whatever status."""

    status: int
    content: Content = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def ok(self) -> bool:
        """Return whether the cloud did what it was asked."""
        return 200 <= self.status < 300

    @property
    def refuses_for_haste(self) -> bool:
        """Return whether this says that there were too many requests."""
        if self.status == 429:
            return True
        # Nobody knows how the cloud says it: perhaps as an object with status 200.
        may_say_so = not self.ok or self._is_short_object
        return may_say_so and _TOO_MANY.search(self.content.whole()) is not None

    @property
    def _is_short_object(self) -> bool:
        if len(self.content) > 300:
            return False
        return not self.content.whole().lstrip().startswith(b"[")


class Transport:
    """Sends calls, each at its time."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        queue: RequestQueue,
        observations: Observations,
    ) -> None:
        self._session = session
        self._base = url.rstrip("/")
        """As text: joining must not resolve what stands in an id."""
        self._queue = queue
        self._observations = observations

    async def send(self, call: Call, token: str | None = None) -> Reply:
        """Return the reply, whatever its status; call it only in one's turn.

        Raises ClimkitConnectionError, ClimkitTimeoutError, ClimkitResponseError for a
        reply that is too long or leads elsewhere, and ClimkitRateLimitError.
        """
        url = self._url(call)
        hops = 0
        while True:
            started = time.monotonic()
            reply = await self._exchange(call, url, token)
            _LOGGER.debug(
                "%s: status %s, %s bytes in %.2f s",
                call.endpoint,
                reply.status,
                len(reply.content),
                time.monotonic() - started,
            )
            self._observations.note(f"{call.endpoint} status", str(reply.status))
            if reply.status not in REDIRECTS:
                return self._judge(call, reply)
            if hops == MAX_HOPS:
                reason = "too many redirects"
                raise ClimkitResponseError(call.endpoint, reason, reply.status)
            url = _next_hop(call, url, reply)
            hops += 1

    def _url(self, call: Call) -> URL:
        path = "/".join(quote(part, safe="") for part in call.path)
        try:
            url = URL(f"{self._base}/{path}", encoded=True).with_user(None)
            url.origin()  # finds out whether it is an address at all
        except ValueError:
            raise ClimkitConnectionError(call.endpoint, "unusable address") from None
        return url.with_query(call.query)

    async def _exchange(self, call: Call, url: URL, token: str | None) -> Reply:
        # Errors of aiohttp may carry the headers, and so the token: nothing is chained.
        failure: ClimkitError
        await self._queue.pace()
        try:
            return await self._request(call, url, token)
        except TimeoutError:
            failure = ClimkitTimeoutError(call.endpoint, "no answer in time")
        except (aiohttp.ClientError, OSError) as err:
            failure = ClimkitConnectionError(call.endpoint, type(err).__name__)
        finally:
            self._queue.answered()
        raise failure

    async def _request(self, call: Call, url: URL, token: str | None) -> Reply:
        if self._session.closed:
            raise ClimkitConnectionError(call.endpoint, "session is closed")
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if call.payload is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(call.payload).encode()
        attempts = count()

        async def pace_repetition(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            # By itself and at once, aiohttp repeats a GET on a connection that breaks.
            if next(attempts):
                self._queue.answered()
                await self._queue.pace()
            return await handler(request)

        async with self._session.request(
            call.method,
            url,
            data=data,
            headers=headers,
            allow_redirects=False,
            raise_for_status=False,
            timeout=_TIMEOUT,
            middlewares=(pace_repetition,),
        ) as response:
            self._queue.answered()
            body = await _read(call, response)
            return Reply(response.status, body, response.headers)

    def _judge(self, call: Call, reply: Reply) -> Reply:
        """Return the reply, or pause if the cloud wants that."""
        if reply.refuses_for_haste:
            seconds = self._queue.refused(self._retry_after(reply))
            _LOGGER.debug("%s: pausing for %.0f s", call.endpoint, seconds)
            raise ClimkitRateLimitError(seconds)
        if reply.ok:
            self._queue.accepted()
        return reply

    def _retry_after(self, reply: Reply) -> float | None:
        value = reply.headers.get("Retry-After")
        if value is None:
            self._observations.note("Retry-After", "absent")
            return None
        seconds = _seconds(value.strip())
        form = "unusable" if seconds is None else "usable"
        self._observations.note("Retry-After", form)
        return seconds


async def _read(call: Call, response: aiohttp.ClientResponse) -> Content:
    if not response.ok:
        return await _beginning(response, MAX_ERROR_BODY)
    body = await _beginning(response, MAX_BODY)
    if len(body) > MAX_BODY:
        reason = f"longer than {MAX_BODY} bytes"
        raise ClimkitResponseError(call.endpoint, reason, response.status)
    return body


async def _beginning(response: aiohttp.ClientResponse, limit: int) -> Content:
    """Return the body, or a little more than `limit` bytes if it is longer."""
    body = Content()
    async for chunk in response.content.iter_any():
        body.add(chunk)
        if len(body) > limit:
            break
    return body


def _next_hop(call: Call, url: URL, reply: Reply) -> URL:
    """Return where a redirect leads, which must be the same server."""
    try:
        target = url.join(URL(reply.headers.get("Location", ""))).with_user(None)
        if target.origin() == url.origin():
            return target
    except ValueError:
        pass  # not an address at all
    raise ClimkitResponseError(
        call.endpoint, "redirected to another server", reply.status
    )


def _seconds(value: str) -> float | None:
    """Return the seconds that a Retry-After means, or None if it means nothing."""
    try:
        plain = _PLAIN_SECONDS.fullmatch(value)
        seconds = float(value) if plain else _seconds_until(value)
    except ValueError, OverflowError:
        return None
    return seconds if 0 < seconds <= DAY else None


def _seconds_until(date: str) -> float:
    at = parsedate_to_datetime(date)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - datetime.now(UTC)).total_seconds()
