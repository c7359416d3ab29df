"""Which of its possible forms the cloud was seen to use: for diagnostics, never a value."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import re
from typing import Any, Final

from .values import MILLISECONDS, NUMBER, iso, split_column

_MOST_TOPICS: Final = 200
_MOST_VARIANTS: Final = 40
_MOST_KEYS: Final = 40
_LONGEST: Final = 2000
_DEEPEST: Final = 5
"""How many objects around a time are told."""

_DIGITS: Final = re.compile(r"[0-9a-fA-F]{6,}")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$]{1,32}|vol_m3")
_TEXTS: Final = (
    (NUMBER, "digits"),
    (re.compile(r"\s*\d{4}-\d\d-\d\d.*", re.DOTALL), "ISO naive"),
)
"""What a text is that is no ISO time with an offset."""


class Observations:
    """Counts of the forms seen since Home Assistant started."""

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = {}
        self._ages: dict[str, tuple[timedelta, timedelta]] = {}

    def note(self, topic: str, variant: str) -> None:
        """Count a form; whatever looks like an id is masked, and the number is limited."""
        if topic not in self._seen and len(self._seen) >= _MOST_TOPICS:
            return
        counts = self._seen.setdefault(topic, Counter())
        variant = _DIGITS.sub("<id>", variant)[:_LONGEST]
        if variant not in counts and len(counts) >= _MOST_VARIANTS:
            variant = "<more>"
        counts[variant] += 1

    def note_age(self, topic: str, age: timedelta) -> None:
        """Remember how old the newest row was when it came, last and at the least."""
        least, _ = self._ages.get(topic, (age, age))
        self._ages[topic] = (min(least, age), age)

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return how often each form was seen; ages of newest rows in minutes."""
        seen: dict[str, dict[str, float]] = {
            topic: dict(counts.most_common()) for topic, counts in self._seen.items()
        }
        for topic, ages in self._ages.items():
            least, last = (round(age / timedelta(minutes=1), 1) for age in ages)
            seen[f"{topic} newest row's age"] = {"least": least, "last": last}
        return dict(sorted(seen.items()))


def shape(value: object) -> str:
    """Return the type of a value and, of an object, keys and types: never a content."""
    if not isinstance(value, dict):
        return _type_name(value)
    keys = {
        f"{_safe_key(key)}:{_type_name(inner)}"
        for key, inner in list(value.items())[:1000]
    }
    return f"{{{', '.join(sorted(keys)[:_MOST_KEYS])}}}"


def _type_name(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _safe_key(key: str) -> str:
    meter_id, quantity = split_column(key)
    if meter_id:
        return f"{quantity}_<id>"
    return key if _PLAIN_KEY.fullmatch(key) else "<other>"


def moment_form(value: object) -> str:
    """Return how a time is written, without saying which time it is."""
    around = ""
    while type(value) is dict and "$date" in value and len(around) < 6 * _DEEPEST:
        around += "$date "
        value = value["$date"]
    form = _FORMS.get(type(value))
    return around + (form(value) if form else type(value).__name__)


def _form_of_object(value: Mapping[str, object]) -> str:
    return "$numberLong" if "$numberLong" in value else "dict"


def _form_of_number(value: float) -> str:
    return "ms" if value >= MILLISECONDS else "s"


def _form_of_text(value: str) -> str:
    if (time := iso(value)) is not None:
        return _form_of_iso(value, time)
    return next((name for form, name in _TEXTS if form.fullmatch(value)), "text")


def _form_of_iso(value: str, time: datetime) -> str:
    separator = "T" if "T" in value else "space"
    return f"ISO {separator} {'offset' if time.utcoffset() else 'UTC'}"


_FORMS: Final[Mapping[type, Callable[[Any], str]]] = {
    dict: _form_of_object,
    int: _form_of_number,
    float: _form_of_number,
    str: _form_of_text,
}
