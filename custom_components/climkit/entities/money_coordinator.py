"""Works out what energy costs now, and has cost today and this month.

Everything is worked out anew from stored costs, live quarter hours and dated tariffs;
nothing is added up here. A price changes with the clock, whenever the next poll is.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import fsum
from typing import Final, Protocol, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_utc_time_change,
)
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..metering.costs import CostSeries
from ..metering.flows import Flow
from ..metering.hours import hour_of
from ..metering.prices import price_source
from ..metering.running_costs import cost_since
from ..metering.site import SiteInfo
from ..metering.tariff import Tariff
from ..metering.tariffs import Tariffs
from ..reading.live_coordinator import LiveCoordinator
from ..statistics.price_history import price_of
from ..statistics.updates import RecorderError
from .money_items import KEYS, AmountDescription, MoneyItem, items_of, this_month

AT_ONCE: Final = 10
"""After so many amounts others have a turn: a building has hundreds of them."""


class Priced(Protocol):
    """A series of costs that exists."""

    @property
    def owner_id(self) -> str:
        """Return the id of the site or of the meter."""

    @property
    def meter_id(self) -> str | None:
        """Return the id of the meter; None of the site."""

    @property
    def series(self) -> CostSeries:
        """Return what it is made of."""

    @property
    def statistic_id(self) -> str:
        """Return the id of its statistic."""

    @property
    def flows(self) -> Sequence[Flow]:
        """Return the flows of energy that it prices."""


class Stored(Protocol):
    """What the recorder has of it."""

    async def async_costs(
        self, start: datetime, end: datetime
    ) -> Mapping[str, Mapping[datetime, float]]:
        """Return the costs in CHF, by statistic and hour. Raises RecorderError."""


class Pricing(Protocol):
    """What is known of the prices and costs of a site."""

    @property
    def tariffs(self) -> Tariffs:
        """Return the tariffs as they are now."""

    @property
    def unpriced_hours(self) -> int | None:
        """Return how many hours have energy and a tariff, but no price."""

    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a function whenever tariffs, prices or stored costs have changed."""

    def series(self) -> Sequence[Priced]:
        """Return the series of costs that there are."""

    @property
    def stored(self) -> Stored:
        """Return what the recorder has."""


class MoneyCoordinator(DataUpdateCoordinator[Mapping[str, float | None]]):
    """Works out the amounts, in CHF by unique id, and says when a price may be another."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        pricing: Pricing,
        live: Sequence[LiveCoordinator],
    ) -> None:
        """Show the costs of one entry; `live` has all its live coordinators."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=f"{entry.title} (costs)"
        )
        self.data = {}
        self.pricing = pricing
        self._live = live
        self._stop_following: CALLBACK_TYPE | None = None

    @property
    def info(self) -> SiteInfo:
        """Return what is known of the site."""
        return self._live[0].site.data

    @property
    def items(self) -> dict[str, MoneyItem]:
        """Return what there is to show with the tariffs of now, by unique id."""
        foreign = self._live[0].statistics.foreign
        found = items_of(self.info, self.pricing.tariffs, foreign)
        return {item.unique_id: item for item in found}

    @callback
    def async_start(self) -> None:
        """Keep up with tariffs, readings and the clock, from now on."""
        stops = [
            self.pricing.async_listen(self._async_changed),
            *(each.async_add_listener(self._async_calculate) for each in self._live),
            async_track_utc_time_change(
                self.hass, self._async_quarter_begins, minute=[0, 15, 30, 45], second=0
            ),
            # Before that the recorder may have no answer.
            async_at_started(self.hass, self._async_started),
            self._async_stop_following,
        ]
        for stop in stops:
            self.config_entry.async_on_unload(stop)
        self._async_changed()

    @callback
    def _async_changed(self) -> None:
        self._async_remove_gone()
        self._async_follow_entities()
        self.async_update_listeners()
        self._async_calculate()

    @callback
    def _async_started(self, _: HomeAssistant) -> None:
        self._async_calculate()

    @callback
    def _async_quarter_begins(self, _: datetime) -> None:
        self.async_update_listeners()
        self._async_calculate()

    @callback
    def _async_calculate(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self.async_request_refresh(), self.name
        )

    @callback
    def _async_remove_gone(self) -> None:
        """Remove the entities of tariffs that are no more."""
        registry = er.async_get(self.hass)
        items = self.items
        for entity in er.async_entries_for_config_entry(
            registry, self.config_entry.entry_id
        ):
            if entity.translation_key in KEYS and entity.unique_id not in items:
                registry.async_remove(entity.entity_id)

    @callback
    def _async_follow_entities(self) -> None:
        """Show the price of an entity as soon as it tells another."""
        self._async_stop_following()
        versions = map(self.version_of, self.items.values())
        entities = {v.entity_id for v in versions if v and v.entity_id}
        self._stop_following = async_track_state_change_event(
            self.hass, entities, self._async_entity_changed
        )

    @callback
    def _async_stop_following(self) -> None:
        if self._stop_following:
            self._stop_following()
            self._stop_following = None

    @callback
    def _async_entity_changed(self, _: Event[EventStateChangedData]) -> None:
        self.async_update_listeners()

    def version_of(self, item: MoneyItem) -> Tariff | None:
        """Return the tariff that is valid today for a price."""
        if item.component is None:
            return None
        day = dt_util.utcnow().astimezone(self.info.zone).date()
        return self.pricing.tariffs.version(item.component, item.meter_id, day)

    def price_of(self, item: MoneyItem) -> float | None:
        """Return the price of this quarter hour, in CHF per kWh or m³.

        That of an entity is archived at its end; until then it is as the entity says.
        """
        version = self.version_of(item)
        if version is None:
            return None
        now = dt_util.utcnow()
        start = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        price = self.pricing.tariffs.price_at(version.component, item.meter_id, start)
        if price is None and version.entity_id:
            source = price_source(version, _Present(self.hass), frozenset())
            return source.price(start, start.astimezone(self.info.zone))
        return price

    @override
    async def _async_update_data(self) -> Mapping[str, float | None]:
        now = dt_util.utcnow()
        try:
            stored = await self.pricing.stored.async_costs(
                this_month(now, self.info), now
            )
        except RecorderError as err:
            LOGGER.debug("%s: %s", self.name, err)
            return self.data
        billed = self._billed()
        amounts = {}
        for number, (unique_id, item) in enumerate(self.items.items(), 1):
            if isinstance(what := item.description, AmountDescription):
                some = billed.get((item.owner_id, what.sign), ())
                amounts[unique_id] = self._amount(item, what, some, stored, now)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return amounts

    def _billed(self) -> dict[tuple[str, int], list[Priced]]:
        """Return the series of costs by whose they are, and their sign on the bill."""
        billed: dict[tuple[str, int], list[Priced]] = {}
        for priced in self.pricing.series():
            key = priced.owner_id, priced.series.bill
            billed.setdefault(key, []).append(priced)
        return billed

    def _amount(
        self,
        item: MoneyItem,
        what: AmountDescription,
        billed: Iterable[Priced],
        stored: Mapping[str, Mapping[datetime, float]],
        now: datetime,
    ) -> float | None:
        start = what.start_fn(now, self.info)
        costs = (
            self._cost(priced, stored, start, now)
            for priced in billed
            if self._may_count(priced, what)
        )
        known = [cost for cost in costs if cost is not None]
        if what.with_fees:
            fees = self.pricing.tariffs.fees(item.meter_id, start, hour_of(now))
            known += fees.values()
        return fsum(known) if known else None

    def _cost(
        self,
        priced: Priced,
        stored: Mapping[str, Mapping[datetime, float]],
        start: datetime,
        now: datetime,
    ) -> float | None:
        return cost_since(
            priced.series,
            priced.meter_id,
            self.pricing.tariffs,
            stored=stored.get(priced.statistic_id, {}),
            quarters={f.kind.value: self._quarters(f) for f in priced.flows},
            start=start,
            now=now,
        )

    def _may_count(self, priced: Priced, what: AmountDescription) -> bool:
        is_known = what.start_fn is not this_month or self._has_history(priced)
        return bool(priced.flows) and is_known

    def _has_history(self, priced: Priced) -> bool:
        """Return whether the energy of all the month is in."""
        return all(
            any(flow in live.data.totals for live in self._live)
            for flow in priced.flows
        )

    def _quarters(self, flow: Flow) -> Mapping[datetime, float]:
        found = (live.data.quarters.get(flow) for live in self._live)
        return next(filter(None, found), {})


class _Present:
    """What price entities say at this moment."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass

    def price(self, entity_id: str, start: datetime) -> float | None:
        """Return the price in CHF/kWh, if it is one."""
        return price_of(self._hass.states.get(entity_id))
