"""What the simulator remembers of a request, and how it reads one."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
import json
import re
from typing import Any, Final

from .accounts import Token
from .limits import limited
from .payloads import Asked
from .quirks import Quirks
from .site import SimulatedSite
from .timestamps import read

BASE: Final = "/api/v1"
_ROUTES: Final = (
    ("POST", r"auth", "auth"),
    ("GET", r"all_installations", "all_installations"),
    ("GET", r"installation_infos/(?P<site>[^/]+)", "installation_infos"),
    ("GET", r"meter_info/(?P<site>[^/]+)", "meter_info"),
    ("POST", r"site_data/(?P<site>[^/]+)/(?P<meter_type>[^/]+)", "site_data"),
    ("POST", r"meter_data/(?P<site>[^/]+)/(?P<meter>[^/]+)", "meter_data"),
    ("POST", r"meter_data_raw/(?P<site>[^/]+)/(?P<meter>[^/]+)", "meter_data_raw"),
    ("GET", r"(?P<site>[^/]+)/sensors_list", "sensors_list"),
    ("GET", r"(?P<site>[^/]+)/sensor_data/(?P<sensor>[^/]+)", "sensor_data"),
)
ENDPOINTS: Final = frozenset(endpoint for _, _, endpoint in _ROUTES)
_SAMPLINGS: Final = {
    "documented": {"15T": "15T", "H": "H", "D": "D", "M": "M", "Y": "Y"},
    "new": {"15min": "15T", "h": "H", "D": "D", "ME": "M", "YE": "Y"},
}


class BadRequestError(Exception):
    """The body of a request makes no sense."""


@dataclass(slots=True)
class Request:
    """One request that came in, and what became of it."""

    monotonic: float
    """Seconds at which it came, of a clock that nobody freezes."""
    time: datetime
    """When it came by the simulator's clock (aware)."""
    method: str
    path: str
    """With its query, without the base."""
    endpoint: str
    """The name of the endpoint, or "" of none."""
    parts: dict[str, str] = field(default_factory=dict)
    """`site`, `meter_type`, `meter`, `sensor`, as the path has them."""
    query: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    json: Any = field(default=None, repr=False)
    """The body; None if there is none or it is no JSON."""
    username: str | None = None
    status: int | None = None
    """None while it runs, and if no status was ever sent."""
    fault: str | None = None
    """The kind of the fault that hit it."""
    finished: float | None = None
    """Seconds (monotonic) at which it was over."""


class RequestLog(list[Request]):
    """All requests, in the order in which they came."""

    def to(self, *endpoints: str) -> list[Request]:
        """Return the requests to these endpoints."""
        return [request for request in self if request.endpoint in endpoints]

    def smallest_gap(self, username: str = "demo") -> float:
        """Return the seconds between the two closest requests of an account."""
        starts = [r.monotonic for r in self if r.username == username]
        gaps = (later - earlier for earlier, later in pairwise(starts))
        return min(gaps, default=float("inf"))


def route(method: str, path: str) -> tuple[str, dict[str, str], bool]:
    """Return (endpoint, parts of the path, whether the method fits)."""
    for known_method, pattern, endpoint in _ROUTES:
        if match := re.fullmatch(f"{BASE}/{pattern}/?", path):
            return endpoint, match.groupdict(), method == known_method
    return "", {}, True


def account_of(request: Request, token: Token | None) -> str | None:
    """Return whose request it is, so far as it says."""
    if token is not None:
        return token.username
    if request.endpoint == "auth" and isinstance(request.json, dict):
        name = request.json.get("username")
        return name if isinstance(name, str) else None
    return None


def decoded(body: bytes) -> Any:
    """Return the JSON of a body, None of an empty or unreadable one."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def window(
    request: Request, site: SimulatedSite, quirks: Quirks, now: datetime
) -> Asked:
    """Return what a data request asks; raises BadRequestError, RefusedError."""
    if request.body and not isinstance(request.json, dict):
        raise BadRequestError("Body must be a JSON object")
    body = request.json or {}
    known = _SAMPLINGS["documented"] | _SAMPLINGS["new"]
    if quirks.sampling_names != "both":
        known = _SAMPLINGS[quirks.sampling_names]
    sampling = body.get("sampling_frequency")
    try:
        resolution = "15T" if sampling is None else known[sampling]
    except KeyError, TypeError:
        raise BadRequestError("Invalid sampling_frequency") from None
    default = timedelta(days=quirks.default_days)
    times = _times(body, site, quirks, now, default=default)
    return limited(Asked(*times, resolution, now), quirks)


def sensor_window(
    request: Request, site: SimulatedSite, quirks: Quirks, now: datetime
) -> tuple[datetime, datetime] | None:
    """Return the window of a sensor request, None for the latest reading."""
    if not request.query.keys() & {"t_s", "t_e"}:
        return None
    return _times(dict(request.query), site, quirks, now, default=timedelta(days=1))


def _times(
    body: dict[str, Any],
    site: SimulatedSite,
    quirks: Quirks,
    now: datetime,
    *,
    default: timedelta,
) -> tuple[datetime, datetime]:
    try:
        start, end = (
            read(body.get(key), site.time_zone, quirks.requested_times)
            for key in ("t_s", "t_e")
        )
    except (ValueError, TypeError, OverflowError) as err:
        raise BadRequestError("Invalid datetime") from err
    end = end or now
    return start or min(end, now) - default, end
