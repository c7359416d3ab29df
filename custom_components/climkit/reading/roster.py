"""Lists that the cloud gives once a day: who is missing in one may only be forgotten.

Pure, but for what it remembers. A meter, or a sensor, that a list lacks is kept until it
was missing in several lists, over more than a day.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Absence:
    since: datetime
    lists: int = 0


@dataclass(slots=True)
class Roster[T: Listed]:
    """Who was listed, and who is thought to be there still."""

    present: dict[str, T] = field(default_factory=dict)
    missing: dict[str, _Absence] = field(default_factory=dict)
    _short: int = 0

    def listed(self, some: Iterable[T], now: datetime) -> tuple[T, ...]:
        """Take a new list, and return everybody: those listed, then those missed."""
        found = {one.id: one for one in some}
        for id_ in found.keys() & self.missing.keys():
            del self.missing[id_]
        for id_ in [id_ for id_ in self.present if id_ not in found]:
            absence = self.missing.setdefault(id_, _Absence(now))
            absence.lists += 1
            if absence.lists >= LISTS and now - absence.since > LASTING:
                del self.missing[id_]
                continue
            found[id_] = self.present[id_]
        self._short = self._short + 1 if self.missing else 0
        self.present = found
        return tuple(found.values())

    def again_after(self, usual: timedelta) -> timedelta:
        """Return when to ask for the list again: soon, while somebody is missing."""
        return min(usual, patience(self._short)) if self._short else usual
