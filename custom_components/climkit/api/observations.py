"""Which variant of each unknown the cloud was seen to use: names and forms, no values."""

from collections.abc import Mapping
from datetime import datetime, timedelta
import re
from typing import Any, Final

MOST: Final = 12
"""Variants kept of one fact: a cloud gone mad must not fill the memory."""

_ID: Final = re.compile(r"[0-9a-f]{12,}", re.IGNORECASE)


class Observations:
    """Collects facts for the diagnostics; the first user's report settles what is open."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: dict[str, set[str]] = {}

    def note(self, fact: str, variant: str) -> None:
        """Note a variant of a fact; ids within are replaced."""
        variants = self._seen.setdefault(fact, set())
        if len(variants) < MOST:
            variants.add(_ID.sub("<id>", variant)[:80])

    def note_keys(self, fact: str, data: Mapping[str, Any]) -> None:
        """Note the names and types of the keys of an object."""
        for key, value in data.items():
            self._keys(fact, key, value)

    def _keys(self, fact: str, key: object, value: object) -> None:
        name = _ID.sub("<id>", str(key))[:40]
        self._seen.setdefault(f"{fact}.{name}", set()).add(form_of(value))

    def note_window(self, asked: str, first: datetime | None) -> None:
        """Note whether `t_s` was read as UTC, from the first row that came back."""
        if first is None:
            return
        start = datetime.fromisoformat(f"{asked}+00:00")
        early = start - first
        if timedelta(minutes=50) <= early <= timedelta(minutes=130):
            self.note("t_s", "local time")
        elif timedelta() <= abs(early) <= timedelta(minutes=15):
            self.note("t_s", "UTC, or data begins here")

    def as_dict(self) -> dict[str, list[str]]:
        """Return what was seen."""
        return {fact: sorted(variants) for fact, variants in sorted(self._seen.items())}


def form_of(value: object) -> str:
    """Return the form of a value: its type, and of a text that is a time, its pattern."""
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(_ID.sub("<id>", str(k))[:20] for k in value)) + "}"
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        return re.sub(r"\d", "9", value)[:32]
    return type(value).__name__
