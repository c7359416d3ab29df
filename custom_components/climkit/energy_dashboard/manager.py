"""The Energy dashboard: the only module that touches its preferences.

They are the user's, and the interface to them is Home Assistant's own, without any
promise. So: what is there stays as it is, ours is appended, Home Assistant's schema has
the last word before anything is saved, and on any doubt nothing is written.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from .additions import (
    DEVICES,
    LISTS,
    SOURCES,
    WATER_DEVICES,
    Addition,
    Preferences,
    has_grid,
    missing,
)
from .costs import CostOffer, shown, with_costs
from .duplicates import doubled, without

if TYPE_CHECKING:
    from homeassistant.components.energy.data import EnergyManager

ENERGY: Final = "energy"
CHANGED: Final = f"{DOMAIN}_energy_preferences_changed"

_NOTICED: Final[HassKey[bool]] = HassKey(f"{DOMAIN}_energy_preferences_noticed")


class PreferencesError(Exception):
    """Something is not as expected: nothing may be written."""


@dataclass(frozen=True, slots=True)
class _Energy:
    """What is used of Home Assistant's energy integration."""

    manager: EnergyManager
    schemas: Mapping[str, Callable[[Any], Any]]

    def look(self) -> Preferences:
        """Return a copy of the preferences, whatever they look like."""
        data: Any = self.manager.data or self.manager.default_preferences()
        return deepcopy(data) if isinstance(data, dict) else {}

    def read(self) -> Preferences:
        """Return a copy of the preferences. Raises DoubtError if they are foreign."""
        preferences = self.look()
        sources = self.check(preferences)[SOURCES]
        if any("power_config" in s and "stat_rate" not in s for s in sources):
            raise PreferencesError("Home Assistant would change a source while saving")
        return preferences

    def check(self, preferences: Preferences) -> Preferences:
        """Return the lists as the schema completes them. Raises DoubtError."""
        found: Preferences = {WATER_DEVICES: []} | preferences
        try:
            return {name: self.schemas[name](deepcopy(found[name])) for name in LISTS}
        except Exception as err:
            raise PreferencesError("the preferences are not as expected") from err

    async def async_write(self, before: Preferences, changes: Preferences) -> None:
        """Save lists that differ. Raises DoubtError if the schema refuses the whole.

        Between reading and this there must be no `await`, or somebody's change is lost.
        """
        self.check(before | changes)
        changes = {k: v for k, v in changes.items() if v != before.get(k)}
        if not changes:
            return
        try:
            await self.manager.async_update(changes)  # type: ignore[arg-type]
        except Exception as err:
            if not changes.items() <= self.look().items():
                raise PreferencesError("the preferences were not saved") from err
            # Saved; who failed is somebody who was told of it.
            LOGGER.debug("A listener failed after saving", exc_info=True)

    async def async_add(self, wanted: Sequence[Addition]) -> None:
        """Append what is missing; our entries get the schema's defaults, no others."""
        before = self.read()
        after = deepcopy(before)
        for addition in missing(before, wanted):
            after.setdefault(addition.where, []).append(dict(addition.content))
        complete = self.check(after)
        changes = {}
        for name in {addition.where for addition in wanted}:
            kept = before.get(name, [])
            changes[name] = [*kept, *complete[name][len(kept) :]]
        await self.async_write(before, changes)


async def _async_energy(hass: HomeAssistant) -> _Energy:
    """Return the energy integration. Raises DoubtError if it is absent or a new one."""
    if not is_available(hass):
        raise PreferencesError("the energy integration is not loaded")
    try:
        # Not at the top: a home without the Energy dashboard need not load it, and a
        # version without these names must not keep the integration from starting.
        from homeassistant.components.energy.data import (  # noqa: PLC0415
            DEVICE_CONSUMPTION_SCHEMA,
            ENERGY_SOURCE_SCHEMA,
            async_get_manager,
        )

        manager = await async_get_manager(hass)
    except Exception as err:
        raise PreferencesError("the energy integration is not as expected") from err

    def devices(entries: Any) -> list[Any]:
        return [DEVICE_CONSUMPTION_SCHEMA(entry) for entry in entries]

    schemas: dict[str, Callable[[Any], Any]] = {
        SOURCES: ENERGY_SOURCE_SCHEMA,
        DEVICES: devices,
        WATER_DEVICES: devices,
    }
    return _Energy(manager, schemas)


@callback
def is_available(hass: HomeAssistant) -> bool:
    """Return whether this home has the Energy dashboard."""
    return ENERGY in hass.config.components


async def async_has_grid(hass: HomeAssistant) -> bool:
    """Return whether it has a grid connection. Raises DoubtError if it is absent."""
    return has_grid((await _async_energy(hass)).look())


async def async_missing(
    hass: HomeAssistant, wanted: Sequence[Addition]
) -> Sequence[Addition]:
    """Return what is not in the dashboard yet. Raises DoubtError if it is absent."""
    return missing((await _async_energy(hass)).look(), wanted)


async def async_add(hass: HomeAssistant, wanted: Sequence[Addition]) -> None:
    """Append what is not there yet. Raises DoubtError, with nothing written.

    The statistics must be in the database.
    """
    await (await _async_energy(hass)).async_add(wanted)


async def async_fill_costs(
    hass: HomeAssistant, offers: Sequence[CostOffer]
) -> frozenset[CostOffer]:
    """Fill empty fields with costs; return the offers whose energy has a row.

    The statistics must be in the database. Raises PreferencesError, with nothing written.
    """
    energy = await _async_energy(hass)
    before = energy.read()
    await energy.async_write(before, with_costs(before, offers))
    return shown(before, offers)


async def async_doubled(hass: HomeAssistant, pairs: Mapping[str, str]) -> set[str]:
    """Return the sensors in the dashboard beside their own statistic; never raises."""
    try:
        return doubled((await _async_energy(hass)).look(), pairs)
    except PreferencesError:
        return set()


async def async_remove_sensor(
    hass: HomeAssistant, sensor: str, pairs: Mapping[str, str]
) -> None:
    """Remove a sensor that is in the dashboard beside its statistic, if it still is.

    Raises DoubtError or OtherContentError, with nothing written.
    """
    energy = await _async_energy(hass)
    before = energy.read()
    await energy.async_write(before, without(before, sensor, pairs))


@callback
def async_listen(
    hass: HomeAssistant,
    entry: ConfigEntry,
    listener: Callable[[], Awaitable[None]],
) -> None:
    """Call a listener whenever the preferences change, until the entry is unloaded."""
    entry.async_on_unload(async_dispatcher_connect(hass, CHANGED, listener))


async def async_notice_changes(hass: HomeAssistant) -> None:
    """Notice changes of the preferences from now on; never raises.

    The energy integration forgets no listener, so it gets one for all entries.
    """
    try:
        energy = await _async_energy(hass)
    except PreferencesError:
        return

    async def notify() -> None:
        async_dispatcher_send(hass, CHANGED)

    if not hass.data.get(_NOTICED):
        hass.data[_NOTICED] = True
        energy.manager.async_listen_updates(notify)
