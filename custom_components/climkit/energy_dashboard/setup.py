"""What was chosen at set-up for the Energy dashboard, done once for each choice.

Whoever removes our entries in the dashboard does not get them back, unless by choosing
again. Where nothing could be added, it is known what is to be added by hand.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from ..const import CONF_HOME, HOME_NONE, HOME_SITE, LOGGER
from ..metering.flows import Flow
from ..runtime import ClimkitConfigEntry
from ..statistics.updates import RecorderError
from ..storage import DASHBOARD, EntryStore, async_forget_store, entry_store
from .additions import Addition, additions
from .manager import (
    PreferencesError,
    async_add,
    async_has_grid,
    async_listen,
    async_missing,
    async_notice_changes,
)

RETRY: Final = timedelta(minutes=5)
"""After so long a recorder that could not serve is asked again."""

SAVE_DELAY: Final = 120
"""Seconds; Home Assistant saves the preferences after 60. Were the note of what was
done on the disk before them, a power cut in between would undo it for ever."""


async def async_preselected_home(hass: HomeAssistant, entry: ConfigEntry | None) -> str:
    """Return the `home` that a form preselects, for a new site or an entry of one.

    What was chosen and done before is not done again unless somebody asks for it.
    """
    if entry and (home := entry.options.get(CONF_HOME)):
        return HOME_NONE if await _async_applied(hass, entry) == home else str(home)
    return HOME_SITE if await _async_lacks_grid(hass) else HOME_NONE


async def _async_lacks_grid(hass: HomeAssistant) -> bool:
    """Return whether there is a dashboard, and no grid connection in it."""
    try:
        return not await async_has_grid(hass)
    except PreferencesError:
        return False


async def async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget what was done: the same choice counts as a new one, or the entry goes."""
    await async_forget_store(hass, entry.entry_id, DASHBOARD)


class DashboardSetup:
    """Puts one site, or one of its meters, into the Energy dashboard."""

    def __init__(self, hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
        """Serve one config entry, whose data must be there."""
        self._hass = hass
        self._entry = entry
        self._by_hand: Sequence[Addition] = ()
        self._listeners: list[Callable[[], None]] = []

    @property
    def by_hand(self) -> list[Flow]:
        """Return the flows whose statistics are to be added by hand."""
        return _flows_of(self._by_hand)

    @callback
    def async_listen(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever it has changed what is to be added by hand."""
        self._listeners.append(listener)

    @callback
    def async_start(self) -> None:
        """Do what was chosen, in the background, and watch over it."""
        async_listen(self._hass, self._entry, self._async_check_by_hand)
        # The recorder does nothing before Home Assistant has started.
        self._entry.async_on_unload(async_at_started(self._hass, self._start_run))

    @callback
    def _start_run(self, _: HomeAssistant | datetime) -> None:
        self._entry.async_create_background_task(
            self._hass, self.async_run(), f"{self._entry.title} (dashboard)"
        )

    async def async_run(self) -> None:
        """Add what was chosen, once for each choice; never raises."""
        await async_notice_changes(self._hass)
        home = self._entry.options.get(CONF_HOME, HOME_NONE)
        if home == HOME_NONE or await _async_applied(self._hass, self._entry) == home:
            self._solved()
            return
        wanted = self._wanted(home)
        try:
            await self._async_add(wanted)
        except Exception as err:  # noqa: BLE001
            await self._async_failed(err, wanted)
        else:
            self._applied(home)

    async def _async_failed(self, err: Exception, wanted: Sequence[Addition]) -> None:
        """Say so, and what is to be added by hand; a recorder may be back soon."""
        LOGGER.warning(
            "The Energy dashboard was not set up for %s: %s",
            self._entry.title,
            err if isinstance(err, PreferencesError | RecorderError) else repr(err),
        )
        self._by_hand = wanted
        await self._async_check_by_hand()
        if self._by_hand and isinstance(err, RecorderError):
            self._entry.async_on_unload(
                async_call_later(self._hass, RETRY, self._start_run)
            )

    def _wanted(self, home: str) -> list[Addition]:
        data = self._entry.runtime_data
        info = data.site.data
        own = filter(data.statistics.owns, info.flows)
        return additions(
            home, info.site.id, own, info.chosen, data.statistics.statistic_id
        )

    async def _async_add(self, wanted: Sequence[Addition]) -> None:
        if new := await async_missing(self._hass, wanted):
            data = self._entry.runtime_data
            await data.statistics.async_ensure(data.site.data, _flows_of(new))
            await async_add(self._hass, new)

    async def _async_check_by_hand(self) -> None:
        """List what is still to be added by hand, or take note that all is there."""
        if not self._by_hand:
            return
        with suppress(PreferencesError):  # as much is to be added as before
            self._by_hand = await async_missing(self._hass, self._by_hand)
        if not self._by_hand:
            self._applied(self._entry.options[CONF_HOME])
            return
        self._tell()

    def _applied(self, home: str) -> None:
        store = _store(self._hass, self._entry)
        store.async_delay_save(lambda: {CONF_HOME: home}, SAVE_DELAY)
        self._solved()

    def _solved(self) -> None:
        self._by_hand = ()
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _flows_of(wanted: Sequence[Addition]) -> list[Flow]:
    return [flow for addition in wanted for flow in addition.flows]


def _store(hass: HomeAssistant, entry: ConfigEntry) -> EntryStore:
    return entry_store(hass, entry.entry_id, DASHBOARD)


async def _async_applied(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return the `home` that was last put into the dashboard."""
    stored = await _store(hass, entry).async_load()
    return stored.get(CONF_HOME) if stored else None
