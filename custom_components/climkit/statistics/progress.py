"""How far the history of each flow has come; survives restarts.

The recorder is the only memory of sums. What is kept beside it are hints: up to where
each history was fetched (a window without data leaves no row to tell), and which row
was the newest (if the database has an older one, it was cleared or restored).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..metering.flows import Flow
from ..metering.hours import HOUR
from ..metering.reconcile import StatisticRow

VERSION: Final = 1
SAVE_DELAY: Final = 60


@dataclass(frozen=True, slots=True)
class _SeriesProgress:
    """Up to where one history is complete."""

    until: datetime
    newest: datetime | None

    def as_dict(self) -> dict[str, str | None]:
        return {
            "until": self.until.isoformat(),
            "newest": self.newest.isoformat() if self.newest else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> _SeriesProgress:
        return cls(
            datetime.fromisoformat(data["until"]),
            datetime.fromisoformat(data["newest"]) if data.get("newest") else None,
        )


class HistoryProgress:
    """Knows up to which hour each flow's statistic is complete."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Remember for one config entry."""
        self._store: Store[dict[str, Any]] = Store(
            hass, VERSION, f"{DOMAIN}.{entry_id}", private=True
        )
        self._hints: dict[str, _SeriesProgress] = {}
        self._marks: dict[Flow, _SeriesProgress] = {}
        self._first: dict[Flow, datetime] = {}
        self._closed = False

    async def async_load(self) -> None:
        """Load the hints; unreadable ones are as good as none."""
        stored = await self._store.async_load() or {}
        for key, data in stored.get("flows", {}).items():
            try:
                self._hints[key] = _SeriesProgress.from_dict(data)
            except KeyError, TypeError, ValueError:
                continue

    async def async_remove(self) -> None:
        """Forget everything, with the config entry."""
        await self._store.async_remove()

    async def async_close(self) -> None:
        """Save for the last time.

        An import may still be booking a window then: the database tells it next time.
        Saved later, it would overwrite what a reloaded or removed entry has made of it.
        """
        self._closed = True
        await self._store.async_save(self._as_dict())

    @callback
    def open(self, flow: Flow, first: datetime, newest: StatisticRow | None) -> None:
        """Begin with a flow whose history starts at `first`.

        `newest` is what the database has; the hint counts only if it has no less than
        it had.
        """
        self._first[flow] = first
        rows_until = newest.start + HOUR if newest else first
        hint = self._hints.get(flow.key)
        if hint and (
            hint.newest is None or (newest is not None and newest.start >= hint.newest)
        ):
            rows_until = max(rows_until, hint.until)
        self._marks[flow] = _SeriesProgress(
            rows_until, newest.start if newest else None
        )

    def is_open(self, flow: Flow) -> bool:
        """Return whether the flow has been opened."""
        return flow in self._marks

    def until(self, flow: Flow) -> datetime:
        """Return the hour from which on the flow's history is not known, in UTC."""
        return self._marks[flow].until

    def newest(self, flow: Flow) -> datetime | None:
        """Return the hour of the newest row, in UTC."""
        mark = self._marks.get(flow)
        return mark.newest if mark else None

    def is_complete(self, flow: Flow, until: datetime) -> bool:
        """Return whether the history of a flow is known up to `until`."""
        mark = self._marks.get(flow)
        return mark is not None and mark.until >= until

    @callback
    def advance(self, flow: Flow, until: datetime) -> None:
        """Note that all is known before `until`."""
        mark = self._marks[flow]
        self._set(flow, _SeriesProgress(max(mark.until, until), mark.newest))

    @callback
    def note(self, flow: Flow, newest: StatisticRow | None) -> None:
        """Note which row is the newest."""
        until = self._marks[flow].until
        self._set(flow, _SeriesProgress(until, newest.start if newest else None))

    @callback
    def rewind(self, flow: Flow, newest: StatisticRow | None) -> None:
        """Start again behind the newest row, or at the first hour: rows are gone."""
        until = newest.start + HOUR if newest else self._first[flow]
        self._set(flow, _SeriesProgress(until, newest.start if newest else None))

    def _set(self, flow: Flow, mark: _SeriesProgress) -> None:
        if mark != self._marks[flow]:
            self._marks[flow] = mark
            if not self._closed:
                self._store.async_delay_save(self._as_dict, SAVE_DELAY)

    @callback
    def _as_dict(self) -> dict[str, Any]:
        marks = self._hints | {flow.key: mark for flow, mark in self._marks.items()}
        return {"flows": {key: mark.as_dict() for key, mark in marks.items()}}
