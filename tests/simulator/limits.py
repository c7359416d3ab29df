"""What the cloud does not give: how much at once, how far back, of which meter."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from .local_time import local_start, moment_of
from .payloads import Asked
from .quirks import Quirks, Refusal

ZURICH: Final = ZoneInfo("Europe/Zurich")


class RefusedError(Exception):
    """The cloud says no to a request that is well formed."""

    def __init__(self, how: Refusal, message: str) -> None:
        """Say no in one of the ways of `Quirks`."""
        super().__init__(message)
        self.how = how
        self.message = message


def limited(asked: Asked, quirks: Quirks) -> Asked:
    """Return what is given of what is asked; raises RefusedError."""
    longest = quirks.longest.get(asked.resolution, quirks.window_limit)
    if longest is not None and min(asked.end, asked.at) - asked.start > longest:
        if quirks.window_refusal == "empty":
            return replace(asked, end=asked.start)
        raise RefusedError(quirks.window_refusal, "Period too long")
    depth = _depth(asked, quirks)
    lifted = quirks.depth_lifted is not None and asked.at >= quirks.depth_lifted
    if lifted or depth is None or asked.start >= depth:
        return asked
    match quirks.depth_refusal:
        case "empty":
            return replace(asked, end=asked.start)
        case "clipped":
            return replace(asked, start=min(depth, asked.end))
        case how:
            raise RefusedError(how, "Period too long ago")


def _depth(asked: Asked, quirks: Quirks) -> datetime | None:
    """Return before when nothing is given at the time of a request."""
    depth = quirks.depth.get(asked.resolution, quirks.depth.get(""))
    kept = quirks.kept.get(asked.resolution, quirks.kept.get(""))
    if kept is None:
        return depth
    if quirks.kept_up_to == "now":
        oldest = asked.at - kept
    else:
        day = asked.at.astimezone(ZURICH).date() - kept
        oldest = moment_of(local_start(day, ZURICH.key))
    return max(oldest, depth or oldest)


def check_subject(name: str, asked: Asked, quirks: Quirks) -> None:
    """Raise RefusedError if this meter (id) or meter type fails."""
    before = quirks.failing_before
    if name in quirks.failing and (before is None or asked.start < before):
        raise RefusedError(quirks.failing[name], "Internal error")


def known_at(now: datetime, count: int, quirks: Quirks) -> datetime:
    """Return of when the `count`th reply with data is: of now, or of a replica."""
    return now if count % quirks.replica_every else now - quirks.replica_lag


def cut(rows: list[Any], quirks: Quirks) -> list[Any]:
    """Return as many rows as a reply has."""
    if quirks.most_rows is None or len(rows) <= quirks.most_rows:
        return rows
    if quirks.kept_rows == "first":
        return rows[: quirks.most_rows]
    return rows[len(rows) - quirks.most_rows :]
