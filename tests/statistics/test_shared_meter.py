"""A meter that is listed in two sites: one entry has it, the other takes it over."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.const import DOMAIN

from ..conftest import NOW, entry_for, history_done, later, set_up
from ..ledger import assert_equal, model_hours, rows_of
from ..simulator import SimulatedSite, Simulator, sites

CREATED = datetime(2026, 6, 13, 22, tzinfo=UTC)


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=CREATED)


@pytest.fixture
def house(site: SimulatedSite, cloud: Simulator) -> SimulatedSite:
    """Return another site, that one flat of the community is in as well."""
    flat = site.meter("Appartement 1.1")
    house = SimulatedSite(id="a0" * 12, name="Haus", meters=[flat], created=CREATED)
    cloud.sites.append(house)
    return house


@pytest.mark.freeze_time(NOW)
async def test_the_second_leaves_it_alone(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    house: SimulatedSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    flat = site.meter("Appartement 1.1").id
    first, second = entry_for(site, meters=[flat]), entry_for(house)
    await set_up(hass, first)
    await history_done(first)
    await set_up(hass, second)
    await history_done(second)
    assert "unique ID" not in caplog.text
    assert caplog.text.count("in another site of this Home Assistant") == 1
    entities, devices = er.async_get(hass), dr.async_get(hass)

    def owners() -> set[str | None]:
        return {
            entry.config_entry_id
            for entry in entities.entities.values()
            if entry.unique_id.startswith(flat)
        }

    assert owners() == {first.entry_id}
    meters = {
        identifier
        for device in dr.async_entries_for_config_entry(devices, second.entry_id)
        for _, identifier in device.identifiers
    }
    assert meters == {house.id}
    await hass.config_entries.async_reload(first.entry_id)
    await history_done(first)
    assert owners() == {first.entry_id}

    await hass.config_entries.async_remove(first.entry_id)
    await later(hass, freezer, timedelta(minutes=16))
    await history_done(second)
    assert owners() == {second.entry_id}
    assert "unique ID" not in caplog.text
    assert dr.async_entries_for_config_entry(devices, second.entry_id)
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    await history_done(second)
    now = dt_util.utcnow()
    model = model_hours(site, f"total_{flat}", CREATED, now, at=now)
    rows = await rows_of(hass, f"{DOMAIN}:{flat}_consumption")
    assert rows.keys() == model.keys()
    before = {hour: row for hour, row in rows.items() if hour < now - timedelta(days=2)}
    assert_equal(before, {hour: model[hour] for hour in before})
