"""What an entry keeps, and that nothing of it stays when it goes."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.storage import (
    DASHBOARD,
    NAMES,
    PROGRESS,
    async_forget_store,
    async_remove_all,
    entry_store,
)

from .conftest import NOW, entry_for, history_done, later, set_up
from .ledger import model_hours, rows_of
from .simulator import SimulatedSite, Simulator
from .tariffs import add_tariff

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


@pytest.mark.statistics_only
async def test_money_of_an_entry_that_is_removed(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    site: SimulatedSite,
) -> None:
    """What was kept of prices and tariffs goes; the costs stay, as the energy does.

    Set up again, they are as they were until there is a tariff; then they follow it.
    """
    entry = entry_for(site, meters=[])
    await set_up(hass, entry)
    await history_done(entry)
    unit = {"unit_of_measurement": "CHF/kWh"}
    hass.states.async_set("sensor.price", "0.25", unit)
    by_entity = {"pricing": "entity", "entity_id": "sensor.price"}
    add_tariff(hass, entry, "grid", **by_entity, monthly_fee=7.2)
    for _ in range(9):
        await later(hass, freezer, timedelta(minutes=15))
    ours = {key for key in hass_storage if entry.entry_id in key}
    assert {f"climkit.{entry.entry_id}.{name}" for name in ("prices", "costs")} <= ours
    ids = [f"climkit:{site.id}_{kind}" for kind in ("grid_import_cost", "fees")]
    paid = [await rows_of(hass, id_) for id_ in ids]
    assert all(paid)

    await hass.config_entries.async_remove(entry.entry_id)
    await later(hass, freezer, timedelta(minutes=5))
    assert not [key for key in hass_storage if entry.entry_id in key]
    assert [await rows_of(hass, id_) for id_ in ids] == paid
    again = entry_for(site, meters=[], entry_id="another")
    await set_up(hass, again)
    await history_done(again)
    await later(hass, freezer, timedelta(hours=2))
    assert [await rows_of(hass, id_) for id_ in ids] == paid

    add_tariff(hass, again, "grid", price=0.30, valid_from="2026-01-01")
    await hass.async_block_till_done(wait_background_tasks=True)
    now = dt_util.utcnow()
    used = model_hours(site, "from_ext", site.created, now, at=now)
    rows = await rows_of(hass, ids[0])
    assert {hour: state for hour, (state, _) in rows.items()} == pytest.approx(
        {hour: amount * 0.30 for hour, amount in used.items()}, abs=0.001
    )
