"""Prices stored energy anew where tariffs, days off or archived prices have changed.

From the first hour that is priced otherwise, and not a row earlier. In the background,
one series at a time, again and again until the recorder serves; what is still to be done
is kept over a restart.
"""

from collections.abc import Callable, Iterable, Mapping, Set as AbstractSet
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..metering.changed_prices import changed_spans
from ..metering.hours import HOUR, hour_of
from ..metering.spans import Span, merged, parts_within
from ..metering.tariffs import Tariffs, first_fee_difference
from ..statistics.queries import async_read, newest_rows, stored_metadata
from ..statistics.updates import Derived, RecorderError
from ..statistics.writer import StatisticsWriter
from .priced_site import PricedSeries, PricedSite

BEFORE: Final = timedelta(days=10 * 366)
"""So long before the beginning of a site's history there may still be older rows."""

type Spans = tuple[Span, ...]
"""Of whole hours, oldest first; those of years may be thousands, and are shared."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
        self._todo: dict[str, Spans] = {}
        self._doing: dict[str, Spans] = {}
        self._announced: dict[str, str | None] = {}

    @property
    def has_work(self) -> bool:
        """Return whether something is to be done."""
        return bool(self._todo) or self.fees_due or bool(self._unannounced())

    def as_list(self) -> list[list[list[Any]]]:
        """Return what is still to be done, as plain data.

        Statistics for which the same is to be done are told together, hours by their
        number since 1970: there may be many of both.
        """
        together: dict[int, tuple[list[str], Spans]] = {}
        for id_, spans in self._with(self._todo, self._doing).items():
            together.setdefault(id(spans), ([], spans))[0].append(id_)
        return [[ids, _as_numbers(spans)] for ids, spans in together.values()]

    @staticmethod
    def _with(todo: Mapping[str, Spans], more: Mapping[str, Spans]) -> dict[str, Spans]:
        joined = dict(todo)
        for id_, spans in more.items():
            known = joined.get(id_)
            joined[id_] = tuple(merged((*known, *spans))) if known else spans
        return joined

    def recall(self, data: Iterable[tuple[list[str], list[int]]]) -> None:
        """Go on with what `as_list` told. Raises TypeError or ValueError."""
        for ids, numbers in data:
            spans = _as_spans(numbers)
            self._todo = self._with(self._todo, dict.fromkeys(ids, spans))
        self._changed()

    @callback
    def add(self, id_: str, span: Span) -> None:
        """Have all hours of which a series has some in a span priced anew."""
        start, end = span
        whole = hour_of(start), hour_of(end - timedelta.resolution) + HOUR
        self._todo = self._with(self._todo, {id_: (whole,)})
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

    async def async_compare(
        self, old: Tariffs, new: Tariffs, known: AbstractSet[str]
    ) -> bool:
        """Have all series priced anew that other tariffs price otherwise, if any is.

        And all of those that were not `known`, by their ids: of a meter that was not
        chosen, energy may be stored whose costs nobody followed.
        """
        possible = self._site.all_identified()
        changed = await self._hass.async_add_executor_job(
            _Comparison(old, new, self._ever()).of, possible
        )
        self._todo = self._with(self._todo, changed)
        priced_now = {each.statistic_id for each in possible if each.is_priced_by(new)}
        unknown = priced_now - known
        for id_ in unknown:
            self.add(id_, self._ever())
        return bool(changed or unknown)

    # --- Doing it -----------------------------------------------------------------

    def _unannounced(self) -> dict[str, Derived]:
        """Return what the database does not have, or not under its name of now."""
        return {
            derived.id: derived
            for derived in map(self._site.derived, self._site.series())
            if self._announced.get(derived.id) != derived.metadata["name"]
        }

    async def async_announce(self) -> None:
        """Return when the database has all that has costs. Raises RecorderError."""
        wanted = self._unannounced()
        known = await async_read(self._hass, stored_metadata, tuple(wanted))
        for id_ in wanted.keys() - known.keys():
            self.add(id_, self._ever())  # it is new, or somebody cleared it
        metadata = [derived.metadata for derived in wanted.values()]
        await self._writer.async_ensure(metadata)
        self._announced |= {some["statistic_id"]: some["name"] for some in metadata}

    async def async_work(self) -> None:
        """Do one thing of what is to be done. Raises RecorderError."""
        if self._unannounced():
            await self.async_announce()
        elif self.fees_due:
            await self._async_write_due_fees()
        elif self._todo:
            await self._async_reprice_next()

    async def _async_reprice_next(self) -> None:
        possible = self._site.all_identified()
        due = [priced for priced in possible if priced.statistic_id in self._todo]
        if not due:
            self._todo.clear()  # of meters that are gone
            return
        # What is added meanwhile, by newer tariffs, is another thing to do.
        id_ = due[0].statistic_id
        self._doing = {id_: self._todo.pop(id_)}
        try:
            await self._async_reprice(due[0], self._doing[id_])
            self._doing = {}
        finally:  # what could not be done is still to be done
            self._todo = self._with(self._todo, self._doing)
            self._doing = {}

    async def _async_reprice(self, priced: PricedSeries, spans: Spans) -> None:
        derived = self._site.derived(priced)
        first, end = spans[0][0], hour_of(dt_util.utcnow())
        if not priced.flows:
            first = max(first, self._site.site.data.beginning)
        else:
            end += HOUR
        parts = parts_within(spans, first, end)
        self._site.coarse.remove(priced.statistic_id, parts)  # told anew
        await self._site.statistics.async_rederive(derived, parts)

    async def _async_write_due_fees(self) -> None:
        self.fees_due = False  # and true again, if an hour ends meanwhile
        try:
            await self._async_write_fees()
        except RecorderError:
            self.fees_due = True
            raise

    async def _async_write_fees(self) -> None:
        """Write the fees of hours that are over: from behind the newest row on.

        A fee is due by the dates of its versions, and needs no energy: the first one may
        well begin before the readings do, of which the contract knows nothing.
        """
        present = hour_of(dt_util.utcnow())
        fees = {priced.statistic_id: priced for priced in self._site.fees()}
        tails = await async_read(self._hass, newest_rows, tuple(fees))
        for id_, tail in tails.items():
            start = tail[-1].start + HOUR if tail else self._site.site.data.beginning
            if start < present:
                await self._async_reprice(fees[id_], ((start, present),))


class _Comparison:
    """What other tariffs price otherwise.

    Years of hours may have to be compared: not in the event loop, and once for all
    meters that share their prices.
    """

    def __init__(self, old: Tariffs, new: Tariffs, span: Span) -> None:
        """Compare the prices, and the fees, of the hours in a span."""
        self._old = old
        self._new = new
        self._span = span
        self._spans_of = cache(changed_spans)

    def of(self, possible: Iterable[PricedSeries]) -> dict[str, Spans]:
        """Return the hours of each series, by id; none of those that stay the same."""
        changed = {
            priced.statistic_id: self._changed(priced)
            for priced in filter(self._has_price, possible)
        }
        return {id_: spans for id_, spans in changed.items() if spans}

    def _has_price(self, priced: PricedSeries) -> bool:
        return priced.is_priced_by(self._old) or priced.is_priced_by(self._new)

    def _changed(self, priced: PricedSeries) -> Spans:
        if not priced.flows:
            return self._changed_fees(priced.meter_id)
        before_and_now = map(priced.timelines, (self._old, self._new))
        return self._spans_of(tuple(zip(*before_and_now, strict=True)), *self._span)

    def _changed_fees(self, meter_id: str | None) -> Spans:
        """Return all time from the first hour on that has another fee, if any has."""
        since, until = self._span
        first = first_fee_difference(
            self._old, self._new, meter_id, since=since, until=until
        )
        return ((first, hour_of(until) + HOUR),) if first else ()


def _as_numbers(spans: Spans) -> list[int]:
    moments = chain.from_iterable(spans)
    return [(moment - _EPOCH) // HOUR for moment in moments]


def _as_spans(numbers: list[int]) -> Spans:
    moments = [_EPOCH + number * HOUR for number in numbers]
    return tuple(zip(moments[::2], moments[1::2], strict=True))
