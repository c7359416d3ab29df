"""The import that a user asks for."""

import asyncio
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import NOW, history_done, later, set_up
from tests.simulator import Fault, SimulatedSite, Simulator

from .whole_history import CREATED, assert_history, hourly

pytestmark = pytest.mark.statistics_only


@pytest.mark.freeze_time(NOW)
async def test_import_again(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """The action fetches again from a day on and reconciles; trouble is told."""
    await set_up(hass, entry)
    await history_done(entry)
    day = datetime(2026, 5, 10, tzinfo=UTC)
    site.revise(day, day + timedelta(days=1), factor=2.0, at=CREATED)
    asked = len(hourly(cloud))
    data = {"config_entry_id": entry.entry_id, "start": "2026-05-08 00:00:00"}
    await hass.services.async_call("climkit", "import_history", data, blocking=True)
    assert len(hourly(cloud)) - asked == 4
    await assert_history(hass, site)
    cloud.faults.add(Fault("refuse", path="site_data"))
    with pytest.raises(HomeAssistantError, match="Les Tilleuls"):
        await hass.services.async_call("climkit", "import_history", data, blocking=True)


@pytest.mark.freeze_time(NOW)
async def test_two_who_import_again_share_a_run(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """Who asks for no more than what is being fetched waits for that."""
    await set_up(hass, entry)
    await history_done(entry)

    async def again(start: str) -> None:
        data = {"config_entry_id": entry.entry_id, "start": start}
        await hass.services.async_call("climkit", "import_history", data, blocking=True)

    asked = len(hourly(cloud))
    await again("2026-05-08 00:00:00")
    alone = len(hourly(cloud)) - asked
    await asyncio.gather(again("2026-05-08 00:00:00"), again("2026-05-20 00:00:00"))
    assert len(hourly(cloud)) - asked == 2 * alone


@pytest.mark.freeze_time(NOW)
async def test_the_sensor_can_be_updated_by_hand(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await history_done(entry)
    await async_setup_component(hass, "homeassistant", {})
    sensor = "sensor.les_tilleuls_history_import"
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": [sensor]}, blocking=True
    )
    state = hass.states.get(sensor)
    assert state is not None
    assert float(state.state) == 100
    assert entry.runtime_data.history.last_update_success


@pytest.mark.freeze_time(NOW)
async def test_import_again_while_the_recorder_is_out_of_order(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is fetched that can't be stored; who asks is told why."""
    with monkeypatch.context() as patch:
        patch.setattr(get_instance(hass), "_event_listener", None)
        await set_up(hass, entry)
        before = len(hourly(cloud))
        data = {"config_entry_id": entry.entry_id}
        with pytest.raises(HomeAssistantError) as caught:
            await hass.services.async_call(
                "climkit", "import_history", data, blocking=True
            )
        assert caught.value.translation_key == "recorder_unavailable"
        assert len(hourly(cloud)) == before
    await later(hass, freezer, timedelta(minutes=15))
    await history_done(entry)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_import_again_from_now_on(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """What the polls bring is no history: there is nothing to ask for."""
    await set_up(hass, entry)
    await history_done(entry)
    before = len(cloud.requests)
    data = {"config_entry_id": entry.entry_id, "start": "2026-06-16 00:00:00"}
    await hass.services.async_call("climkit", "import_history", data, blocking=True)
    assert len(cloud.requests) == before
