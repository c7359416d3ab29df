"""How far the history of each flow has come; survives restarts.

The recorder is the only memory of sums. What is kept beside it are hints: up to where
each history was fetched (a window without data leaves no row to tell), and which row
was the newest (if the database has an older one, it was cleared or restored).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import nlargest
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..metering.flows import Flow
from ..metering.hours import HOUR
from ..metering.reconcile import StatisticRow
from ..storage import PROGRESS, entry_store
from .stored import mapping_of, readable

SAVE_DELAY: Final = 60
"""Seconds after the first change: a later one does not put it off."""

MAX_HINTS: Final = 2000
"""So many series that are not looked at now are remembered, those known longest last."""

_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SeriesProgress:
    """Up to where one history is complete."""

    until: datetime
    newest: datetime | None = None
    """The hour of its newest row, if it has any."""
    unit: str | None = None
    """In what its rows are measured; None where that is not known."""
    first: datetime = _EVER
    """The hour at which the history starts. Not stored: the site tells it."""

    @property
    def rows_until(self) -> datetime:
        """Return the hour behind the newest row, or the first hour without rows."""
        return self.newest + HOUR if self.newest else self.first

    @property
    def trusted(self) -> SeriesProgress:
        """Return it as far as it can be true.

        A mark that is later than now was made by a clock that stood ahead: what was
        found empty then had not happened yet. Only the rows count.
        """
        if self.until <= dt_util.utcnow() + HOUR:
            return self
        return replace(self, until=self.rows_until)

    def as_dict(self) -> dict[str, str | None]:
        """Return it as it is stored."""
        return {
            "until": self.until.isoformat(),
            "newest": self.newest.isoformat() if self.newest else None,
            "unit": self.unit,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SeriesProgress:
        """Return what was stored. Raises KeyError, TypeError or ValueError."""
        return cls(
            _hour(data["until"]),
            _hour(data["newest"]) if data.get("newest") else None,
            data.get("unit"),
        )


_NOTHING: Final = SeriesProgress(_EVER)
"""What is known of a history that was never looked at."""


def _hour(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class HistoryProgress:
    """Knows up to which hour each flow's statistic is complete."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Remember for one config entry."""
        self._store = entry_store(hass, entry_id, PROGRESS)
        self._hints: dict[str, SeriesProgress] = {}
        """Of flows that are not open, by their keys."""
        self._marks: dict[Flow, SeriesProgress] = {}
        """Of flows that are open."""
        self._foreign: dict[str, str] = {}
        self._second: frozenset[str] = frozenset()
        self._saving = False
        self._closed = False

    async def async_load(self) -> None:
        """Load the hints; unreadable ones are as good as none."""
        stored = await self._store.async_load() or {}
        self._hints = dict(readable(stored.get("flows"), SeriesProgress.from_dict))
        self._foreign = dict(mapping_of(stored.get("foreign")))
        second = stored.get("second")
        self._second = frozenset(second if isinstance(second, list) else ())

    async def async_close(self) -> None:
        """Save for the last time.

        An import may still be writing a window then: the database tells it next time.
        Saved later, it would overwrite what a reloaded or removed entry has made of it.
        """
        self._closed = True
        await self._store.async_save(self._as_dict())

    @property
    def foreign(self) -> Mapping[str, str]:
        """Return the owners whose statistics another entry writes, and which it is."""
        return self._foreign

    @property
    def second(self) -> frozenset[str]:
        """Return the owners whose id came second where two have one slug."""
        return self._second

    @callback
    def note_owners(self, foreign: Mapping[str, str], second: Iterable[str]) -> None:
        """Note which statistics are written elsewhere, and which under other ids."""
        if (dict(foreign), frozenset(second)) != (self._foreign, self._second):
            self._foreign, self._second = dict(foreign), frozenset(second)
            self._save()

    def had_rows(self, flow: Flow) -> bool:
        """Return whether the flow had rows when it was last looked at."""
        return self._known(flow).newest is not None

    def is_other_unit(self, flow: Flow) -> bool:
        """Return whether the rows of a flow are known to be measured in another unit.

        Not so where the cloud just says less than it did: of an unknown medium the unit
        is not known either.
        """
        units = filter(None, (self.unit(flow), flow.unit))
        return len(set(units)) > 1

    def unit(self, flow: Flow) -> str | None:
        """Return in what the rows of a flow are measured, if that is known."""
        return self._known(flow).unit

    @callback
    def open(self, flow: Flow, first: datetime, newest: StatisticRow | None) -> None:
        """Begin with a flow whose history starts at `first`.

        `newest` is what the database has; the hint counts only if it has no less than
        it had.
        """
        is_other_unit = self.is_other_unit(flow)
        unit = flow.unit or self.unit(flow)
        hint = replace(self._hints.pop(flow.key, _NOTHING), first=first)
        rows = SeriesProgress(first, _hour_of(newest), unit, first)
        until = rows.rows_until
        if not is_other_unit and _still_there(hint, newest):
            until = max(until, hint.trusted.until)
        self._marks[flow] = replace(rows, until=until)

    @callback
    def close(self, flow: Flow) -> None:
        """Look no longer at a flow, but remember how far it had come."""
        self._hints[flow.key] = self._marks.pop(flow)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Return the flows that are open."""
        return tuple(self._marks)

    def is_open(self, flow: Flow) -> bool:
        """Return whether the flow has been opened."""
        return flow in self._marks

    def until(self, flow: Flow) -> datetime:
        """Return the hour from which on the flow's history is not known, in UTC.

        That is now of a flow that is not open: nothing of it is to be looked for.
        """
        mark = self._marks.get(flow)
        return mark.trusted.until if mark else dt_util.utcnow()

    def newest(self, flow: Flow) -> datetime | None:
        """Return the hour of the newest row, in UTC."""
        return self._mark(flow).newest

    def is_complete(self, flow: Flow, until: datetime) -> bool:
        """Return whether the history of a flow is known up to `until`."""
        return self.is_open(flow) and self.until(flow) >= until

    @callback
    def advance(self, flow: Flow, until: datetime) -> None:
        """Note that all is known before `until`, of which no later than now counts."""
        known = max(self.until(flow), min(until, dt_util.utcnow()))
        self._set(flow, replace(self._mark(flow), until=known))

    @callback
    def note(self, flow: Flow, newest: StatisticRow | None) -> None:
        """Note which row is the newest."""
        self._set(flow, replace(self._mark(flow), newest=_hour_of(newest)))

    @callback
    def rewind(self, flow: Flow, newest: StatisticRow | None = None) -> None:
        """Start again behind the newest row, or at the first hour: rows are gone."""
        rows = replace(self._mark(flow), newest=_hour_of(newest))
        self._set(flow, replace(rows, until=rows.rows_until))

    def _mark(self, flow: Flow) -> SeriesProgress:
        return self._marks.get(flow, _NOTHING)

    def _known(self, flow: Flow) -> SeriesProgress:
        """Return the mark of a flow, or what was known when it was last looked at."""
        return self._marks.get(flow) or self._hints.get(flow.key, _NOTHING)

    def _set(self, flow: Flow, mark: SeriesProgress) -> None:
        """Let a flow have another mark, unless it was closed meanwhile."""
        if self.is_open(flow) and mark != self._marks[flow]:
            self._marks[flow] = mark
            self._save()

    def _save(self) -> None:
        if not self._closed and not self._saving:
            self._saving = True
            self._store.async_delay_save(self._data_to_save, SAVE_DELAY)

    @callback
    def _data_to_save(self) -> dict[str, Any]:
        self._saving = False
        return self._as_dict()

    @callback
    def _as_dict(self) -> dict[str, Any]:
        open_ = {flow.key: mark.trusted for flow, mark in self._marks.items()}
        hints = self._hints.items()
        kept = nlargest(MAX_HINTS, hints, key=lambda hint: hint[1].until)
        marks = dict(kept) | open_
        return {
            "flows": {key: mark.as_dict() for key, mark in marks.items()},
            "foreign": dict(self._foreign),
            "second": sorted(self._second),
        }


def _hour_of(row: StatisticRow | None) -> datetime | None:
    return row.start if row else None


def _still_there(hint: SeriesProgress, newest: StatisticRow | None) -> bool:
    """Return whether the database has no less than it had when the hint was saved."""
    if hint.newest is None:
        return True
    return newest is not None and newest.start >= hint.newest
