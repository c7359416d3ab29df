"""The archive of what price entities told, by quarter hour, and of workday sensors.

The recorder forgets states after some days, and entities vanish. So what a quarter hour
cost is kept here for good: live, as told at its last second; from the recorder's states
for the last days; from hourly means before. Only what is more exact replaces anything.
"""

from asyncio import Task
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..metering.archived_prices import (
    ArchivedPrices,
    prices_of_changes,
    quarters_of_hours,
    spans_of_days,
)
from ..metering.hours import QUARTER, quarter_of
from ..metering.spans import Span, merged
from ..metering.tariff import Tariff
from ..storage import PRICES, entry_store
from .days_off import DaysOff
from .price_history import (
    async_hourly_prices,
    async_price_changes,
    price_of,
    states_since,
)
from .updates import RecorderError

VERSION: Final = 1
SAVE_DELAY: Final = 60

DAYS_KEPT: Final = 10 * 366
"""Of prices: more than the history of any site that is imported."""
ENTITIES_KEPT: Final = 20
"""Of those that no tariff names any longer, and those that some do."""
DAYS_AT_ONCE: Final = 31
"""So many days of hourly means are read at once."""
RECENT: Final = timedelta(days=2)
"""What is completed once an hour; all the rest at the start, and for other tariffs."""

SILENT: Final = timedelta(days=1)
"""Whoever tells no price for so long will hardly tell one by itself."""

_EVER: Final = datetime.min.replace(tzinfo=UTC)

type Listener = Callable[[str, datetime, datetime], None]
"""Is told which entity has other prices, or days off, in [start, end), in UTC."""


class PriceArchive:
    """What the price entities and workday sensors of one site's tariffs told."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Keep the archive of one config entry."""
        self.days_off = DaysOff()
        self._hass = hass
        self._entry_id = entry_id
        self._store = entry_store(hass, entry_id, PRICES)
        self._prices: dict[str, ArchivedPrices] = {}
        self._watched: dict[str, datetime] = {}
        """Price entities, and since when their prices matter."""
        self._watched_since: dict[str, datetime] = {}
        """When each of them was first asked for a price by this Home Assistant."""
        self._workdays: dict[str, date] = {}
        self._listeners: set[Listener] = set()
        self._filling: Task[None] | None = None
        self._fill_all = False
        """Whether all is to be completed, not only what is recent."""
        self._changed = False
        self._stops: list[CALLBACK_TYPE] = []

    async def async_load(self) -> None:
        """Load what was kept; what can't be read is as good as not kept."""
        stored = await self._store.async_load() or {}
        for entity_id, days in stored.get("prices", {}).items():
            self._prices[entity_id] = await self._hass.async_add_executor_job(
                ArchivedPrices.from_dict,
                days,  # of years: it takes its time
            )
        self.days_off = DaysOff.from_dict(stored.get("days_off", {}))

    @callback
    def async_start(self) -> None:
        """Archive live from now on, and fill up once Home Assistant has started."""
        self._stops = [
            async_track_utc_time_change(
                self._hass, self._async_quarter_ends, minute=[14, 29, 44, 59], second=59
            ),
            async_at_started(self._hass, self._async_started),
        ]

    async def async_close(self) -> None:
        """Stop, and save for the last time."""
        for stop in self._stops:
            stop()
        self._stops = []
        if self._filling:
            self._filling.cancel()
        if self._prices or self.days_off:
            await self._store.async_save(self._as_dict())

    def price(self, entity_id: str, start: datetime) -> float | None:
        """Return the price in CHF/kWh of the quarter hour at `start` (UTC), if known."""
        prices = self._prices.get(entity_id)
        return prices.price(start) if prices else None

    def is_silent(self, entity_id: str) -> bool:
        """Return whether an entity tells no price, and has told none for a day."""
        if price_of(self._hass.states.get(entity_id)) is not None:
            return False
        prices = self._prices.get(entity_id)
        told = prices.newest() if prices else None
        since = told or self._watched_since.get(entity_id)
        return since is not None and dt_util.utcnow() - since > SILENT

    @callback
    def async_listen(self, listener: Listener) -> CALLBACK_TYPE:
        """Call a function whenever prices or days off have become known."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def async_watch(self, tariffs: Iterable[Tariff], zone: tzinfo) -> None:
        """Archive what these tariffs of a site in `zone` need, and nothing else.

        What was kept for others stays.
        """
        self._watched, self._workdays = {}, {}
        for tariff in sorted(tariffs, key=lambda each: each.valid_from, reverse=True):
            if tariff.entity_id:
                begin = datetime.combine(tariff.valid_from, time.min, zone)
                self._watched[tariff.entity_id] = begin.astimezone(UTC)
                self._watched_since.setdefault(tariff.entity_id, dt_util.utcnow())
            if tariff.workday:
                self._workdays[tariff.workday] = tariff.valid_from
        if self._stops:
            self._async_fill_up(everything=True)

    async def async_fill(self, entity_id: str, start: datetime, end: datetime) -> None:
        """Complete the prices of [start, end), of UTC, by what the recorder has.

        Raises RecorderError. Of the quarter hour that is not over nothing is known.
        """
        now = dt_util.utcnow()
        start, end = quarter_of(start), min(quarter_of(end), quarter_of(now))
        states_from = max(start, quarter_of(states_since(self._hass, now)))
        await self._async_fill_by_states(entity_id, states_from, end)
        await self._async_fill_by_means(entity_id, start, end)

    async def _async_fill_by_states(
        self, entity_id: str, start: datetime, end: datetime
    ) -> None:
        days = spans_of_days(start, end, 1)
        if lacking := list(self._lacking(entity_id, days, exact=True)):
            # At once: what an entity told before some moment, the recorder knows only
            # if it has been running since.
            begin, stop = lacking[0][0], lacking[-1][1]
            changes = await async_price_changes(self._hass, entity_id, begin, stop)
            self._put(entity_id, prices_of_changes(changes, begin, stop), exact=True)

    async def _async_fill_by_means(
        self, entity_id: str, start: datetime, end: datetime
    ) -> None:
        months = spans_of_days(start, end, DAYS_AT_ONCE)
        for begin, stop in self._lacking(entity_id, months, exact=False):
            means = await async_hourly_prices(self._hass, entity_id, begin, stop)
            self._put(entity_id, quarters_of_hours(means), exact=False)

    def _lacking(
        self, entity_id: str, spans: Iterable[Span], *, exact: bool
    ) -> Iterator[Span]:
        """Yield the spans in which a price is not known, or not exactly."""
        prices = self._prices_of(entity_id)
        return (span for span in spans if prices.lacks(*span, exact=exact))

    async def async_ask_days_off(self, workday: str, first: date, last: date) -> None:
        """Ask a workday sensor for the local days from `first` to `last` not known yet."""
        days = await self.days_off.async_ask(self._hass, workday, first, last)
        if days:
            # Whatever the zone, these days are within.
            begin = datetime.combine(min(days), time.min, UTC) - timedelta(days=1)
            end = datetime.combine(max(days), time.min, UTC) + timedelta(days=2)
            self._tell(workday, begin, end)

    @callback
    def _async_started(self, _: HomeAssistant) -> None:
        self._async_fill_up(everything=True)

    @callback
    def _async_quarter_ends(self, now: datetime) -> None:
        """Keep what is told at the last second of a quarter hour."""
        start = quarter_of(now - timedelta(minutes=1))
        for entity_id in self._watched:
            self._put_live(entity_id, start)
        if start.minute == 45:  # now and then is enough
            self._async_fill_up(everything=False)

    def _put_live(self, entity_id: str, start: datetime) -> None:
        """Keep the price of the quarter hour at `start`, if it is told at its end.

        Looked at too late, it may be the next one's already: then the recorder tells.
        """
        state = self._hass.states.get(entity_id)
        price = price_of(state)
        if state and price is not None and state.last_updated < start + QUARTER:
            self._put(entity_id, [(start, price)], exact=True)

    @callback
    def _async_fill_up(self, *, everything: bool) -> None:
        """Complete in the background what the tariffs need."""
        self._fill_all |= everything
        running = self._filling is not None and not self._filling.done()
        if not running and (self._watched or self._workdays):
            self._filling = self._hass.async_create_background_task(
                self._async_fill_until_done(), f"Climkit prices ({self._entry_id})"
            )

    async def _async_fill_until_done(self) -> None:
        try:
            while True:
                since = _EVER if self._fill_all else dt_util.utcnow() - RECENT
                self._fill_all = False
                await self._async_fill_since(since)
                if not self._fill_all:
                    break
        except RecorderError as err:
            LOGGER.debug("Prices of %s: %s", self._entry_id, err)
            self._fill_all = True  # the next time
        self._async_save_soon()

    async def _async_fill_since(self, since: datetime) -> None:
        # Tomorrow as well: it is needed as soon as it begins.
        last = dt_util.now().date() + timedelta(days=1)
        for workday, first in tuple(self._workdays.items()):
            await self.async_ask_days_off(workday, max(first, since.date()), last)
        for entity_id, begin in tuple(self._watched.items()):
            await self.async_fill(entity_id, max(begin, since), dt_util.utcnow())

    @callback
    def _async_save_soon(self) -> None:
        if self._changed and self._stops:
            self._store.async_delay_save(self._as_dict, SAVE_DELAY)
            self._changed = False

    def _prices_of(self, entity_id: str) -> ArchivedPrices:
        return self._prices.setdefault(entity_id, ArchivedPrices())

    @callback
    def _put(
        self, entity_id: str, told: Iterable[tuple[datetime, float]], *, exact: bool
    ) -> None:
        prices = self._prices_of(entity_id)
        changed = [
            start for start, price in told if prices.put(start, price, exact=exact)
        ]
        for span in merged((start, start + QUARTER) for start in changed):
            self._tell(entity_id, *span)

    @callback
    def _tell(self, entity_id: str, start: datetime, end: datetime) -> None:
        self._changed = True
        for listener in tuple(self._listeners):
            listener(entity_id, start, end)

    def _forget_oldest_entities(self) -> None:
        others = [each for each in self._prices if each not in self._watched]
        room = max(ENTITIES_KEPT - len(self._watched), 0)
        for entity_id in others[: max(len(others) - room, 0)]:
            del self._prices[entity_id]

    @callback
    def _as_dict(self) -> dict[str, Mapping[str, Any]]:
        """Return what is kept: of all that some tariff names, and of the newest others."""
        self._forget_oldest_entities()
        for prices in self._prices.values():
            prices.keep_newest(DAYS_KEPT)
        return {
            "prices": {each: prices.as_dict() for each, prices in self._prices.items()},
            "days_off": self.days_off.as_dict(),
        }
