"""The client: one request method, and a short one per endpoint."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
import logging
from math import isfinite
import os
from typing import Any, Final, override

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from mashumaro.exceptions import InvalidFieldValue, MissingField
from yarl import URL

from .auth import ClimkitAuth
from .exceptions import (
    ClimkitAccessError,
    ClimkitAuthenticationError,
    ClimkitConnectionError,
    ClimkitRateLimitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
)
from .models import (
    Meter,
    RegisterReading,
    Resolution,
    Sensor,
    SensorReading,
    Series,
    Site,
    interval_start,
    parse_id,
)
from .observations import Observations, form_of
from .parsing import decode, decode_rows
from .queue import Priority, RequestQueue

LOGGER: Final = logging.getLogger(__name__)

DEFAULT_URL: Final = "https://api.climkit.io/api/v1"
URL_VARIABLE: Final = "CLIMKIT_API_URL"

TIMEOUT: Final = ClientTimeout(total=60)
PATIENCE: Final = 60.0
"""Seconds that one call waits in all for a cloud that asks for patience."""
LARGEST_BODY: Final = 64 * 2**20
"""Bytes; five years of hourly rows of 40 meters come in pieces of about 11 MB."""
SMALL_BODY: Final = 64 * 2**10
"""Bytes up to which a body is parsed at once."""
MOST_REDIRECTS: Final = 3

PADDING: Final = timedelta(hours=3)
"""The cloud's documentation says that times are UTC, its behaviour that they are local:
asking for three hours more on both sides is right for either."""

_REFUSED_BY_AUTH: Final = (400, 401, 403, 422)


class ClimkitClient:
    """Reads one account of Climkit's cloud; keeps its limit by itself.

    Every method raises ClimkitAuthenticationError when the cloud refuses the
    credentials, ClimkitAccessError when it refuses the resource, ClimkitRateLimitError
    when it wants to be left alone for longer than a minute, ClimkitConnectionError when
    it cannot be reached, and ClimkitResponseError for any other answer.
    """

    def __init__(
        self,
        session: ClientSession,
        username: str,
        password: str,
        *,
        queue: RequestQueue | None = None,
        url: str | None = None,
    ) -> None:
        """Use an account through a session that somebody else closes.

        `queue` is to be shared by all clients of the account. `url` replaces the
        address of the cloud; so does the environment variable CLIMKIT_API_URL.
        """
        self.queue = queue or RequestQueue()
        self.observations = Observations()
        self._session = session
        self._url = URL(url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
        self._auth = ClimkitAuth(username, password, self._log_in)

    @override
    def __repr__(self) -> str:
        """Return nothing that is secret."""
        return f"<{type(self).__name__}>"

    @property
    def username(self) -> str:
        """Return the name of the account."""
        return self._auth.username

    @property
    def url(self) -> str:
        """Return the address of the cloud."""
        return str(self._url)

    def has_password(self, password: str) -> bool:
        """Return whether this client logs in with this password."""
        return self._auth.has_password(password)

    # --- Endpoints --------------------------------------------------------------------

    async def authenticate(self) -> None:
        """Log in now, to find out whether the credentials are good."""
        async with self.queue.turn():
            self._auth.forget()
            await self._patiently("auth", self._auth.token)

    async def site_ids(self) -> tuple[str, ...]:
        """Return the ids of the sites that the account sees."""
        endpoint = "all_installations"
        items = _list_in(await self._get(endpoint, endpoint), endpoint)
        ids: dict[str, None] = {}
        for item in items:
            self.observations.note(endpoint, form_of(item))
            try:
                ids[parse_id(item)] = None
            except ValueError:
                LOGGER.debug("%s: an element without id", endpoint)
        if items and not ids:
            raise ClimkitResponseError(endpoint, "no element has an id")
        return tuple(ids)

    async def site(self, site_id: str) -> Site:
        """Return the description of a site."""
        endpoint = "installation_infos"
        data = await self._get(endpoint, endpoint, site_id)
        if isinstance(data, list) and len(data) == 1:
            data = data[0]
        if not isinstance(data, dict):
            raise ClimkitResponseError(endpoint, f"{type(data).__name__} for an object")
        self.observations.note_keys(endpoint, data)
        return Site.from_wire(site_id, data)

    async def meters(self, site_id: str) -> tuple[Meter, ...]:
        """Return the meters of a site."""
        return await self._described(
            "meter_info", Meter.from_dict, "meter_info", site_id
        )

    async def site_series(
        self,
        site_id: str,
        meter_type: str,
        resolution: Resolution,
        start: datetime,
        end: datetime | None = None,
        *,
        priority: Priority = Priority.LIVE,
    ) -> Series:
        """Return the totals of a site and the columns of its meters of one type."""
        return await self._series(
            ("site_data", site_id, meter_type), None, resolution, (start, end), priority
        )

    async def meter_series(
        self,
        site_id: str,
        meter_id: str,
        resolution: Resolution,
        start: datetime,
        end: datetime | None = None,
        *,
        priority: Priority = Priority.LIVE,
    ) -> Series:
        """Return the columns of one meter."""
        return await self._series(
            ("meter_data", site_id, meter_id),
            meter_id,
            resolution,
            (start, end),
            priority,
        )

    async def register_readings(
        self,
        site_id: str,
        meter_id: str,
        start: datetime,
        end: datetime | None = None,
        *,
        priority: Priority = Priority.LIVE,
    ) -> tuple[RegisterReading, ...]:
        """Return what a physical meter itself showed, oldest first; not validated."""
        endpoint = "meter_data_raw"
        rows = _list_in(
            await self._post(
                endpoint,
                _window(start, end),
                endpoint,
                site_id,
                meter_id,
                priority=priority,
            ),
            endpoint,
        )
        readings = self._readable(endpoint, rows, RegisterReading.from_wire)
        return tuple(
            reading
            for reading in sorted(readings, key=lambda reading: reading.time)
            if reading.time >= start and (end is None or reading.time < end)
        )

    async def sensors(self, site_id: str) -> tuple[Sensor, ...]:
        """Return the environmental sensors of a site."""
        return await self._described(
            "sensors_list", Sensor.from_dict, site_id, "sensors_list"
        )

    async def sensor_readings(
        self,
        site_id: str,
        sensor_id: str,
        start: datetime | None = None,
        *,
        priority: Priority = Priority.LIVE,
    ) -> tuple[SensorReading, ...]:
        """Return the readings of an environmental sensor since `start`, oldest first.

        Only the latest if no `start` is given.
        """
        endpoint = "sensor_data"
        data = await self._get(
            endpoint,
            site_id,
            endpoint,
            sensor_id,
            params=_window(start, None) if start else None,
            priority=priority,
        )
        if isinstance(data, dict) and "value" in data:
            data = [data]
        readings = self._readable(
            endpoint, _list_in(data, endpoint), SensorReading.from_wire
        )
        return tuple(
            reading
            for reading in sorted(readings, key=lambda reading: reading.time)
            if start is None or reading.time >= start
        )

    # --- From JSON to models ----------------------------------------------------------

    async def _described[T](
        self, endpoint: str, read: Callable[[dict[str, Any]], T], *path: str
    ) -> tuple[T, ...]:
        items = _list_in(await self._get(endpoint, *path), endpoint)
        described = self._readable(endpoint, items, read)
        if items and not described:
            raise ClimkitResponseError(endpoint, "no element can be read")
        return tuple(described)

    def _readable[T](
        self, endpoint: str, items: list[Any], read: Callable[[dict[str, Any]], T]
    ) -> list[T]:
        """Read what can be read; one bad element never costs the good ones."""
        good: list[T] = []
        for item in items:
            try:
                if not isinstance(item, dict):
                    raise ValueError(type(item).__name__)
                self.observations.note_keys(endpoint, item)
                good.append(read(item))
            except (ValueError, MissingField, InvalidFieldValue) as err:
                self.observations.note(f"{endpoint}.unreadable", type(err).__name__)
        if len(good) < len(items):
            LOGGER.debug("%s: %s elements left out", endpoint, len(items) - len(good))
        return good

    async def _series(
        self,
        path: tuple[str, ...],
        meter_id: str | None,
        resolution: Resolution,
        period: tuple[datetime, datetime | None],
        priority: Priority,
    ) -> Series:
        endpoint = path[0]
        start, end = (t.astimezone(UTC) if t else None for t in period)
        assert start is not None
        body = {**_window(start, end), "sampling_frequency": resolution.value}
        answer = await self._request(
            "POST", endpoint, path, json_body=body, priority=priority
        )
        parse = partial(
            _series_of, answer, endpoint, resolution, (start, end), meter_id
        )
        series, first, keys = (
            parse() if len(answer) <= SMALL_BODY else await asyncio.to_thread(parse)
        )
        self.observations.note_keys(endpoint, keys)
        self.observations.note_window(body["t_s"], first)
        if series.dropped:
            self.observations.note(f"{endpoint}.unreadable", "rows")
            LOGGER.debug("%s: %s rows left out", endpoint, series.dropped)
        return series

    # --- HTTP -------------------------------------------------------------------------

    async def _get(
        self,
        endpoint: str,
        *path: str,
        params: Mapping[str, str] | None = None,
        priority: Priority = Priority.LIVE,
    ) -> Any:
        body = await self._request(
            "GET", endpoint, path, params=params, priority=priority
        )
        return await _decoded(body, endpoint)

    async def _post(
        self,
        endpoint: str,
        json_body: Mapping[str, str],
        *path: str,
        priority: Priority = Priority.LIVE,
    ) -> Any:
        body = await self._request(
            "POST", endpoint, path, json_body=json_body, priority=priority
        )
        return await _decoded(body, endpoint)

    async def _request(
        self,
        method: str,
        endpoint: str,
        path: tuple[str, ...],
        *,
        json_body: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        priority: Priority = Priority.LIVE,
    ) -> bytes:
        """Send a request with a token, in its turn; return the body of a good answer."""
        url = self._url.joinpath(*path).with_query(params)

        async def send() -> _Answer:
            token = await self._auth.token()
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            return await self._send(endpoint, method, url, json_body, headers)

        async def attempt() -> bytes:
            answer = await send()
            if answer.status == 401 or (
                answer.status == 403 and not self._auth.is_fresh
            ):
                self._auth.forget()
                answer = await send()
            if answer.status in (401, 403, 404):
                raise ClimkitAccessError(endpoint, answer.status)
            if answer.status != HTTPStatus.OK:
                raise ClimkitResponseError(
                    endpoint, f"HTTP {answer.status}", answer.status
                )
            return answer.body

        async with self.queue.turn(priority):
            return await self._patiently(endpoint, attempt)

    async def _patiently[T](
        self, endpoint: str, attempt: Callable[[], Awaitable[T]]
    ) -> T:
        """Repeat what the cloud refuses for the number of requests, up to a minute."""
        waited = 0.0
        while True:
            if waited + self.queue.pause_left > PATIENCE:
                raise ClimkitRateLimitError(self.queue.pause_left)
            waited += self.queue.pause_left
            try:
                result = await attempt()
            except _TooManyRequestsError as refusal:
                delay = refusal.retry_after or self.queue.back_off()
                LOGGER.debug("%s: too many requests, waiting %.0f s", endpoint, delay)
                self.queue.pause(delay)
            else:
                self.queue.succeeded()
                return result

    async def _log_in(self, credentials: Mapping[str, str]) -> Mapping[str, Any]:
        answer = await self._send("auth", "POST", self._url / "auth", credentials, {})
        if answer.status in _REFUSED_BY_AUTH:
            raise ClimkitAuthenticationError(f"auth: HTTP {answer.status}")
        if answer.status != HTTPStatus.OK:
            raise ClimkitResponseError("auth", f"HTTP {answer.status}", answer.status)
        data = await _decoded(answer.body, "auth")
        if not isinstance(data, dict):
            raise ClimkitResponseError("auth", f"{type(data).__name__} for an object")
        self.observations.note_keys("auth", data)
        return data

    async def _send(
        self,
        endpoint: str,
        method: str,
        url: URL,
        json_body: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> _Answer:
        """Send a request and follow redirects, but never to another host."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._send_once(method, url, json_body, headers)
            if answer.status == 429 or (
                answer.status >= 400
                and b"too many requests" in answer.body[:2000].lower()
            ):
                raise _TooManyRequestsError(answer.retry_after)
            if answer.location is None:
                return answer
            target = url.join(URL(answer.location))
            if target.origin() != url.origin():
                raise ClimkitResponseError(
                    endpoint, "a redirect elsewhere", answer.status
                )
            url = target
        raise ClimkitResponseError(endpoint, "redirects without end")

    async def _send_once(
        self,
        method: str,
        url: URL,
        json_body: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> _Answer:
        await self.queue.pace()
        try:
            async with self._session.request(
                method,
                url,
                json=json_body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                return _Answer(
                    response.status,
                    await _read(response),
                    response.headers.get("Location")
                    if response.status in (301, 302, 307, 308)
                    else None,
                    _seconds(response.headers.get("Retry-After")),
                )
        except TimeoutError:
            raise ClimkitTimeoutError("no answer in time") from None
        except ClientError as err:
            # Its text could name the address with ids, its attributes carry the token.
            raise ClimkitConnectionError(type(err).__name__) from None


class _TooManyRequestsError(Exception):
    def __init__(self, retry_after: float | None) -> None:
        super().__init__()
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes = field(repr=False)
    location: str | None = field(repr=False)
    retry_after: float | None


async def _read(response: ClientResponse) -> bytes:
    """Read a body, but not more than anybody could have meant to send."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        body += chunk
        if len(body) > LARGEST_BODY:
            raise ClimkitResponseError("the cloud", "an answer too large")
    return bytes(body)


def _seconds(retry_after: str | None) -> float | None:
    """Return for how long the cloud wants to be left alone, if it says so credibly."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            until = parsedate_to_datetime(retry_after)
            seconds = (until - datetime.now(UTC)).total_seconds()
        except TypeError, ValueError, OverflowError:
            return None
    return seconds if isfinite(seconds) and 0 < seconds <= 86400 else None


def _window(start: datetime, end: datetime | None) -> dict[str, str]:
    window = {"t_s": _naive(start - PADDING)}
    if end is not None:
        window["t_e"] = _naive(end + PADDING)
    return window


def _naive(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


async def _decoded(body: bytes, endpoint: str) -> Any:
    try:
        if len(body) <= SMALL_BODY:
            return decode(body)
        return await asyncio.to_thread(decode, body)
    except ValueError:
        raise ClimkitResponseError(endpoint, "no JSON") from None


def _list_in(data: object, endpoint: str) -> list[Any]:
    """Return a list, be it wrapped in an object that has nothing else of the kind."""
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
        if len(lists) == 1:
            return lists[0]
    if not isinstance(data, list):
        raise ClimkitResponseError(endpoint, f"{type(data).__name__} for a list")
    return data


def _series_of(
    body: bytes,
    endpoint: str,
    resolution: Resolution,
    period: tuple[datetime, datetime | None],
    meter_id: str | None,
) -> tuple[Series, datetime | None, dict[str, Any]]:
    """Read a series; also return its first time and the keys of its first row."""
    first: datetime | None = None
    keys: dict[str, Any] = {}

    def watched(rows: Iterator[Any]) -> Iterator[Any]:
        nonlocal first, keys
        for row in rows:
            if first is None and isinstance(row, dict):
                keys = row
                with suppress(ValueError):
                    first = interval_start(row.get("timestamp"), resolution)
            yield row

    try:
        rows = (
            decode_rows(body)
            if body.lstrip()[:1] == b"["
            else iter(_list_in(decode(body), endpoint))
        )
        series = Series.from_rows(watched(rows), resolution, *period, meter_id)
    except ValueError:
        raise ClimkitResponseError(endpoint, "no JSON") from None
    if series.dropped and not series.starts and first is None:
        raise ClimkitResponseError(endpoint, "no row can be read")
    return series, first, keys
