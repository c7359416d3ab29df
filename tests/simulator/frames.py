"""Periods of quarter hours: the model summed up to hours, days, months and years.

Works month by month, so that long histories need little memory; sums of whole,
published months are kept, because everybody asks for them again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import isnan
from typing import override

import numpy as np

from . import model
from .effects import Effect, Outage
from .hashing import Floats, Integers
from .local_time import bins, moment_of, month_start, months
from .measured import Site

type MonthKey = tuple[object, ...]
type MonthSums = dict[MonthKey, tuple[tuple[str, ...], Floats]]


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows of a table: periods down, columns across."""

    starts: Integers
    """UTC seconds at which the periods begin, also where only a part is summed."""
    names: tuple[str, ...]
    values: Floats
    """A row per column, a value per period; NaN is not known."""

    def __len__(self) -> int:
        return len(self.starts)

    def only(self, names: Sequence[str]) -> Frame:
        """Return the same periods with some of the columns."""
        rows = [self.names.index(name) for name in names]
        return Frame(self.starts, tuple(names), self.values[rows])


EMPTY = Frame(np.zeros(0, dtype=np.int64), (), np.zeros((0, 0)))


@dataclass(frozen=True, slots=True)
class Query:
    """Which quarters of a meter type are wanted, and as known when."""

    meter_type: str
    resolution: str
    first: int
    last: int
    """The quarter after the last one."""
    at: datetime | None = None
    zeros: int = 0
    """So many quarters follow that are not published: rows of zeros."""


def frame(site: Site, query: Query, kept: MonthSums) -> Frame:
    """Return the periods of a query; those without any quarter are not in it."""
    if query.first >= query.last + query.zeros:
        return EMPTY
    if query.resolution == "Y":
        by_month = _Parts(site, query, "M", kept).frame()
        return _years(by_month, site.time_zone)
    return _Parts(site, query, query.resolution, kept).frame()


class _Parts:
    """The local months that a query is worked off in."""

    def __init__(
        self, site: Site, query: Query, resolution: str, kept: MonthSums
    ) -> None:
        self._site = site
        self._query = query
        self._resolution = resolution
        self._kept = kept
        self._truth = (
            *(site.seed, site.night_dust, site.time_zone),
            *(meter.fingerprint for meter in site.meters),
        )

    def frame(self) -> Frame:
        """Return all parts in one."""
        query, zone = self._query, self._site.time_zone
        end = query.last + query.zeros
        edges = np.array([query.first, end - 1], dtype=np.int64)
        first_month, last_month = months(edges, zone)
        found = []
        for month in range(int(first_month), int(last_month) + 1):
            begin, after = month_start(month, zone), month_start(month + 1, zone)
            whole = query.first <= begin and after <= query.last
            if whole and self._resolution == "M":
                found.append(self._whole_month(month, begin, after))
            else:
                found.append(self._part(max(begin, query.first), min(after, end)))
        found = [part for part in found if len(part)]
        if not found:
            return EMPTY
        return Frame(
            np.concatenate([part.starts for part in found]),
            found[0].names,
            np.concatenate([part.values for part in found], axis=1),
        )

    def _whole_month(self, month: int, begin: int, after: int) -> Frame:
        state = tuple(
            (effect, effect.is_past(self._query.at))
            for effect in self._site.effects
            if effect.overlaps(begin, after)
        )
        key = (self._query.meter_type, month, self._truth, state)
        if (sums := self._kept.get(key)) is None:
            part = self._part(begin, after)
            sums = self._kept[key] = (part.names, part.values)
        if not sums[1].size:
            return EMPTY
        starts, _ = _starts(np.array([begin]), "M", self._site.time_zone)
        return Frame(starts, *sums)

    def _part(self, first: int, last: int) -> Frame:
        """Return a part that lies within one month."""
        site, query = self._site, self._query
        found = model.columns(site, query.meter_type, first, last, query.at)
        names = tuple(sorted(found))
        values = np.stack([found[name] for name in names])
        quarters = np.arange(first, last, dtype=np.int64)
        values[:, quarters >= query.last] = 0.0
        shown = ~_hidden(site.effects, quarters, query.at)
        if not shown.all():
            quarters, values = quarters[shown], values[:, shown]
        if not len(quarters):
            return EMPTY
        starts, begins = _starts(quarters, self._resolution, site.time_zone)
        return Frame(starts, names, _sums(values, begins))


def _starts(
    quarters: Integers, resolution: str, zone: str
) -> tuple[Integers, Integers]:
    begins, starts = bins(quarters, resolution, zone)
    return starts, begins


def _sums(values: Floats, begins: Integers) -> Floats:
    """Return sums from each beginning to the next; NaN only where nothing is known."""
    if len(begins) == values.shape[1]:
        return values
    unknown = np.isnan(values)
    if not unknown.any():
        return np.asarray(np.add.reduceat(values, begins, axis=1))
    sums = np.add.reduceat(np.where(unknown, 0.0, values), begins, axis=1)
    known = np.add.reduceat(~unknown, begins, axis=1, dtype=np.int64)
    return np.where(known > 0, sums, np.nan)


def _years(by_month: Frame, zone: str) -> Frame:
    if not len(by_month):
        return by_month
    starts, begins = _starts(by_month.starts // 900, "Y", zone)
    return Frame(starts, by_month.names, _sums(by_month.values, begins))


def _hidden(
    effects: Sequence[Effect], quarters: Integers, at: datetime | None
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which quarters are absent, because the whole site is out."""
    hidden = np.zeros(len(quarters), dtype=np.bool_)
    for effect in effects:
        if isinstance(effect, Outage) and effect.hides_rows and not effect.is_past(at):
            first, last = effect.quarters
            hidden |= (quarters >= first) & (quarters < last)
    return hidden


class Columns(Mapping[str, dict[datetime, float]]):
    """The known values of a table by wire column and UTC start.

    A column is made when it is asked for: of years and many columns, few are.
    """

    def __init__(self, table: Frame) -> None:
        """Show a table."""
        self._table = table
        self._made: dict[str, dict[datetime, float]] = {}

    @cached_property
    def _moments(self) -> list[datetime]:
        return [moment_of(second) for second in self._table.starts.tolist()]

    @override
    def __getitem__(self, name: str) -> dict[datetime, float]:
        if name not in self._made:
            if name not in self._table.names:
                raise KeyError(name)
            row = self._table.values[self._table.names.index(name)].tolist()
            pairs = zip(self._moments, row, strict=True)
            self._made[name] = {at: value for at, value in pairs if not isnan(value)}
        return self._made[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._table.names)

    @override
    def __len__(self) -> int:
        return len(self._table.names)
