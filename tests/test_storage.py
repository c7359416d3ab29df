"""What an entry keeps, and that nothing of it stays when it goes."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from custom_components.climkit.storage import (
    DASHBOARD,
    NAMES,
    PROGRESS,
    async_forget_store,
    async_remove_all,
    entry_store,
)

from .conftest import NOW, later

pytestmark = pytest.mark.freeze_time(NOW)


def test_keys(hass: HomeAssistant) -> None:
    """Those that there were before keep their names."""
    keys = {name: entry_store(hass, "id", name).key for name in NAMES}
    assert keys.pop(PROGRESS) == "climkit.id"
    assert keys.pop(DASHBOARD) == "climkit.id.dashboard"
    assert keys == {name: f"climkit.id.{name}" for name in keys}


async def test_removed(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_storage: dict[str, Any]
) -> None:
    """All of it; other entries' is left alone."""
    for entry_id in ("one", "two"):
        for name in NAMES:
            await entry_store(hass, entry_id, name).async_save({"a": 1})
    assert len(hass_storage) >= 2 * len(NAMES)
    await async_remove_all(hass, "one")
    await later(hass, freezer, timedelta(minutes=5))
    ours = {key for key in hass_storage if key.startswith("climkit")}
    assert ours == {entry_store(hass, "two", name).key for name in NAMES}
    assert await entry_store(hass, "one", DASHBOARD).async_load() is None


async def test_one_forgotten(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    store = entry_store(hass, "one", DASHBOARD)
    assert entry_store(hass, "one", DASHBOARD) is store
    store.async_delay_save(lambda: {"a": 2}, 60)
    await async_forget_store(hass, "one", DASHBOARD)
    assert await entry_store(hass, "one", DASHBOARD).async_load() is None
