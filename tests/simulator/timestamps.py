"""Moments on the wire, written and read in all the forms that the cloud may use."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from .hashing import Integers
from .local_time import offsets


def written(seconds: Integers, zone: str, form: str) -> list[object]:
    """Return UTC seconds in one of the forms of `Quirks.timestamps`."""
    match form:
        case "s":
            return list(seconds.tolist())
        case "ms":
            return list((seconds * 1000).tolist())
        case "date_ms":
            return [{"$date": second * 1000} for second in seconds.tolist()]
        case "date_iso":
            return [{"$date": f"{text}Z"} for text in _texts(seconds)]
        case "z":
            return [f"{text}Z" for text in _texts(seconds)]
        case "utc":
            return [f"{text}+00:00" for text in _texts(seconds, " ")]
    shift = offsets(seconds // 900, zone)
    texts = _texts(seconds + shift, "T" if form == "iso" else " ")
    if form == "naive":
        return list(texts)
    suffixes = {value: _suffix(value) for value in set(shift.tolist())}
    return [
        text + suffixes[value]
        for text, value in zip(texts, shift.tolist(), strict=True)
    ]


def read(value: object, zone: str, naive: str) -> datetime | None:
    """Return the aware moment of a t_s or t_e, None of null; raises ValueError, TypeError.

    `naive` says how digits without offset are read: "local" or "utc".
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("not a datetime")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC if naive == "utc" else ZoneInfo(zone))
    return moment.astimezone(UTC)


def _texts(seconds: Integers, separator: str = "T") -> list[str]:
    texts = np.datetime_as_string(seconds.astype("datetime64[s]")).tolist()
    return [text.replace("T", separator) for text in texts]


def _suffix(offset: int) -> str:
    sign, offset = ("-", -offset) if offset < 0 else ("+", offset)
    return f"{sign}{offset // 3600:02d}:{offset % 3600 // 60:02d}"
