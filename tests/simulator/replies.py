"""What every endpoint answers, once a request is allowed in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from . import descriptions
from .accounts import Token
from .limits import RefusedError, check_subject, cut, known_at
from .payloads import meter_rows, raw_rows, site_rows
from .quirks import Refusal
from .requests import BadRequestError, Request, sensor_window, window
from .site import SimulatedSite

if TYPE_CHECKING:
    from .server import Simulator

PAGE: Final = "<html><body><h1>Service temporarily unavailable</h1></body></html>"


@dataclass(slots=True)
class Reply:
    """An answer before it is bytes."""

    data: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Whether no answer is ever sent."""
    page: bool = False
    """Whether the data is a page of HTML."""


def refusal(status: int, message: str, **headers: str) -> Reply:
    """Return an error as JSON; underscores in header names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply({"status": status, "message": message}, status, named)


def say_no(how: Refusal, message: str) -> Reply:
    """Return a refusal in one of the ways of `Quirks`."""
    match how:
        case "hang":
            return Reply(None, hang=True)
        case "html":
            return Reply(PAGE, page=True)
        case "error_object":
            return Reply({"error": message})
        case status:
            return refusal(status, message)


def log_in(cloud: Simulator, request: Request, now: datetime) -> Reply:
    """Answer POST /auth."""
    body = request.json
    if not isinstance(body, dict) or not {"username", "password"} <= body.keys():
        return refusal(400, "username and password required")
    expires = now + cloud.token_lifetime
    try:
        token = cloud.tokens.log_in(body["username"], body["password"], expires)
    except PermissionError:
        return refusal(cloud.quirks.refused_login, "Bad username or password")
    valid_until = descriptions.valid_until(expires, cloud.quirks.valid_until)
    return Reply({"access_token": token, **valid_until})


def answer(cloud: Simulator, request: Request, token: Token, now: datetime) -> Reply:
    """Answer a request of a logged-in account; runs in a thread of its own."""
    username = token.username
    if request.endpoint == "all_installations":
        seen = [
            site
            for site in cloud.sites
            if cloud.tokens.may_see(username, site.id)
            and site.id not in cloud.quirks.unlisted
        ]
        return Reply(descriptions.installations(seen, cloud.quirks.installations))
    site = next((s for s in cloud.sites if s.id == request.parts["site"]), None)
    if site is None:
        return refusal(cloud.quirks.not_found, "Installation not found")
    if not cloud.tokens.may_see(username, site.id):
        return refusal(403, "Forbidden")
    try:
        return _of_site(cloud, request, site, username, now)
    except BadRequestError as err:
        return refusal(400, str(err))
    except RefusedError as err:
        return say_no(err.how, err.message)


def _of_site(
    cloud: Simulator, request: Request, site: SimulatedSite, user: str, now: datetime
) -> Reply:
    quirks = cloud.quirks
    visible = _visible(cloud, site, user)
    match request.endpoint:
        case "installation_infos":
            return Reply(descriptions.infos(site, quirks))
        case "meter_info":
            return Reply(descriptions.meters(site, visible, quirks))
        case "site_data":
            if visible is not None and quirks.resident_rows == "refused":
                return refusal(403, "Forbidden")
            shown = None if quirks.resident_rows == "all" else visible
            asked = window(request, site, quirks, _known_at(cloud, now))
            kind = request.parts["meter_type"]
            check_subject(kind, asked, quirks)
            return Reply(cut(site_rows(site, kind, asked, quirks, shown), quirks))
        case "sensors_list" | "sensor_data":
            return _of_sensors(cloud, request, site, now)
        case _:
            return _of_meter(cloud, request, site, visible, now)


def _of_meter(
    cloud: Simulator,
    request: Request,
    site: SimulatedSite,
    visible: frozenset[str] | None,
    now: datetime,
) -> Reply:
    meter_id = request.parts["meter"]
    meter = next((meter for meter in site.meters if meter.id == meter_id), None)
    if meter is None:
        return refusal(cloud.quirks.not_found, "Meter not found")
    if visible is not None and meter.id not in visible:
        return refusal(403, "Forbidden")
    if request.endpoint == "meter_data_raw":
        asked = window(request, site, cloud.quirks, now)
        rows = [] if meter.is_rule_meter else raw_rows(site, meter, asked, cloud.quirks)
        return Reply(rows)
    if not meter.is_measuring and cloud.quirks.introduction_rows == "refused":
        return refusal(cloud.quirks.not_found, "No data")
    asked = window(request, site, cloud.quirks, _known_at(cloud, now))
    check_subject(meter.id, asked, cloud.quirks)
    return Reply(cut(meter_rows(site, meter, asked, cloud.quirks), cloud.quirks))


def _known_at(cloud: Simulator, now: datetime) -> datetime:
    cloud.data_replies += 1
    return known_at(now, cloud.data_replies, cloud.quirks)


def _of_sensors(
    cloud: Simulator, request: Request, site: SimulatedSite, now: datetime
) -> Reply:
    quirks = cloud.quirks
    if quirks.sensors in ("forbidden", "missing"):
        status = 403 if quirks.sensors == "forbidden" else 404
        return refusal(status, "No sensors")
    if request.endpoint == "sensors_list":
        sensors = site.sensors if quirks.sensors == "list" else []
        return Reply(descriptions.sensors(sensors))
    sensor_id = request.parts["sensor"]
    sensor = next((found for found in site.sensors if found.id == sensor_id), None)
    if sensor is None:
        return refusal(quirks.not_found, "Sensor not found")
    times = sensor_window(request, site, quirks, now)
    return Reply(descriptions.readings(site, sensor, times, quirks, now))


def _visible(
    cloud: Simulator, site: SimulatedSite, username: str
) -> frozenset[str] | None:
    """Return the meters that both the site and the account's grant let it see."""
    granted = cloud.tokens.visible_meters(username, site.id)
    if granted is None or site.visible is None:
        return site.visible if granted is None else granted
    return granted & site.visible
