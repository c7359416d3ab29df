"""Things that go wrong between a client and the cloud, to be switched on by tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
import re
from typing import Literal

from .requests import ENDPOINTS

type FaultKind = Literal[
    # before an answer is made
    "refuse",  # the connection is closed at once
    "hang",  # no answer for `delay` seconds, or until the client gives up
    "wait",  # the right answer, `delay` seconds late
    "status",  # `status` with `headers` and `body`
    "redirect",  # to `location`, by default the same path of the same host
    # the body
    "reset",  # half of the right body, then the connection is reset
    "slow",  # the right body, spread over `delay` seconds
    "html",  # 200 with a page
    "truncated",  # half of the JSON, in a complete answer
    "wrong_type",  # a dict for a list and a list for a dict, or what `body` says
    "huge",  # `size` bytes of JSON
    "deep",  # `size` nested lists
    "empty_body",
    "empty_list",
    "error_object",  # 200 with {"error": ...}
    # rows of data
    "nan",  # NaN and Infinity, bare, as Python's json writes them
    "nulls",  # every third value null
    "all_null",  # every value null
    "missing_keys",  # every third value not there
    "missing_timestamps",  # every fifth row without its timestamp
    "bad_rows",  # rows that are no objects, timestamps that are none
    "duplicates",  # every row twice
    "shuffled",
    "reversed",
    "strings",  # numbers as text
    "garbage_values",  # objects, lists, words, booleans for numbers
]

ROW_FAULTS = frozenset(
    {
        *("nan", "nulls", "all_null", "missing_keys", "missing_timestamps"),
        *("bad_rows", "duplicates", "shuffled", "reversed", "strings"),
        "garbage_values",
    }
)


@dataclass(kw_only=True)
class _Settings:
    path: str = ""
    """An endpoint ("auth", "site_data", "sensors_list" ...) or a regular expression that is
    searched in the path; "" is every request."""
    times: int | None = None
    """How many requests it hits; None is all until it is removed."""
    after: int = 0
    """How many matching requests go through before."""
    since: datetime | None = None
    until: datetime | None = None
    """It hits from since (aware) on, until before until, by the simulator's clock."""
    delay: float | None = None
    """Seconds, for hang, wait and slow; a hang without one lasts until the end."""
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    location: str | None = None
    size: int = 100_000
    seen: int = 0
    """How many matching requests there were."""
    hits: int = 0
    """How many of them it hit."""


@dataclass
class Fault(_Settings):
    """One thing that goes wrong, for the requests that it matches."""

    kind: FaultKind

    def strikes(self, endpoint: str, path: str, now: datetime) -> bool:
        """Count a request, and return whether the fault hits it."""
        named = self.path in ENDPOINTS
        if self.path != endpoint if named else not re.search(self.path, path):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if self.since is not None and now < self.since:
            return False
        if self.until is not None and now >= self.until:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults that are switched on; the first one that matches hits a request."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin with none; the clock returns the aware present."""
        self._clock = clock
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on and return it, to look at its `hits` later."""
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Switch one fault off."""
        self._faults.remove(fault)

    def clear(self) -> None:
        """Switch all faults off."""
        self._faults.clear()

    def hitting(self, endpoint: str, path: str) -> Fault | None:
        """Return the fault that hits this request."""
        now = self._clock()
        for fault in self._faults:
            if fault.strikes(endpoint, path, now):
                return fault
        return None


def spoil_rows(kind: FaultKind, rows: list[dict[str, object]]) -> list[object]:
    """Return the rows of a reply as this fault leaves them."""
    match kind:
        case "duplicates":
            return [row for row in rows for _ in range(2)]
        case "reversed":
            return list(reversed(rows))
        case "shuffled":
            return [row for _, row in sorted(enumerate(rows), key=_scrambled)]
        case "missing_timestamps":
            return [
                {k: v for k, v in row.items() if number % 5 or k != "timestamp"}
                for number, row in enumerate(rows)
            ]
        case "bad_rows":
            bad: list[object] = [None, 7, "row", [], {}, {"timestamp": "yesterday"}]
            bad.append({"timestamp": "2026-13-45 99:00:00+01:00", "total": 1.0})
            return [*bad, *rows, *bad]
        case _:
            return [_spoiled(kind, number, row) for number, row in enumerate(rows)]


def _scrambled(item: tuple[int, dict[str, object]]) -> int:
    return item[0] * 7919 % 1009


def _spoiled(kind: FaultKind, number: int, row: dict[str, object]) -> dict[str, object]:
    """Return a row of which values are spoiled; the timestamp stays."""
    garbage: tuple[object, ...] = ({}, [], "n/a", True, "", {"$date": 0}, "1e999")
    odd: tuple[object, ...] = (float("nan"), float("inf"), float("-inf"))
    found: dict[str, object] = {}
    for place, (key, value) in enumerate(row.items(), start=number):
        hit = key != "timestamp" and place % 3 == 0
        if key == "timestamp":
            found[key] = value
        elif kind == "all_null" or (kind == "nulls" and hit):
            found[key] = None
        elif kind == "strings":
            found[key] = str(value)
        elif hit and kind == "nan":
            found[key] = odd[place // 3 % len(odd)]
        elif hit and kind == "garbage_values":
            found[key] = garbage[place // 3 % len(garbage)]
        elif not (hit and kind == "missing_keys"):
            found[key] = value
    return found
