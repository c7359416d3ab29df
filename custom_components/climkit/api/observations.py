"""Which of its possible forms the cloud was seen to use: for diagnostics, never a value."""

from collections import Counter
from datetime import timedelta
import re
from typing import Final

_MOST_TOPICS: Final = 200
_MOST_VARIANTS: Final = 40
_LONGEST: Final = 2000
_DIGITS: Final = re.compile(r"[0-9a-fA-F]{6,}")


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
