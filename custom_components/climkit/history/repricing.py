"""Prices stored energy anew where tariffs, days off or archived prices have changed.

From the first hour that is priced otherwise, and not a row earlier. In the background,
one series at a time, again and again until the recorder serves; what is still to be done
is kept over a restart.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..metering.hours import HOUR, hour_of
from ..metering.tariffs import Tariffs, first_difference, first_fee_difference
from ..statistics.queries import async_read, newest_rows
from ..statistics.updates import RecorderError, Span
from ..statistics.writer import StatisticsWriter
from .priced_site import PricedSeries, PricedSite

BEFORE: Final = timedelta(days=10 * 366)
"""So long before the beginning of a site's history there may still be older rows."""


class Repricing:
    """What is to be priced anew, and doing it."""

    def __init__(
        self, hass: HomeAssistant, priced: PricedSite, changed: Callable[[], None]
    ) -> None:
        """Price anew for one site; `changed` is called when there is other work left."""
        self.fees_due = False
        """Whether an hour may be over whose fees have no row."""
        self._hass = hass
        self._site = priced
        self._changed = changed
        self._writer = StatisticsWriter(hass)
        self._todo: dict[str, Span] = {}
        self._doing: dict[str, Span] = {}
        self._announced: dict[str, str | None] = {}

    @property
    def has_work(self) -> bool:
        """Return whether something is to be done."""
        return bool(self._todo) or self.fees_due or bool(self._unannounced())

    def as_dict(self) -> dict[str, list[str]]:
        """Return what is still to be done, as plain data."""
        return {
            id_: [start.isoformat(), end.isoformat()]
            for id_, (start, end) in self._with(self._todo, self._doing).items()
        }

    @staticmethod
    def _with(todo: Mapping[str, Span], more: Mapping[str, Span]) -> dict[str, Span]:
        joined = dict(todo)
        for id_, span in more.items():
            start, end = joined.get(id_, span)
            joined[id_] = min(start, span[0]), max(end, span[1])
        return joined

    def recall(self, data: Mapping[str, Any]) -> None:
        """Go on with what `as_dict` told."""
        for id_, (start, end) in data.items():
            span = datetime.fromisoformat(start), datetime.fromisoformat(end)
            self.add(id_, span)

    @callback
    def add(self, id_: str, span: Span) -> None:
        """Have a span of a series priced anew."""
        self._todo = self._with(self._todo, {id_: span})
        self._changed()

    @callback
    def add_missing(self) -> None:
        """Have the statistics derived anew that do not exist: somebody cleared them."""
        missing = self._site.statistics.derived_missing
        for priced in self._site.series() if missing else ():
            if priced.statistic_id in missing:
                missing.discard(priced.statistic_id)
                self._announced.pop(priced.statistic_id, None)
                self.add(priced.statistic_id, self._ever())

    def _ever(self) -> Span:
        """Return all time up to now, in which energy may be stored."""
        return self._site.site.data.beginning - BEFORE, dt_util.utcnow()

    async def async_compare(self, old: Tariffs, new: Tariffs) -> None:
        """Have all series priced anew that other tariffs price otherwise."""
        possible = self._site.possible()
        starts = await self._hass.async_add_executor_job(
            _first_differences, old, new, possible, self._ever()
        )
        for priced, start in starts.items():
            id_ = self._site.identified(priced).statistic_id
            self.add(id_, (hour_of(start), dt_util.utcnow()))

    # --- Doing it -----------------------------------------------------------------

    def _unannounced(self) -> list[PricedSeries]:
        return [
            priced
            for priced in self._site.series()
            if self._announced.get(priced.statistic_id) != self._name(priced)
        ]

    def _name(self, priced: PricedSeries) -> str | None:
        return self._site.derived(priced).metadata["name"]

    async def async_announce(self) -> None:
        """Return when the database has all that has costs. Raises RecorderError."""
        wanted = self._unannounced()
        await self._writer.async_ensure(
            [self._site.derived(priced).metadata for priced in wanted]
        )
        self._announced |= {each.statistic_id: self._name(each) for each in wanted}

    async def async_work(self) -> None:
        """Do one thing of what is to be done. Raises RecorderError."""
        if self._unannounced():
            await self.async_announce()
        elif self.fees_due:
            self.fees_due = False
            try:
                await self._async_write_fees()
            except RecorderError:
                self.fees_due = True
                raise
        elif self._todo:
            await self._async_reprice_next()

    async def _async_reprice_next(self) -> None:
        known = {
            priced.statistic_id: priced
            for priced in map(self._site.identified, self._site.possible())
        }
        id_ = next((id_ for id_ in known if id_ in self._todo), None)
        if id_ is None:
            self._todo.clear()  # of meters that are gone
            return
        # What is added meanwhile, by newer tariffs, is another thing to do.
        self._doing = {id_: self._todo.pop(id_)}
        try:
            await self._async_reprice(known[id_], self._doing[id_])
        except RecorderError:
            self._todo = self._with(self._todo, self._doing)
            raise
        self._doing = {}

    async def _async_reprice(self, priced: PricedSeries, span: Span) -> None:
        start, end = span
        derived = self._site.derived(priced)
        present = hour_of(dt_util.utcnow())
        if not priced.flows:
            start = max(start, self._site.site.data.beginning)
            end = min(end, present)
        else:
            end = min(hour_of(end) + HOUR, present + HOUR)
        self._site.coarse.remove(priced.statistic_id, (start, end))  # told anew
        await self._site.statistics.async_rederive(derived, start, end)

    async def _async_write_fees(self) -> None:
        """Write the fees of hours that are over: from behind the newest row on."""
        present = hour_of(dt_util.utcnow())
        fees = [priced for priced in self._site.series() if not priced.flows]
        ids = [priced.statistic_id for priced in fees]
        tails = await async_read(self._hass, newest_rows, ids)
        for priced in fees:
            tail = tails[priced.statistic_id]
            start = tail[-1].start + HOUR if tail else self._site.site.data.beginning
            if start < present:
                await self._async_reprice(priced, (start, present))


def _first_differences(
    old: Tariffs, new: Tariffs, possible: tuple[PricedSeries, ...], span: Span
) -> dict[PricedSeries, datetime]:
    """Return from when on each series is priced otherwise; none of those that are not.

    Years of hours may have to be compared: not in the event loop.
    """
    found: dict[PricedSeries, datetime] = {}
    for priced in possible:
        if priced.is_priced_by(old) or priced.is_priced_by(new):
            differences = _differences(old, new, priced, span)
            if first := min(filter(None, differences), default=None):
                found[priced] = first
    return found


def _differences(
    old: Tariffs, new: Tariffs, priced: PricedSeries, span: Span
) -> list[datetime | None]:
    """Return from when on each price of a series, or its fee, is another."""
    since, until = span
    meter_id = priced.meter_id
    if not priced.flows:
        return [first_fee_difference(old, new, meter_id, since=since, until=until)]
    return [
        first_difference(old, new, component, meter_id, since=since, until=until)
        for component in priced.series.components
    ]
