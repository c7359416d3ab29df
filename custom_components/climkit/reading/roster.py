"""Lists that the cloud gives once a day: who is missing in one may only be forgotten.

Pure, but for what it remembers. A meter, or a sensor, that a list lacks is kept until it
was missing in several lists, over more than a day.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from .refusals import LASTING, patience

LISTS: Final = 3
"""Missing in so many lists, and for longer than a day, is gone."""


class Listed(Protocol):
    """Something with an id."""

    @property
    def id(self) -> str:
        """Return what it is known by."""


@dataclass(frozen=True, slots=True)
class _Absence:
    since: datetime
    lists: int = 0

    def once_more(self) -> _Absence:
        """Return it with one more list."""
        return replace(self, lists=self.lists + 1)

    def is_final(self, now: datetime) -> bool:
        """Return whether it has lasted: several lists, over more than a day."""
        return self.lists >= LISTS and now - self.since > LASTING


@dataclass(slots=True)
class Roster[T: Listed]:
    """Who was listed, and who is thought to be there still."""

    present: dict[str, T] = field(default_factory=dict)
    missing: dict[str, _Absence] = field(default_factory=dict)
    _short: int = 0

    def listed(self, some: Iterable[T], now: datetime) -> tuple[T, ...]:
        """Take a new list, and return everybody: those listed, then those missed."""
        found = {one.id: one for one in some}
        self.missing = self._missing(found.keys(), now)
        self._short = self._short + 1 if self.missing else 0
        self.present = found | {id_: self.present[id_] for id_ in self.missing}
        return tuple(self.present.values())

    def _missing(self, found: Collection[str], now: datetime) -> dict[str, _Absence]:
        """Return who is not found, though thought to be there still."""
        absent = {
            id_: self._absence(id_, now).once_more()
            for id_ in self.present
            if id_ not in found
        }
        return {id_: a for id_, a in absent.items() if not a.is_final(now)}

    def _absence(self, id_: str, now: datetime) -> _Absence:
        return self.missing.get(id_) or _Absence(now)

    def again_after(self, usual: timedelta) -> timedelta:
        """Return when to ask for the list again: soon, while somebody is missing."""
        return min(usual, patience(self._short)) if self._short else usual
