"""What an entry keeps over a restart: every store in one place, and their one removal."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

PROGRESS: Final = "progress"
"""How far each history has come."""
LIMITS: Final = "limits"
"""How much the cloud was seen to give at once, and from when on."""
DESCRIPTION: Final = "description"
"""The site and its meters, as they were last described."""
PRICES: Final = "prices"
"""What entities said that energy cost."""
COSTS: Final = "costs"
"""Which tariffs the stored costs follow from, and what is yet to be priced anew."""
DASHBOARD: Final = "dashboard"
"""What was chosen for the Energy dashboard, and done."""
DASHBOARD_COSTS: Final = "dashboard_costs"
"""Which tariffs' costs were put into the Energy dashboard."""

NAMES: Final = (
    PROGRESS,
    LIMITS,
    DESCRIPTION,
    PRICES,
    COSTS,
    DASHBOARD,
    DASHBOARD_COSTS,
)

VERSION: Final = 1

type EntryStore = Store[dict[str, Any]]

_STORES: Final[HassKey[dict[str, dict[str, EntryStore]]]] = HassKey(f"{DOMAIN}_stores")


@callback
def entry_store(hass: HomeAssistant, entry_id: str, name: str) -> EntryStore:
    """Return one store of an entry; the same to all who ask while the entry exists.

    So whoever removes it, or reads it after a reload, knows of what is yet to be saved.
    """
    stores = hass.data.setdefault(_STORES, {}).setdefault(entry_id, {})
    if name not in stores:
        # The first store that there was has a name of its own.
        key = f"{DOMAIN}.{entry_id}"
        key = key if name == PROGRESS else f"{key}.{name}"
        stores[name] = Store(hass, VERSION, key, private=True)
    return stores[name]


async def async_forget_store(hass: HomeAssistant, entry_id: str, name: str) -> None:
    """Forget what one store of an entry has, on the disk and what is yet to be saved."""
    await entry_store(hass, entry_id, name).async_remove()
    # A store that is removed still knows what it was about to save.
    hass.data[_STORES][entry_id].pop(name)


async def async_remove_all(hass: HomeAssistant, entry_id: str) -> None:
    """Forget everything that was kept for an entry."""
    for name in NAMES:
        await async_forget_store(hass, entry_id, name)
    hass.data[_STORES].pop(entry_id)
