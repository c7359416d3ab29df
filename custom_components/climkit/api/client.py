"""Climkit's developer API: one short method per endpoint."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
import logging
import os
from typing import Final

import aiohttp

from .auth import ClimkitAuth
from .body import Body
from .models import (
    Meter,
    RegisterReading,
    Resolution,
    Sensor,
    SensorReading,
    Series,
    Site,
    Span,
)
from .parsers import (
    read_meters,
    read_registers,
    read_sensor_readings,
    read_sensors,
    read_site,
    read_site_ids,
)
from .queue import Priority, RequestQueue
from .series import HOME, PADDING, asked_from, read_series
from .session import Session
from .shape_report import Observations
from .spelling import Spelling
from .transport import Call, Transport

API_URL: Final = "https://api.climkit.io/api/v1"
URL_VARIABLE: Final = "CLIMKIT_API_URL"
"""Environment variable with another address, for demo and tests."""

INLINE: Final = 64 << 10
"""Bytes of a body up to which parsing takes less time than a thread."""

_LOGGER: Final = logging.getLogger(__name__)


class ClimkitClient:
    """Reads what one account may see; callers share the token and the account's queue."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        username: str,
        password: str,
        *,
        queue: RequestQueue | None = None,
        url: str | None = None,
    ) -> None:
        self.queue = queue or RequestQueue()
        self.observations = Observations()
        self.url = url or os.environ.get(URL_VARIABLE) or API_URL
        transport = Transport(session, self.url, self.queue, self.observations)
        self._auth = ClimkitAuth(transport, username, password, self.observations)
        self._session = Session(transport, self._auth, self.queue, self.observations)
        self._spelling = Spelling()
        self._complained: set[str] = set()

    @property
    def username(self) -> str:
        """Return the account's user name."""
        return self._auth.username

    def has_password(self, password: str) -> bool:
        """Return whether this is the password of this client."""
        return self._auth.has_password(password)

    async def authenticate(self) -> None:
        """Log in now; raises ClimkitAuthenticationError if the credentials are refused."""

        await self._session.authenticate()

    @property
    def is_doubtful(self) -> bool:
        """Return whether no log-in has been answered properly for over a day.

        Not refused, either: pages, empty bodies, replies without a token.
        """
        return self._auth.is_odd

    def try_again(self) -> None:
        """Let the credentials be tried once more that the cloud has refused."""
        self._auth.rests = False

    async def site_ids(self) -> tuple[str, ...]:
        """Return the ids of the sites that the account may see."""
        call = Call("all_installations", ("all_installations",))
        return await self._read(call, read_site_ids)

    async def site(self, site_id: str) -> Site:
        """Return name, place, zone and age of a site."""
        call = Call("installation_infos", ("installation_infos", site_id))
        return await self._read(
            call,
            lambda body: read_site(body, site_id),
            in_thread=True,  # time zones are files
        )

    async def meters(self, site_id: str) -> tuple[Meter, ...]:
        """Return the meters of a site, of all media."""
        call = Call("meter_info", ("meter_info", site_id))
        return await self._read(call, read_meters)

    async def site_series(  # noqa: PLR0913 (all that a question has)
        self,
        site_id: str,
        meter_type: str,
        resolution: Resolution,
        start: datetime,
        end: datetime | None = None,
        *,
        zone: tzinfo = HOME,
        earliest: datetime | None = None,
        priority: Priority = Priority.LIVE,
    ) -> Series:
        """Return one medium of a site and of all its meters, start <= interval < end.

        Times are aware; without `end`, all there is. `zone` is the site's: days, months
        and years begin at its midnight. What begins before `earliest` is refused, so no
        more is asked for.
        """
        span = Span(start, end, earliest)
        return await self._series(
            Call("site_data", ("site_data", site_id, meter_type)),
            resolution,
            span,
            priority,
            lambda body: read_series(body, resolution, span, None, zone),
        )

    async def meter_series(  # noqa: PLR0913 (all that a question has)
        self,
        site_id: str,
        meter_id: str,
        resolution: Resolution,
        start: datetime,
        end: datetime | None = None,
        *,
        zone: tzinfo = HOME,
        earliest: datetime | None = None,
        priority: Priority = Priority.LIVE,
    ) -> Series:
        """Return the columns of one meter; times and `zone` as those of `site_series`."""
        span = Span(start, end, earliest)
        return await self._series(
            Call("meter_data", ("meter_data", site_id, meter_id)),
            resolution,
            span,
            priority,
            lambda body: read_series(body, resolution, span, meter_id, zone),
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
        """Return what stood on a physical meter, start <= time < end; times are aware."""
        span = Span(start, end)
        path = ("meter_data_raw", site_id, meter_id)
        return await self._read(
            Call("meter_data_raw", path, _times(span)),
            lambda body: read_registers(body, span),
            priority,
        )

    async def sensors(self, site_id: str) -> tuple[Sensor, ...]:
        """Return the sensors of the surroundings; many sites answer with no access."""
        call = Call("sensors_list", (site_id, "sensors_list"))
        return await self._read(call, read_sensors)

    async def sensor_readings(
        self,
        site_id: str,
        sensor_id: str,
        start: datetime | None = None,
        *,
        priority: Priority = Priority.LIVE,
    ) -> tuple[SensorReading, ...]:
        """Return what a sensor measured since `start` (aware), or the latest."""
        query = {} if start is None else _times(Span(start))
        return await self._read(
            Call("sensor_data", (site_id, "sensor_data", sensor_id), query=query),
            lambda body: read_sensor_readings(body, start),
            priority,
        )

    async def _series(
        self,
        call: Call,
        resolution: Resolution,
        span: Span,
        priority: Priority,
        read: Callable[[Body], Series],
    ) -> Series:
        async def ask(spelling: str) -> Series:
            payload = _times(span) | {"sampling_frequency": spelling}
            return await self._read(
                Call(call.endpoint, call.path, payload), read, priority
            )

        series = await self._spelling.ask(resolution, ask)
        self.observations.note("sampling_frequency", self._spelling.of(resolution))
        if span.end is None and series.starts and resolution is Resolution.QUARTER_HOUR:
            newest = series.starts[-1] + timedelta(minutes=15)
            self.observations.note_age(call.endpoint, datetime.now(UTC) - newest)
        return series

    async def _read[T](
        self,
        call: Call,
        read: Callable[[Body], T],
        priority: Priority = Priority.LIVE,
        *,
        in_thread: bool = False,
    ) -> T:
        """Return the reply as a model, without ever holding up the event loop."""
        body = await self._session.fetch(call, priority)
        if in_thread or body.size > INLINE:
            result = await asyncio.to_thread(read, body)
        else:
            result = read(body)
        self._complain(body)
        return result

    def _complain(self, body: Body) -> None:
        """Tell in the log, once for each endpoint, that elements were left out."""
        if body.dropped and body.endpoint not in self._complained:
            self._complained.add(body.endpoint)
            _LOGGER.warning(
                "%s: %s elements cannot be used and are left out; said only once",
                body.endpoint,
                body.dropped,
            )


def _times(span: Span) -> dict[str, str]:
    """Return the times to ask for: naive UTC, a few hours more than is wanted."""
    times = {"t_s": _digits(asked_from(span.start, span.earliest))}
    return times if span.end is None else times | {"t_e": _digits(span.end + PADDING)}


def _digits(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
