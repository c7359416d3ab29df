"""Rows of data as the cloud sends them: labels, rounding and columns over the model."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan

import numpy as np

from .frames import Frame
from .hashing import Floats, Integers
from .local_time import (
    DAY,
    QUARTER,
    bins,
    moment_of,
    month_start,
    months,
    offsets,
    quarter_at_or_after,
    quarter_at_or_before,
)
from .meters import SimulatedMeter
from .model import register
from .quirks import Quirks
from .site import SimulatedSite
from .timestamps import written

type Rows = list[dict[str, object]]

_STORAGE = (
    "storage_charging_self",
    "storage_charging_total",
    "storage_discharging_total",
)
_CELLS_AT_ONCE = 10_000
_WITH_PLANT = frozenset({"prod_total", "self", "to_ext"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants: a window (aware), a resolution, and when it is asked."""

    start: datetime
    end: datetime
    resolution: str
    at: datetime


def site_rows(
    site: SimulatedSite,
    meter_type: str,
    asked: Asked,
    quirks: Quirks,
    visible: Collection[str] | None,
) -> Rows:
    """Return what site_data sends; `visible` are the meters whose columns may be seen."""
    table = _frame(site, meter_type, asked, quirks)
    names = [
        name
        for name in table.names
        if _is_sent(site, meter_type, name, quirks)
        and (visible is None or len(name) < 24 or name[-24:] in visible)
        and name[-24:] not in quirks.without_columns
    ]
    return _rows(site, table.only(names), asked, quirks)


def meter_rows(
    site: SimulatedSite, meter: SimulatedMeter, asked: Asked, quirks: Quirks
) -> Rows:
    """Return what meter_data sends: total, and self and ext where there is a share."""
    if not meter.is_measuring or not meter.has_column:
        if quirks.introduction_rows == "empty" or meter.mode != "introduction":
            return []
        table = _frame(site, meter.type, asked, quirks)
        return _rows(site, _renamed(table, {"from_ext": "total"}), asked, quirks)
    table = _frame(site, meter.type, asked, quirks)
    names = {f"{kind}_{meter.id}": kind for kind in ("ext", "self", "total")}
    kept = {name: names[name] for name in table.names if name in names}
    return _rows(site, _renamed(table, kept), asked, quirks)


def raw_rows(
    site: SimulatedSite, meter: SimulatedMeter, asked: Asked, quirks: Quirks
) -> Rows:
    """Return what meter_data_raw sends: the register at the end of each quarter."""
    begin = quarter_at_or_after(site.first_data or site.created)
    first = max(quarter_at_or_after(asked.start), begin)
    last = min(quarter_at_or_before(asked.end), site.horizon(meter.type, asked.at))
    if first >= last:
        return []
    counted = register(site, meter, first if meter.differential else begin, last)
    if not meter.differential:
        offset = 100.0 * (sum(meter.id.encode()) % 97)
        counted = {
            key: np.cumsum(row)[first - begin :] + (offset if row.any() else 0.0)
            for key, row in counted.items()
        }
    labels = np.arange(first + 1, last + 1, dtype=np.int64) * QUARTER
    table = Frame(labels, tuple(counted), np.stack(list(counted.values())))
    return _assembled(site, table, labels, quirks, quirks.raw_timestamps)


def _frame(site: SimulatedSite, meter_type: str, asked: Asked, quirks: Quirks) -> Frame:
    """Return the model's periods for a request, edges as the quirks have them."""
    start, end = asked.start, asked.end
    if quirks.whole_periods and asked.resolution != "15T":
        start, end = _widened(start, end, asked.resolution, site.time_zone)
    elif asked.resolution == "15T":
        if quirks.includes_start and start.timestamp() % QUARTER == 0:
            start -= timedelta(seconds=QUARTER)
        if not quirks.includes_end:
            end -= timedelta(seconds=1)
    table = site.frame(
        *(meter_type, asked.resolution, start, end, asked.at), zeros=quirks.zero_rows
    )
    future = quirks.future_rows if asked.resolution == "15T" else 0
    return _with_zeros_behind(table, future) if len(table) else table


def _with_zeros_behind(table: Frame, count: int) -> Frame:
    """Return the quarters with so many more, in which nothing flows."""
    starts = table.starts[-1] + QUARTER * np.arange(1, count + 1, dtype=np.int64)
    zeros = np.zeros((len(table.names), count))
    return Frame(
        np.concatenate([table.starts, starts]),
        table.names,
        np.concatenate([table.values, zeros], axis=1),
    )


def _widened(
    start: datetime, end: datetime, resolution: str, zone: str
) -> tuple[datetime, datetime]:
    """Return the window widened to whole hours, days, months or years."""
    edges = np.array(
        [quarter_at_or_after(start), quarter_at_or_after(end) - 1], dtype=np.int64
    )
    first = moment_of(int(bins(edges[:1], resolution, zone)[1][0]))
    if resolution in ("M", "Y"):
        month = int(months(edges[1:], zone)[0])
        after = month + 1 if resolution == "M" else month // 12 * 12 + 12
        return first, moment_of(month_start(after, zone) * QUARTER)
    length = 3600 if resolution == "H" else 86_400
    begin = int(bins(edges[1:], resolution, zone)[1][0])
    # The day after may begin an hour earlier or later than 24 h from here.
    after_next = np.array([(begin + length + length // 12) // QUARTER], dtype=np.int64)
    return first, moment_of(int(bins(after_next, resolution, zone)[1][0]))


def _is_sent(site: SimulatedSite, meter_type: str, name: str, quirks: Quirks) -> bool:
    if meter_type == "charge_point" and not quirks.charge_point_shares:
        return name.startswith(("conso", "total"))
    if meter_type != "electricity":
        return True
    modes = {meter.mode for meter in site.meters if meter.type == "electricity"}
    if name in _STORAGE and quirks.storage_columns != "always":
        return quirks.storage_columns == "with_battery" and "battery" in modes
    if quirks.lean_columns and "production" not in modes:
        return name not in _WITH_PLANT and not name.startswith(("self_", "ext_"))
    return True


def _renamed(table: Frame, names: dict[str, str]) -> Frame:
    if not len(table):
        return table
    found = table.only(tuple(names))
    return Frame(found.starts, tuple(names.values()), found.values)


def _rows(site: SimulatedSite, table: Frame, asked: Asked, quirks: Quirks) -> Rows:
    """Return rows, 15T labelled by the end of the interval, the rest by its start."""
    if asked.resolution == "M" and quirks.month_factor != 1.0:
        table = Frame(table.starts, table.names, table.values * quirks.month_factor)
    labels, form = table.starts, quirks.timestamps
    if asked.resolution == "15T":
        labels = labels + QUARTER
    elif asked.resolution == "M" and quirks.months_by_last_day:
        zone = site.time_zone
        after = [month_start(int(n) + 1, zone) for n in months(labels // QUARTER, zone)]
        labels = np.array(after, dtype=np.int64) * QUARTER - DAY
    elif asked.resolution != "H" and quirks.midnights == "utc":
        labels, form = labels + offsets(labels // QUARTER, site.time_zone), "utc"
    return _assembled(site, table, labels, quirks, form)


def _assembled(
    site: SimulatedSite, table: Frame, labels: Integers, quirks: Quirks, form: str
) -> Rows:
    values = _rounded(table.values, quirks.decimals)
    texts = written(labels, site.time_zone, form)
    names = table.names
    rows: Rows = []
    # In blocks, so that this thread never keeps the others waiting for long.
    block = max(_CELLS_AT_ONCE // max(len(names), 1), 1)
    for begin in range(0, len(texts), block):
        numbers = values[:, begin : begin + block].T.tolist()
        for some, text in zip(numbers, texts[begin : begin + block], strict=True):
            row: dict[str, object] = dict(zip(names, some, strict=True))
            row["timestamp"] = text
            rows.append(row)
    if np.isnan(values).any():
        rows = [_with_nulls(row) for row in rows]
    if quirks.numbers == "string":
        rows = [_as_strings(row) for row in rows]
    return rows


def _rounded(values: Floats, decimals: int | None) -> Floats:
    if decimals is None:
        return values
    return np.round(values, decimals) + 0.0  # no -0.0


def _with_nulls(row: dict[str, object]) -> dict[str, object]:
    return {k: None if isinstance(v, float) and isnan(v) else v for k, v in row.items()}


def _as_strings(row: dict[str, object]) -> dict[str, object]:
    return {k: str(v) if isinstance(v, float) else v for k, v in row.items()}
