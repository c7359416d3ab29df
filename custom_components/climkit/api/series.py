"""Rows of energies to columns, by the start of the interval in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .document import Document
from .models import Column, Resolution, Series
from .wire import amount, moment, moment_form, split_column

PADDING: Final = timedelta(hours=3)
"""How much more than wanted is asked for at both ends.

The documentation says that the cloud reads times as UTC, observation says that it
reads them as the site's local time. So more is asked for, and the rows decide.
"""

MOST_CELLS: Final = 20_000_000
"""More is no reply of a metering cloud: five years of 40 meters by hour are 5 million."""

_QUARTER: Final = timedelta(minutes=15)
_SUMMER: Final = timedelta(hours=2)


def interval_start(resolution: Resolution, label: datetime) -> datetime | None:
    """Return the start in UTC of the interval with this label; None if it is off the grid.

    The cloud labels quarter hours by their end, and everything else by its start.
    """
    if label.second or label.microsecond:
        return None
    time = label.astimezone(UTC)
    if resolution is Resolution.QUARTER_HOUR:
        return None if time.minute % 15 else time - _QUARTER
    if resolution is Resolution.HOUR:
        return None if label.minute and time.minute else time
    # A local midnight; where the label is in UTC, that of somewhere in western Europe.
    offset = label.utcoffset()
    local, latest = (label, 0) if offset else (label + _SUMMER, 2)
    if local.minute or local.hour > latest:
        return None
    off_month = resolution is Resolution.MONTH and local.day != 1
    off_year = resolution is Resolution.YEAR and (local.month, local.day) != (1, 1)
    return None if off_month or off_year else time


class _Columns:
    """Columns that grow row by row, all of the same length."""

    def __init__(self, meter_id: str | None) -> None:
        self._meter_id = meter_id
        self._columns: dict[str, list[float | None]] = {}
        self.starts: list[datetime] = []

    @property
    def cells(self) -> int:
        """Return how many values there are."""
        return len(self.starts) * len(self._columns)

    def append(self, start: datetime, row: dict[str, Any]) -> None:
        """Add a row; a key that was never there before becomes a column."""
        if len(row) != len(self._columns) + 1 or not row.keys() > self._columns.keys():
            for key in row.keys() - self._columns.keys() - {"timestamp"}:
                self._columns[key] = [None] * len(self.starts)
        for key, values in self._columns.items():
            values.append(amount(row.get(key)))
        self.starts.append(start)

    def in_order(self) -> tuple[tuple[datetime, ...], Mapping[Column, Any]]:
        """Return starts, ascending and each once, and columns; of repeated rows the last."""
        last = {start: index for index, start in enumerate(self.starts)}
        starts = sorted(last)
        order = [last[start] for start in starts]
        return tuple(starts), {
            self._name(key): tuple([values[index] for index in order])
            for key, values in self._columns.items()
        }

    def _name(self, key: str) -> Column:
        meter_id, quantity = split_column(key)
        return Column(meter_id or self._meter_id, quantity)


def read_series(
    document: Document,
    resolution: Resolution,
    start: datetime,
    end: datetime | None,
    meter_id: str | None = None,
) -> Series:
    """Return the rows with start <= interval start < end as columns.

    `meter_id` is whose the columns are that do not say it themselves; None for the
    site. Raises ClimkitResponseError if not one row has a readable time.
    """
    columns = _Columns(meter_id)
    earliest: datetime | None = None
    for row in document.items():
        stamp = row.get("timestamp") if isinstance(row, dict) else None
        if earliest is None:
            document.note("timestamp", moment_form(stamp))
        if (label := moment(stamp)) is None:
            document.dropped += 1
            continue
        earliest = min(label, earliest or label)
        if (begin := interval_start(resolution, label)) is None:
            document.dropped += 1
        elif start <= begin and (end is None or begin < end):
            columns.append(begin, row)
            if columns.cells > MOST_CELLS:
                raise document.error("more values than can be meant")
    if earliest is None and document.dropped:
        raise document.error(f"none of {document.dropped} rows has a readable time")
    if earliest is not None and resolution is Resolution.QUARTER_HOUR:
        document.note("t_s read as", _reading(earliest - (start - PADDING)))
    starts, values = columns.in_order()
    document.note("order", "ascending" if [*starts] == columns.starts else "other")
    return Series(resolution, starts, values, document.dropped)


def _reading(lead: timedelta) -> str:
    """Return how the cloud must have read `t_s`, by when the first row came after it."""
    if timedelta(0) <= lead <= _QUARTER:
        return "UTC"
    if -_SUMMER <= lead <= -3 * _QUARTER:
        return "local"
    return "unknown"
