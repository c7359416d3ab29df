"""How Climkit's cloud writes numbers, times and ids: every form ends here.

The cloud is Python that writes MongoDB's extended JSON, so that a date may be text,
a number or an object. Nothing here raises: what cannot be read is None.
"""

from datetime import UTC, datetime, timedelta
from math import isfinite
import re
from typing import Final

DUST: Final = 1e-6
"""Amounts smaller than this are what is left of a subtraction."""

MILLISECONDS: Final = 1e11
"""From here on a number is milliseconds since 1970; as seconds it were the year 5138."""

LONGEST_ID: Final = 128

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NUMBER_KEYS: Final = {"$numberLong", "$numberInt", "$numberDouble", "$numberDecimal"}
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$]{1,32}|vol_m3")
_METER_KEY: Final = re.compile(r"(total|self|ext)_(?=.*\d)(.+)")


def number(value: object) -> float | None:
    """Return a finite number, also one written as text; anything else is None."""
    if type(value) is float:
        result = value
    elif isinstance(value, int) and not isinstance(value, bool):
        result = float(value) if abs(value) < 1 << 1000 else float("inf")
    elif isinstance(value, str):
        text = value.strip()
        result = float(text if _NUMBER.fullmatch(text) else "nan")
    elif isinstance(value, dict) and len(value) == 1 and value.keys() <= _NUMBER_KEYS:
        (inner,) = value.values()
        return number(inner) if isinstance(inner, str | int | float) else None
    else:
        return None
    return result if isfinite(result) else None


def amount(value: object) -> float | None:
    """Return an energy or a volume, without the dust that computing with floats leaves."""
    result = number(value)
    return 0.0 if result is not None and -DUST < result < DUST else result


def moment(value: object, *, depth: int = 3) -> datetime | None:
    """Return a time with the offset it was written with; naive ones are None.

    Takes ISO with a space or a T, seconds and milliseconds since 1970 as number or
    text, and the three forms of `$date`.
    """
    if isinstance(value, dict):
        inner = value.get("$date", value.get("$numberLong"))
        return moment(inner, depth=depth - 1) if depth else None
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        result = _iso(value.strip())
    else:
        result = _since_epoch(number(value))
    # Whatever is outside is a mistake, and too near to what datetime can express.
    return result if result and 2000 <= result.year < 2100 else None


def _iso(text: str) -> datetime | None:
    try:
        result = datetime.fromisoformat(text)
    except ValueError:
        return None
    return result if result.tzinfo else None


def _since_epoch(value: float | None) -> datetime | None:
    if value is None:
        return None
    try:
        return _EPOCH + timedelta(
            seconds=value / 1000 if value >= MILLISECONDS else value
        )
    except OverflowError:
        return None


def moment_form(value: object) -> str:
    """Return how a time is written, without saying which time it is."""
    match value:
        case {"$date": inner}:
            return f"$date {moment_form(inner)}"
        case {"$numberLong": _}:
            return "$numberLong"
        case bool() | None:
            return type(value).__name__
        case int() | float():
            return "ms" if value >= MILLISECONDS else "s"
        case str() if _NUMBER.fullmatch(value.strip()):
            return "digits"
        case str() if (time := _iso(value.strip())) is not None:
            separator = "T" if "T" in value else "space"
            return f"ISO {separator} {'offset' if time.utcoffset() else 'UTC'}"
        case str():
            return "ISO naive" if re.match(r"\d{4}-\d\d-\d\d", value) else "text"
    return type(value).__name__


def identifier(value: object) -> str | None:
    """Return an id given as text, number or `$oid`; None if it cannot be one."""
    if isinstance(value, dict):
        value = value.get("$oid")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 128:
        value = str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    # "." and ".." would lead to another resource, whatever the quoting.
    usable = text.strip(".") and text.isprintable() and len(text) <= LONGEST_ID
    return text if usable else None


def text(value: object) -> str:
    """Return text without space around it; numbers as text, anything else as none."""
    if isinstance(value, str):
        return value.strip()
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if plain and number(value) is not None else ""


def split_column(key: str) -> tuple[str | None, str]:
    """Return meter id and quantity of a key: ("<id>", "total") or (None, "from_ext")."""
    match = _METER_KEY.fullmatch(key)
    return (match[2], match[1]) if match else (None, key)


def _safe_key(key: str) -> str:
    if match := _METER_KEY.fullmatch(key):
        return f"{match[1]}_<id>"
    return key if _PLAIN_KEY.fullmatch(key) else "<other>"


def shape(value: object) -> str:
    """Return the type of a value and, of an object, keys and types: never a content."""
    if not isinstance(value, dict):
        return "null" if value is None else type(value).__name__
    keys = {
        f"{_safe_key(key)}:{'null' if inner is None else type(inner).__name__}"
        for key, inner in list(value.items())[:1000]
    }
    return f"{{{', '.join(sorted(keys)[:40])}}}"
