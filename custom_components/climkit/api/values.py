"""How Climkit's cloud writes numbers, times, ids and names: every value ends here.

The cloud is Python that writes MongoDB's extended JSON, so that a date may be text,
a number or an object. Nothing here raises: what cannot be read is None.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import inf, isfinite
import re
from typing import Any, Final

DUST: Final = 1e-6
"""Amounts smaller than this are what is left of a subtraction."""

MILLISECONDS: Final = 1e11
"""From here on a number is milliseconds since 1970; as seconds it were the year 5138."""

NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
"""A number written as text."""

LONGEST_ID: Final = 128

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER_KEYS: Final = {"$numberLong", "$numberInt", "$numberDouble", "$numberDecimal"}
_DEEPEST_DATE: Final = 3
"""How many objects may be around a time."""
_METER_KEY: Final = re.compile(r"(total|self|ext)_(?=.*\d)(.+)")


def number(value: object) -> float | None:
    """Return a finite number, also one written as text; anything else is None."""
    if type(value) is float:
        return value if isfinite(value) else None
    return _NUMBERS.get(type(value), _nothing)(value)


def _nothing(_: object) -> None:
    """Read what has a type that is not expected."""


def _number_of_int(value: int) -> float | None:
    return float(value) if abs(value) < 1 << 1000 else None


def _number_of_text(value: str) -> float | None:
    return number(float(value)) if NUMBER.fullmatch(value) else None


def _number_of_object(value: Mapping[str, object]) -> float | None:
    if len(value) != 1 or not value.keys() <= _NUMBER_KEYS:
        return None
    (inner,) = value.values()
    return None if isinstance(inner, dict) else number(inner)


_NUMBERS: Final[Mapping[type, Callable[[Any], float | None]]] = {
    int: _number_of_int,
    str: _number_of_text,
    dict: _number_of_object,
}
"""By the exact type: true and false are no numbers."""


def amount(value: object) -> float | None:
    """Return an energy or a volume, without the dust that computing with floats leaves."""
    if type(value) is float and DUST <= value < inf:  # as nearly all are
        return value
    result = number(value)
    return 0.0 if result is not None and -DUST < result < DUST else result


def moment(value: object) -> datetime | None:
    """Return a time with the offset it was written with; naive ones are None.

    Takes ISO with a space or a T, seconds and milliseconds since 1970 as number or
    text, and the three forms of `$date`.
    """
    result = _MOMENTS.get(type(value), _nothing)(value)
    # Whatever is outside is a mistake, and too near to what datetime can express.
    return result if result and 2000 <= result.year < 2100 else None


def iso(text: str) -> datetime | None:
    """Return a time in ISO 8601 that says its offset."""
    try:
        result = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return result if result.tzinfo else None


def _moment_of_text(text: str) -> datetime | None:
    return iso(text) or _moment_of_number(text)


def _moment_of_number(value: object) -> datetime | None:
    if (stamp := number(value)) is None:
        return None
    seconds = stamp / 1000 if stamp >= MILLISECONDS else stamp
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _moment_of_object(value: Mapping[str, Any]) -> datetime | None:
    inner: Any = value
    for _ in range(_DEEPEST_DATE):
        if isinstance(inner, dict):
            inner = inner.get("$date", inner.get("$numberLong"))
    return None if isinstance(inner, dict) else moment(inner)


_MOMENTS: Final[Mapping[type, Callable[[Any], datetime | None]]] = {
    str: _moment_of_text,
    int: _moment_of_number,
    float: _moment_of_number,
    dict: _moment_of_object,
}


def identifier(value: object) -> str | None:
    """Return an id given as text, number or `$oid`; None if it cannot be one."""
    return _IDS.get(type(value), _nothing)(value)


def _id_of_text(value: str) -> str | None:
    text = value.strip()
    # "." and ".." would lead to another resource, whatever the quoting.
    usable = text.strip(".") and text.isprintable() and len(text) <= LONGEST_ID
    return text if usable else None


def _id_of_number(value: int) -> str | None:
    return str(value) if 0 <= value < 1 << 128 else None


def _id_of_object(value: Mapping[str, object]) -> str | None:
    inner = value.get("$oid")
    return None if isinstance(inner, dict) else identifier(inner)


_IDS: Final[Mapping[type, Callable[[Any], str | None]]] = {
    str: _id_of_text,
    int: _id_of_number,
    dict: _id_of_object,
}


def text(value: object) -> str:
    """Return text without space around it; numbers as text, anything else as none.

    Whatever is not printable is left out, as databases refuse some of it (NUL, halves
    of characters); every kind of space becomes a plain one.
    """
    return _TEXTS.get(type(value), _nothing)(value) or ""


def _text_of_text(value: str) -> str:
    return "".join(map(_printable, value)).strip()


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else ""


def _text_of_number(value: float) -> str:
    return "" if number(value) is None else str(value)


_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    str: _text_of_text,
    int: _text_of_number,
    float: _text_of_number,
}


def split_column(key: str) -> tuple[str | None, str]:
    """Return meter id and quantity of a key: ("<id>", "total") or (None, "from_ext")."""
    match = _METER_KEY.fullmatch(key)
    return (match[2], match[1]) if match else (None, key)
