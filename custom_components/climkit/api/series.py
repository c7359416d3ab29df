"""Rows of energies to columns, by the start of the interval in UTC."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import repeat
from typing import Any, Final
from zoneinfo import ZoneInfo

from .body import Body
from .column_values import ColumnValues
from .models import HOME_ZONE, Column, Resolution, Series, Span
from .parsers import timed_rows
from .values import amount, split_column

PADDING: Final = timedelta(hours=3)
"""How much more than wanted is asked for at both ends.

The documentation says that the cloud reads times as UTC, observation says that it
reads them as the site's local time. So more is asked for, and the rows decide.
"""

MOST_CELLS: Final = 20_000_000
"""More is no reply of a metering cloud: five years of 40 meters by hour are 5 million."""

HOME: Final = ZoneInfo(HOME_ZONE)  # here, as time zones are files

_QUARTER: Final = timedelta(minutes=15)
_SUMMER: Final = timedelta(hours=2)
"""The offset of summer time: how far midnight in UTC and local midnight can be apart."""
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


def asked_from(start: datetime, earliest: datetime | None) -> datetime:
    """Return from when on is asked: some hours more, unless that is too early."""
    padded = start - PADDING
    return max(padded, earliest or padded)


def interval_start(
    resolution: Resolution, label: datetime, zone: tzinfo
) -> datetime | None:
    """Return the start in UTC of the interval with this label; None if it is off the grid.

    The cloud labels quarter hours by their end, and everything else by its start. Days,
    months and years begin at midnight in `zone`, also where the label is that of UTC.
    """
    if label.second or label.microsecond:
        return None
    start = _STARTS[resolution](label, zone)
    return start and start.astimezone(UTC)


def _start_of_quarter(label: datetime, _: tzinfo) -> datetime | None:
    return None if label.minute % 15 else label - _QUARTER


def _start_of_hour(label: datetime, _: tzinfo) -> datetime | None:
    on_grid = not label.minute or not label.astimezone(UTC).minute
    return label if on_grid else None


def _start_of_day(label: datetime, zone: tzinfo) -> datetime | None:
    """Return the local midnight that is nearest, if it is near enough."""
    latest = label.astimezone(zone).replace(tzinfo=None) + _SUMMER
    midnight = datetime.combine(latest, datetime.min.time())
    if latest - midnight > 2 * _SUMMER or latest.minute:
        return None
    return midnight.replace(tzinfo=zone)


def _start_of_month(label: datetime, zone: tzinfo) -> datetime | None:
    start = _start_of_day(label, zone)
    return start if start and start.day == 1 else None


def _start_of_year(label: datetime, zone: tzinfo) -> datetime | None:
    start = _start_of_month(label, zone)
    return start if start and start.month == 1 else None


_STARTS: Final[Mapping[Resolution, Callable[[datetime, tzinfo], datetime | None]]] = {
    Resolution.QUARTER_HOUR: _start_of_quarter,
    Resolution.HOUR: _start_of_hour,
    Resolution.DAY: _start_of_day,
    Resolution.MONTH: _start_of_month,
    Resolution.YEAR: _start_of_year,
}


class _Columns:
    """Columns that grow row by row, all of the same length."""

    def __init__(self, body: Body, meter_id: str | None) -> None:
        self._body = body
        self._meter_id = meter_id
        self._columns: dict[str, ColumnValues] = {}
        self._starts: list[datetime] = []

    def append(self, start: datetime, row: dict[str, Any]) -> None:
        """Add a row; a key that was never there before becomes a column."""
        if len(row) != len(self._columns) + 1 or not row.keys() > self._columns.keys():
            self._add(row.keys() - self._columns.keys() - {"timestamp"})
        for key, values in self._columns.items():
            values.append(amount(row.get(key)))
        self._starts.append(start)
        if len(self._starts) * len(self._columns) > MOST_CELLS:
            raise self._body.error("more values than can be meant")

    def _add(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._columns[key] = ColumnValues(repeat(None, len(self._starts)))

    def in_order(self) -> tuple[tuple[datetime, ...], dict[Column, ColumnValues]]:
        """Return starts, ascending and each once, and columns; of repeated rows the last."""
        last = self._last_rows()
        starts = sorted(last)
        order = [last[start] for start in starts]
        is_in_order = starts == self._starts
        self._body.note("order", "ascending" if is_in_order else "other")
        return tuple(starts), {
            self._name(key): values if is_in_order else values.picked(order)
            for key, values in self._columns.items()
        }

    def _last_rows(self) -> Mapping[datetime, int]:
        """Return the last row of each start: what it does not say, is as in one before."""
        last: dict[datetime, int] = {}
        for index, start in enumerate(self._starts):
            if start in last:
                for values in self._columns.values():
                    values.fill(index, last[start])
            last[start] = index
        return last

    def _name(self, key: str) -> Column:
        meter_id, quantity = split_column(key)
        return Column(meter_id or self._meter_id, quantity)


def read_series(
    body: Body,
    resolution: Resolution,
    span: Span,
    meter_id: str | None = None,
    zone: tzinfo = HOME,
) -> Series:
    """Return the rows whose interval starts within a span as columns.

    `meter_id` is whose the columns are that do not say it themselves; None for the
    site. `zone` is the site's. Raises ClimkitResponseError if there are rows, but not
    one with a readable time.
    """
    columns = _Columns(body, meter_id)
    earliest = _LATEST
    rows = 0
    for label, row in timed_rows(body):
        rows += 1
        earliest = min(label, earliest)
        start = interval_start(resolution, label, zone)
        if start is None:
            body.dropped += 1
        elif start in span:
            columns.append(start, row)
    if rows:
        _note_reading(
            body, resolution, earliest - asked_from(span.start, span.earliest)
        )
    starts, values = columns.in_order()
    return Series(resolution, starts, values, body.dropped, rows)


def _note_reading(body: Body, resolution: Resolution, lead: timedelta) -> None:
    """Note how the cloud must have read `t_s`, by when the first row came after it."""
    if resolution is Resolution.QUARTER_HOUR:
        body.note("t_s read as", _reading(lead))


def _reading(lead: timedelta) -> str:
    if timedelta(0) <= lead <= _QUARTER:
        return "UTC"
    if -_SUMMER <= lead <= -3 * _QUARTER:
        return "local"
    return "unknown"
