"""Shows costs in the Energy dashboard, once for each tariff that is to be shown there.

Whoever takes a cost out of the dashboard does not get it back, unless by another tariff.
A row that is added only later gets its cost then.
"""

from asyncio import Lock
from collections.abc import Iterator
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from ..const import LOGGER
from ..runtime import ClimkitConfigEntry
from ..statistics.tariff_versions import StoredTariff, stored_tariffs
from ..storage import DASHBOARD_COSTS, entry_store
from .costs import CostOffer
from .manager import PreferencesError, async_fill_costs, async_listen
from .setup import SAVE_DELAY

DONE: Final = "done"


class DashboardCosts:
    """Fills in the costs of one site's tariffs."""

    def __init__(self, hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
        """Serve one config entry, whose data must be there."""
        self._hass = hass
        self._entry = entry
        self._store = entry_store(hass, entry.entry_id, DASHBOARD_COSTS)
        self._done: dict[str, list[str]] | None = None
        """By tariff, the costs that were shown once."""
        self._lock = Lock()

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
        async_listen(self._hass, self._entry, self.async_run)
        self._start_run()

    @callback
    def _start_run(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self.async_run(), f"{self._entry.title} (dashboard costs)"
        )

    async def async_run(self) -> None:
        """Fill in what is not done yet; on any doubt nothing, and never raises."""
        async with self._lock:
            if self._done is None:
                self._done = dict((await self._store.async_load() or {}).get(DONE, {}))
            ticked = [t for t in stored_tariffs(self._entry) if t.in_dashboard]
            offers = {tariff.subentry_id: self._open(tariff) for tariff in ticked}
            wanted = list(dict.fromkeys(o for some in offers.values() for o in some))
            if not wanted:
                return
            try:
                shown = await async_fill_costs(self._hass, wanted)
            except PreferencesError as err:
                LOGGER.debug("No costs in the dashboard: %s", err)
                return
            for subentry_id, some in offers.items():
                new = [offer.cost for offer in some if offer in shown]
                if new:
                    self._done.setdefault(subentry_id, []).extend(new)
            if shown:
                self._store.async_delay_save(self._as_dict, SAVE_DELAY)

    def _as_dict(self) -> dict[str, dict[str, list[str]]]:
        return {DONE: self._done or {}}

    def _open(self, stored: StoredTariff) -> list[CostOffer]:
        """Return the costs of a tariff that were not yet shown for it."""
        done = (self._done or {}).get(stored.subentry_id, ())
        return [offer for offer in self._offers(stored) if offer.cost not in done]

    def _offers(self, stored: StoredTariff) -> Iterator[CostOffer]:
        data = self._entry.runtime_data
        tariff = stored.tariff
        for priced in data.pricing.series():
            own = not tariff.meters or priced.meter_id in tariff.meters
            components = [component for _, component in priced.series.terms]
            # A sum is no row's: with the sun in it, it is not what the grid costs.
            if own and components == [tariff.component]:
                (flow,) = priced.flows
                energy = data.statistics.statistic_id(flow)
                yield CostOffer(tariff.component, energy, priced.statistic_id)
