"""Fetches the quarter hours of what was priced by the mean of hours with two prices.

Only where there are such hours, and only when they have left the window of the polls,
which tell quarters by themselves. Until then the mean stands.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..api import ClimkitAuthenticationError, ClimkitError, Priority, Resolution
from ..const import LOGGER
from ..metering.flows import Flow, Medium
from ..metering.hours import HOUR, LIVE_WINDOW, hour_of
from ..metering.spans import Span, merged, parts_within
from ..reading.account import async_ask_for_password
from ..reading.answers import Answer, Question
from ..reading.refusals import patience
from ..statistics.updates import RecorderError
from .priced_site import PricedSeries, PricedSite, by_medium, flows_of
from .reconciler import HistoryReconciler


class ExactPrices:
    """Prices by their quarter hours what was priced by the mean."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: PricedSite,
        reconciler: HistoryReconciler,
        changed: Callable[[], None],
    ) -> None:
        """Fetch for one site, when nobody else imports; `changed` is told of progress."""
        self.is_working = False
        self._hass = hass
        self._entry = entry
        self._site = site
        self._coarse = site.coarse
        self._reader = reconciler.reader
        self._reconciler = reconciler
        self._changed = changed
        self._failures = 0
        self._waiting: CALLBACK_TYPE | None = None
        self._stopped = False

    @callback
    def stop(self) -> None:
        """Fetch nothing any more."""
        self._stopped = True
        if self._waiting:
            self._waiting()

    @callback
    def async_look(self) -> None:
        """Begin, unless it is under way or was put off, or there is nothing to do."""
        if self._may_begin and self._wanted():
            self.is_working = True
            self._entry.async_create_background_task(
                self._hass, self._async_run(), f"{self._entry.title} (exact prices)"
            )

    @property
    def _may_begin(self) -> bool:
        return not any(
            (
                self.is_working,
                self._waiting,
                self._stopped,
                self._reconciler.refused,
            )
        )

    async def _async_run(self) -> None:
        try:
            while wanted := self._wanted():
                for medium, some in wanted.items():
                    async with self._reconciler.lock:
                        await self._async_fetch(medium, some)
            self._failures = 0
        except ClimkitAuthenticationError:
            self._reconciler.refused = True
            async_ask_for_password(self._hass, self._entry)
        except (ClimkitError, RecorderError) as err:
            self._put_off(err)
        finally:
            self.is_working = False
            self._changed()

    def _put_off(self, err: Exception) -> None:
        self._failures += 1
        pause = patience(self._failures)
        LOGGER.debug("%s: exact prices in %s: %s", self._entry.title, pause, err)

        @callback
        def again(_: datetime) -> None:
            self._waiting = None
            self.async_look()

        if not self._stopped:
            self._waiting = async_call_later(self._hass, pause, again)

    def _due(self, priced: PricedSeries) -> list[Span]:
        """Return what of a series no poll will tell any more."""
        now = dt_util.utcnow()
        return self._coarse.due(priced.statistic_id, now, hour_of(now - LIVE_WINDOW))

    def _due_within(self, priced: PricedSeries, span: Span) -> list[Span]:
        return parts_within(self._due(priced), *span)

    def _wanted(self) -> dict[Medium, list[PricedSeries]]:
        return by_medium(filter(self._due, self._site.series()))

    async def _async_fetch(self, medium: Medium, some: Sequence[PricedSeries]) -> None:
        """Price what awaits it piece by piece, each before the next is asked for."""
        for start, end in merged(chain.from_iterable(map(self._due, some))):
            question = Question(
                medium,
                flows_of(some),
                Resolution.QUARTER_HOUR,
                start,
                end,
                Priority.BACKGROUND,
                self._site.site.data.zone,
            )
            await self._async_price_all(some, question)
            for priced in some:  # of which the answers did not tell, by whole hours
                self._leave(priced, (start, end))

    async def _async_price_all(
        self, some: Sequence[PricedSeries], question: Question
    ) -> None:
        async for answer in self._reader.async_pieces(question):
            for priced in some:
                await self._async_price(priced, answer)

    async def _async_price(self, priced: PricedSeries, answer: Answer) -> None:
        """Price a piece by its quarters; what is not known of it is left for later."""
        piece = answer.start, answer.end
        if not answer.unknown.keys().isdisjoint(priced.flows):
            self._leave(priced, piece)
            return
        quarters = {flow: answer.of(flow) for flow in priced.flows}
        for part in self._due_within(priced, piece):
            await self._async_price_part(priced, quarters, part)

    def _leave(self, priced: PricedSeries, span: Span) -> None:
        for part in self._due_within(priced, span):
            self._coarse.put_off(priced.statistic_id, part, dt_util.utcnow())

    async def _async_price_part(
        self,
        priced: PricedSeries,
        quarters: Mapping[Flow, Mapping[datetime, float]],
        part: Span,
    ) -> None:
        id_, done = priced.statistic_id, False
        hours = map(hour_of, chain.from_iterable(quarters.values()))
        known = {hour for hour in hours if part[0] <= hour < part[1]}
        self._coarse.begin(id_, part)
        try:
            derived = self._site.derived(priced, quarters)
            # Between them, and where the cloud tells no quarters, rows stay.
            uneven = self._site.uneven(priced, known)
            spans = merged((hour, hour + HOUR) for hour in uneven)
            await self._site.statistics.async_rederive(derived, spans)
            done = True
        finally:
            self._coarse.end(id_, part, done=done)
