"""Shows costs in the Energy dashboard, once for each tariff that is to be shown there.

Whoever takes a cost out of the dashboard does not get it back, unless by another tariff.
A row that is added only later gets its cost then.
"""

from asyncio import Lock
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from ..const import LOGGER
from ..metering.tariff import Tariff
from ..runtime import ClimkitConfigEntry
from ..statistics.queries import async_read, stored_metadata
from ..statistics.tariff_versions import stored_tariffs
from ..statistics.updates import RecorderError
from ..storage import DASHBOARD_COSTS, entry_store
from .costs import CostOffer
from .manager import PreferencesError, async_fill_costs, async_listen
from .setup import SAVE_DELAY

DONE: Final = "done"

RETRY: Final = timedelta(minutes=1)
"""After so long it is looked again whether a statistic is in the database."""


class DashboardCosts:
    """Fills in the costs of one site's tariffs."""

    def __init__(self, hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
        """Serve one config entry, whose data must be there."""
        self._hass = hass
        self._entry = entry
        self._store = entry_store(hass, entry.entry_id, DASHBOARD_COSTS)
        self._done: dict[str, list[str]] = {}
        """By tariff, the costs that were shown once."""
        self._is_loaded = False
        self._lock = Lock()
        self._stop_retry: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> None:
        """Look once Home Assistant has started, and when tariffs or rows change."""
        # The recorder does nothing before that, and announces no statistic.
        self._entry.async_on_unload(async_at_started(self._hass, self._started))

    @callback
    def _started(self, _: HomeAssistant) -> None:
        self._entry.async_on_unload(
            self._entry.runtime_data.pricing.async_listen(self._start_run)
        )
        self._entry.async_on_unload(self._async_stop_retry)
        async_listen(self._hass, self._entry, self.async_run)
        self._start_run()

    @callback
    def _start_run(self, _: datetime | None = None) -> None:
        self._entry.async_create_background_task(
            self._hass, self.async_run(), f"{self._entry.title} (dashboard costs)"
        )

    async def async_run(self) -> None:
        """Fill in what is not done yet; on any doubt nothing, and never raises."""
        async with self._lock:
            await self._async_load()
            offers = list(self._open_offers())
            if wanted := list(dict.fromkeys(offer for _, offer in offers)):
                self._note(offers, await self._async_show(wanted))

    async def _async_load(self) -> None:
        if not self._is_loaded:
            self._done = dict((await self._store.async_load() or {}).get(DONE, {}))
            self._is_loaded = True

    async def _async_show(self, wanted: list[CostOffer]) -> Collection[CostOffer]:
        """Fill in costs; return those that the dashboard shows now."""
        try:
            announced = await self._async_announced(wanted)
            return await async_fill_costs(self._hass, announced)
        except (PreferencesError, RecorderError) as err:
            LOGGER.debug("No costs in the dashboard: %r", err)
            return ()

    def _note(
        self, offers: Iterable[tuple[str, CostOffer]], shown: Collection[CostOffer]
    ) -> None:
        """Remember what was shown, by tariff: it is not shown again."""
        for subentry_id, offer in offers:
            if offer in shown:
                self._done.setdefault(subentry_id, []).append(offer.cost)
        if shown:
            self._store.async_delay_save(self._as_dict, SAVE_DELAY)

    async def _async_announced(self, wanted: list[CostOffer]) -> list[CostOffer]:
        """Return those whose statistics are in the database, and come back for others.

        Home Assistant would complain of a cost that it does not know. Raises
        RecorderError.
        """
        ids = [offer.cost for offer in wanted]
        self._async_stop_retry()
        self._stop_retry = async_call_later(self._hass, RETRY, self._start_run)
        known = await async_read(self._hass, stored_metadata, ids)
        if len(known) == len(set(ids)):
            self._async_stop_retry()
        return [offer for offer in wanted if offer.cost in known]

    @callback
    def _async_stop_retry(self) -> None:
        if self._stop_retry:
            self._stop_retry()
            self._stop_retry = None

    def _as_dict(self) -> dict[str, dict[str, list[str]]]:
        return {DONE: self._done}

    def _open_offers(self) -> Iterator[tuple[str, CostOffer]]:
        """Yield the costs that are yet to be shown for a tariff, after its id."""
        for stored in filter(attrgetter("in_dashboard"), stored_tariffs(self._entry)):
            done = self._done.get(stored.subentry_id, ())
            for offer in self._offers(stored.tariff):
                if offer.cost not in done:
                    yield stored.subentry_id, offer

    def _offers(self, tariff: Tariff) -> Iterator[CostOffer]:
        data = self._entry.runtime_data
        for priced in data.pricing.series():
            # A sum is no row's: with the sun in it, it is not what the grid costs.
            if priced.may_use(tariff) and len(priced.flows) == 1:
                energy = data.statistics.statistic_id(priced.flows[0])
                yield CostOffer(tariff.component, energy, priced.statistic_id)
