"""Sites change: meters come, go and change names."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, DOMAIN

from ..conftest import NOW, entry_for, history_done, set_up
from ..ledger import assert_equal, model_hours, rows_of
from ..simulator import SimulatedMeter, SimulatedSite, Simulator
from .changes import CREATED, day_passes, device_of, names_of_statistics

NEW = SimulatedMeter(id="63d9a1f0000000000000abcd", name="Atelier", prim_ad=40)

pytestmark = pytest.mark.statistics_only


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    ("options", "appears"),
    [
        pytest.param({}, True, id="all, whatever comes"),
        pytest.param({CONF_METERS: []}, False, id="none, not told what there was"),
        pytest.param({CONF_METERS: [], CONF_OFFERED: []}, True, id="was not there"),
        pytest.param({CONF_METERS: [], CONF_OFFERED: [NEW.id]}, False, id="left out"),
        pytest.param({CONF_METERS: [NEW.id], CONF_OFFERED: []}, True, id="chosen"),
    ],
)
async def test_new_meter(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    options: dict[str, Any],
    appears: bool,
) -> None:
    """It appears within a day with all its history, unless it was left out."""
    entry = entry_for(site, options=options)
    await set_up(hass, entry)
    await history_done(entry)
    site.meters.append(NEW)
    await day_passes(hass, freezer, entry)
    assert (device_of(hass, entry, NEW.id) is not None) is appears
    assert (hass.states.get("sensor.atelier_consumption") is not None) is appears
    rows = await rows_of(hass, f"climkit:{NEW.id}_consumption")
    assert bool(rows) is appears
    if appears:
        model = model_hours(
            site, f"total_{NEW.id}", CREATED, max(rows) + timedelta(hours=1)
        )
        assert_equal(rows, model)
        assert len(rows) > 80


@pytest.mark.freeze_time(NOW)
async def test_meter_goes_and_returns(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Its device goes, its statistics stay; when it returns, no hour is missing."""
    meter = site.meter("Parties communes")
    await set_up(hass, entry)
    await history_done(entry)
    site.meters.remove(meter)
    await day_passes(hass, freezer, entry)
    assert device_of(hass, entry, meter.id)  # one list without it proves nothing
    for _ in range(2):
        await day_passes(hass, freezer, entry)
    assert device_of(hass, entry, meter.id) is None
    assert hass.states.get("sensor.parties_communes_consumption") is None
    assert await rows_of(hass, f"climkit:{meter.id}_consumption")
    site.meters.append(meter)
    await day_passes(hass, freezer, entry)
    assert device_of(hass, entry, meter.id)
    state = hass.states.get("sensor.parties_communes_consumption")
    assert state
    rows = await rows_of(hass, f"climkit:{meter.id}_consumption")
    end = dt_util.utcnow() - timedelta(hours=2)
    model = model_hours(site, f"total_{meter.id}", CREATED, end.replace(minute=0))
    assert_equal({hour: row for hour, row in rows.items() if hour in model}, model)
    assert float(state.state) >= max(total for _, total in rows.values())


@pytest.mark.freeze_time(NOW)
async def test_names_change(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Devices, statistics and the entry take on the cloud's names; a user's name stays."""
    meter = site.meter("Parties communes")
    await set_up(hass, entry)
    await history_done(entry)
    assert (await names_of_statistics(hass))[f"climkit:{meter.id}_consumption"] == (
        "Immeuble 001 Parties communes Consumption"
    )
    meter.name = "Escaliers"
    await day_passes(hass, freezer, entry)
    device = device_of(hass, entry, meter.id)
    assert device
    assert device.name == "Escaliers"
    names = await names_of_statistics(hass)
    assert names[f"climkit:{meter.id}_consumption"] == (
        "Immeuble 001 Escaliers Consumption"
    )

    site.name = "Les Cèdres"
    await day_passes(hass, freezer, entry)
    assert entry.title == "Les Cèdres"
    names = await names_of_statistics(hass)
    assert all(str(name).startswith("Les Cèdres ") for name in names.values())

    hass.config_entries.async_update_entry(entry, title="Chez nous")
    site.name = "Les Pins"
    await day_passes(hass, freezer, entry)
    assert entry.title == "Chez nous"
    device = device_of(hass, entry, site.id)
    assert device
    assert device.name == "Les Pins"


@pytest.mark.freeze_time(NOW)
async def test_device_deleted_by_hand(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Only what is gone can be deleted: the rest would come again."""
    assert await async_setup_component(hass, "config", {})
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    gone = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, "gone")}, name="Gone"
    )
    meter = device_of(hass, entry, site.meters[-1].id)
    assert meter
    client = await hass_ws_client(hass)
    for device, possible in ((meter, False), (gone, True)):
        response = await client.remove_device(device.id)
        assert response["success"] is possible
    await hass.config_entries.async_unload(entry.entry_id)
    response = await client.remove_device(meter.id)
    assert not response["success"]
