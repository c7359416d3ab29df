"""What can go wrong at each endpoint, and to which few outcomes all of it comes.

Above the client only the outcome is to be seen: an error, or a reply that says less.
tests/api/test_outcomes.py proves this table on the socket, fault by fault; so a whole
life with each outcome of an endpoint stands for the lives with all its faults, which
are lived once a week.
"""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any, Final

import pytest

STATUSES: Final = (400, 401, 403, 404, 413, 500, 503)
RETRY_AFTER: Final = {
    "seconds": "7",
    "date": "Tue, 16 Jun 2026 10:07:00 GMT",
    "past": "Tue, 16 Jun 2026 09:00:00 GMT",
    "long": "900",
    "negative": "-5",
    "nonsense": "soon",
}
BODIES: Final = (
    *("html", "truncated", "wrong_type", "empty_body", "empty_list", "error_object"),
    *("nan", "nulls", "all_null", "missing_keys", "missing_timestamps", "bad_rows"),
    *("duplicates", "shuffled", "reversed", "strings", "garbage_values"),
)
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "refuse": {"kind": "refuse"},
    "reset": {"kind": "reset"},
    "hang": {"kind": "hang"},
    "wait": {"kind": "wait", "delay": 20.0},
    "slow": {"kind": "slow", "delay": 20.0},
    **{str(code): {"kind": "status", "status": code} for code in STATUSES},
    "502 html": {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"},
    "429": {"kind": "status", "status": 429},
    **{
        f"429 {form}": {"kind": "status", "status": 429, "headers": {"Retry-After": at}}
        for form, at in RETRY_AFTER.items()
    },
    "redirect elsewhere": {"kind": "redirect", "location": "http://127.0.0.2:9/"},
    "redirect forever": {"kind": "redirect"},
    "huge": {"kind": "huge", "size": 3_000_000},
    "deep": {"kind": "deep", "size": 100_000},
    **{kind: {"kind": kind} for kind in BODIES},
}
REFUSALS: Final = {"400", "401", "403"}
"""What says that credentials are wrong, if /auth says it. A success without a token is
no refusal: it may come from anything on the way."""

SAMPLE: Final = {"hang", "401", "429 seconds", "502 html", "truncated", "nulls"}
"""Faults that rather than others stand for their outcome."""


class Outcome(Enum):
    """What whoever calls the client gets."""

    UNHARMED = auto()
    """The same as without the fault."""
    LATE = auto()
    """The same, many seconds later."""
    GAPS = auto()
    """Some of what there is, and it is right; values or elements are missing."""
    FEWER_ROWS = auto()
    """Some of the times, with all their values."""
    NO_VALUES = auto()
    """All of the times, and not one value."""
    EMPTY = auto()
    """A reply of nothing."""
    UNREACHABLE = auto()
    TIMEOUT = auto()
    SERVER_ERROR = auto()
    """A status from 500 on."""
    UNUSABLE = auto()
    """Another status, or a body that is not what the documentation says."""
    NO_ACCESS = auto()
    REFUSED = auto()
    """The credentials are."""
    PAUSE = auto()
    """Too many requests; the pause is shorter than one between two polls."""
    LONG_PAUSE = auto()
    """Too many requests, and a pause longer than that."""


def _all(outcome: Outcome, *names: str) -> dict[str, Outcome]:
    return dict.fromkeys(names, outcome)


_WHEREVER: Final = (
    _all(Outcome.UNREACHABLE, "refuse", "reset")
    | _all(Outcome.TIMEOUT, "hang")
    | _all(Outcome.LATE, "wait", "slow")
    | _all(Outcome.NO_ACCESS, "401", "403", "404")
    | _all(Outcome.SERVER_ERROR, "500", "503", "502 html")
    | _all(Outcome.PAUSE, "429", *(f"429 {form}" for form in RETRY_AFTER))
    | _all(Outcome.LONG_PAUSE, "429 long")
    | _all(Outcome.UNUSABLE, "400", "413", "redirect elsewhere", "redirect forever")
    | _all(Outcome.UNUSABLE, "huge", "deep", "html", "truncated", "empty_body")
    | _all(Outcome.UNUSABLE, "wrong_type", "error_object")
    | _all(Outcome.EMPTY, "empty_list")
    | _all(Outcome.UNHARMED, "bad_rows", "duplicates", "shuffled", "reversed")
    | _all(Outcome.UNHARMED, "strings")
)
_NO_ROWS: Final = _WHEREVER | _all(
    *(Outcome.UNHARMED, "nan", "nulls", "all_null", "missing_keys"),
    *("missing_timestamps", "garbage_values"),
)
"""Of a reply that has no rows which could be spoiled."""
_OBJECT: Final = _NO_ROWS | _all(Outcome.UNUSABLE, "empty_list")
_ROWS: Final = _WHEREVER | _all(
    *(Outcome.GAPS, "nan", "nulls", "missing_keys", "garbage_values")
)
_DESCRIPTIONS: Final = _ROWS | {
    "all_null": Outcome.UNUSABLE,
    "missing_timestamps": Outcome.UNHARMED,
}
_SERIES: Final = _ROWS | {
    "all_null": Outcome.NO_VALUES,
    "missing_timestamps": Outcome.FEWER_ROWS,
}

OUTCOMES: Final[Mapping[str, Mapping[str, Outcome]]] = {
    "auth": _OBJECT | _all(Outcome.REFUSED, *REFUSALS) | _all(Outcome.UNUSABLE, "404"),
    "all_installations": _NO_ROWS | _all(Outcome.UNHARMED, "wrong_type"),
    "installation_infos": _OBJECT,
    "meter_info": _DESCRIPTIONS,
    "site_data": _SERIES,
    "meter_data": _SERIES,
    "meter_data_raw": _SERIES,
    "sensors_list": _DESCRIPTIONS,
    # With one value a row, a row without it is none.
    "sensor_data": _SERIES
    | _all(Outcome.EMPTY, "all_null")
    | _all(Outcome.FEWER_ROWS, "nan", "nulls", "missing_keys", "garbage_values"),
}
"""By endpoint and fault."""


def cases(*endpoints: str) -> Iterator[Any]:
    """Yield every endpoint with every fault; weekly, but for one of each outcome.

    Where a fault is to hit several endpoints, they are written with bars between them,
    and nothing but their names; what follows a space is a remark.
    """
    for endpoint in endpoints:
        paths = endpoint.split(maxsplit=1)[0].split("|")
        outcomes = {
            name: tuple(OUTCOMES[path][name] for path in paths) for name in FAULTS
        }
        standing = {outcome: name for name, outcome in reversed(outcomes.items())}
        standing |= {outcomes[name]: name for name in SAMPLE}
        for name, outcome in outcomes.items():
            marks = () if name == standing[outcome] else (pytest.mark.weekly,)
            yield pytest.param(endpoint, name, id=f"{endpoint}, {name}", marks=marks)
