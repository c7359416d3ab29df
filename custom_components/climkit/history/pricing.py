"""The money of one site: what its energy cost, whatever becomes of tariffs and readings.

Costs are written with the energy they follow from. When tariffs, days off or archived
prices change, what they price otherwise is priced anew, without a reload.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..metering.tariff import Tariff
from ..metering.tariffs import Tariffs
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.background import BackgroundWork
from ..statistics.days_off import DaysOff
from ..statistics.price_archive import PriceArchive
from ..statistics.tariff_versions import stored_tariffs
from ..storage import COSTS, entry_store
from .exact_prices import ExactPrices
from .priced_site import PricedSeries, PricedSite
from .reconciler import HistoryReconciler
from .repricing import Repricing
from .stored_costs import StoredCosts
from .unpriced import async_unpriced_hours, lacks_prices

SAVE_DELAY: Final = 10
"""Seconds: what is lost of it would be priced by the mean of the hour for ever."""


class SitePricing:
    """Keeps the costs of a site in line with its energy and its tariffs."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        reconciler: HistoryReconciler,
    ) -> None:
        """Price the energy of the site of one config entry."""
        self.archive = PriceArchive(hass, entry.entry_id)
        self.unpriced_hours: int | None = None
        """Hours with energy and a tariff, but without a price; None: not yet counted."""
        self._hass = hass
        self._entry = entry
        self._site = site
        self._statistics = reconciler.statistics
        self._store = entry_store(hass, entry.entry_id, COSTS)
        self._subentries: dict[str, Mapping[str, Any]] = {}
        """What they hold: Home Assistant changes a subentry in its place."""
        self._versions: list[Tariff] = []
        self._days_off = DaysOff()
        """The answers by which prices are worked out now."""
        self._priced = PricedSite(
            hass,
            site,
            reconciler.statistics,
            self._snapshot([], DaysOff()),
            self._became_coarse,
        )
        self.stored = StoredCosts(hass, self._priced)
        self._exact = ExactPrices(
            hass, entry, self._priced, reconciler, self._progressed
        )
        self._repricing = Repricing(hass, self._priced, self._got_work)
        self._stored_by = self._snapshot([], DaysOff())
        """The tariffs that the stored costs follow from, but for what is to be done."""
        self._stored_facts = _facts([], DaysOff(), [])
        self._compared: tuple[Tariffs, tuple[PricedSeries, ...]] | None = None
        """What was compared with them: only what is no longer it may differ."""
        self._is_counted = False
        self._is_named = False
        self._is_kept = False
        """Whether there is, or was, anything to be kept over a restart."""
        self._work: BackgroundWork | None = None
        self._stops: list[CALLBACK_TYPE] = []
        self._listeners: dict[object, Callable[[], None]] = {}

    @property
    def tariffs(self) -> Tariffs:
        """Return the tariffs as they are now."""
        return self._priced.tariffs

    @property
    def zone(self) -> tzinfo:
        """Return the site's time zone."""
        return self._site.data.zone

    def series(self) -> tuple[PricedSeries, ...]:
        """Return the statistics of costs that there are with the tariffs of now."""
        return self._priced.series()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a function whenever tariffs, days off, prices or stored costs changed."""
        self._listeners[key := object()] = listener
        return lambda: self._listeners.pop(key, None) and None

    @property
    def pending(self) -> int:
        """Return how much is under way."""
        return bool(self._work and self._work.is_working) + self._exact.is_working

    # --- From the start to the end ------------------------------------------------

    async def async_load(self) -> None:
        """Remember by which tariffs all was priced; price what comes, from now on."""
        await self.archive.async_load()
        data = await self._store.async_load() or {}
        self._is_kept = bool(data)
        try:
            self._recall(data)
        except (AttributeError, TypeError, ValueError) as err:
            LOGGER.warning("Costs are priced anew: what was kept is damaged: %s", err)
            self._recall({})
        self._take_tariffs()
        await self._priced.async_name()
        self._is_named = True
        self._statistics.async_set_derivations(self._priced.derivations)

    @callback
    def async_start(self) -> None:
        """Follow tariffs, days off, prices and the clock."""
        self._work = BackgroundWork(
            self._hass,
            f"{self._entry.title} (costs)",
            self._has_work,
            self._async_work,
            self._progressed,
        )
        self.archive.async_watch(self._versions, self._site.data.zone)
        self.archive.async_start()
        self._stops = [
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            ),
            self.archive.async_listen(self._async_archived),
            self._statistics.async_listen(self._async_written),
            self._site.async_add_listener(self._async_site_changed),
            async_track_utc_time_change(
                self._hass, self._async_hour_begins, minute=0, second=5
            ),
        ]
        self._async_hour_begins(dt_util.utcnow())
        self._exact.async_look()

    async def async_close(self) -> None:
        """Stop, and save what is still to be done."""
        for stop in self._stops:
            stop()
        self._stops = []
        if self._work:
            self._work.stop()
        self._exact.stop()
        self._statistics.async_set_derivations(None)
        if self._is_kept:
            await self._store.async_save(self._as_dict())
        await self.archive.async_close()

    def _recall(self, data: Mapping[str, Any]) -> None:
        versions = [Tariff.from_dict(some) for some in data.get("tariffs", [])]
        days_off = DaysOff.from_dict(data.get("days_off", {}))
        self._repricing.recall(data.get("todo", []))
        self._priced.coarse.recall(data.get("coarse", {}))
        self._stored_by = self._snapshot(versions, days_off)
        self._stored_facts = _facts(versions, days_off, data.get("series", []))

    def _as_dict(self) -> dict[str, Any]:
        return self._stored_facts | {
            "todo": self._repricing.as_list(),
            "coarse": self._priced.coarse.as_dict(),
        }

    def _snapshot(self, versions: list[Tariff], days_off: DaysOff) -> Tariffs:
        return Tariffs(versions, self._site.data.zone, self.archive, days_off)

    # --- What changes -------------------------------------------------------------

    @callback
    def _take_tariffs(self) -> None:
        """Price by the tariffs and days off of now, from now on."""
        self._subentries = _held(self._entry)
        self._versions = [stored.tariff for stored in stored_tariffs(self._entry)]
        # Answers may be added to what is known, but not to a snapshot.
        self._days_off = DaysOff.from_dict(self.archive.days_off.as_dict())
        self._priced.tariffs = self._snapshot(self._versions, self._days_off)
        self._is_counted = False
        self._is_kept |= bool(self._versions)

    @callback
    def _async_entry_changed(
        self, change: ConfigEntryChange, entry: ConfigEntry
    ) -> None:
        """Look whether it is the tariffs that have changed: its state does as well."""
        if entry is self._entry and _held(entry) != self._subentries:
            self._take_tariffs()
            self.archive.async_watch(self._versions, self._site.data.zone)
            self._repricing.fees_due = True
            self._tell()
            self._wake()

    @callback
    def _async_archived(self, entity_id: str, start: datetime, end: datetime) -> None:
        """Price anew what an entity's prices, or a workday sensor's answers, change."""
        if any(version.workday == entity_id for version in self._versions):
            self._take_tariffs()
        users = [each for each in self._versions if each.entity_id == entity_id]
        for priced in self.series():
            if any(map(priced.may_use, users)):
                self._repricing.add(priced.statistic_id, (start, end))
        self._is_counted = False
        self._wake()

    @callback
    def _async_written(self) -> None:
        self._repricing.add_missing()
        if lacks_prices(self._priced):  # of years, it is enough once an hour
            self._is_counted = False
            self._wake()

    @callback
    def _async_site_changed(self) -> None:
        self._is_named = False
        self._wake()

    @callback
    def _async_hour_begins(self, _: datetime) -> None:
        self._repricing.fees_due = bool(self._priced.fees())
        self._is_counted = False
        self._wake()
        self._look_for_exact()

    # --- In the background --------------------------------------------------------

    @callback
    def _got_work(self) -> None:
        self._save_soon()
        self._wake()

    @callback
    def _wake(self) -> None:
        if self._work:
            self._work.wake()

    def _has_work(self) -> bool:
        settled = self._is_named and self._is_counted and self._is_compared()
        return not settled or self._repricing.has_work

    def _is_compared(self) -> bool:
        if self._compared is None:
            return False
        tariffs, possible = self._compared
        return tariffs is self.tariffs and possible is self._priced.possible()

    async def _async_work(self) -> None:
        """Do one thing; raises RecorderError."""
        if not self._is_named:
            self._is_named = True
            await self._priced.async_name()
        elif not self._is_compared():
            await self._async_compare()
        elif self._repricing.has_work:
            await self._repricing.async_work()
            self._is_counted = False
        else:
            await self._async_count()

    async def _async_compare(self) -> None:
        """Find out what the tariffs of now price otherwise than those before.

        It is on the disk before a row is touched: whatever happens then, no row can
        follow from tariffs that nobody knows of.
        """
        new, versions, possible = self.tariffs, self._versions, self._priced.possible()
        ids = [priced.statistic_id for priced in self._priced.all_identified()]
        facts = _facts(versions, self._days_off, ids)
        before = frozenset(self._stored_facts["series"])
        found = await self._repricing.async_compare(self._stored_by, new, before)
        self._stored_by, self._stored_facts = new, facts
        self._compared = new, possible
        if found:
            await self._store.async_save(self._as_dict())

    async def _async_count(self) -> None:
        self._is_counted = True
        self.unpriced_hours = (
            await async_unpriced_hours(self._hass, self._priced)
            if self._versions
            else None
        )

    @callback
    def _became_coarse(self) -> None:
        self._save_soon()
        self._look_for_exact()

    @callback
    def _progressed(self) -> None:
        """Save soon, and tell: costs were priced anew, or something was found out."""
        self._save_soon()
        self._look_for_exact()
        self._tell()

    def _look_for_exact(self) -> None:
        """Fetch quarters, for all series at once: not while more are priced anew."""
        if self._stops and not (self._work and self._work.is_working):
            self._exact.async_look()

    def _save_soon(self) -> None:
        if self._stops and self._is_kept:
            self._store.async_delay_save(self._as_dict, SAVE_DELAY)

    @callback
    def _tell(self) -> None:
        for listener in tuple(self._listeners.values()):
            listener()


def _held(entry: ConfigEntry) -> dict[str, Mapping[str, Any]]:
    return {id_: subentry.data for id_, subentry in entry.subentries.items()}


def _facts(
    versions: Sequence[Tariff], days_off: DaysOff, series: Sequence[str]
) -> dict[str, Any]:
    """Return what stored costs follow from, and of which statistics, as plain data."""
    return {
        "tariffs": [version.as_dict() for version in versions],
        "days_off": days_off.as_dict(),
        "series": list(series),
    }
