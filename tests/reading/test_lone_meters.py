"""Meters that have no column at their site: what becomes of them costs nobody else."""

from datetime import UTC, datetime, timedelta
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from tests.simulator import Fault, SimulatedMeter, SimulatedSite, Simulator, sites

from ..conftest import NOW, entry_for, history_done, later, set_up
from ..ledger import assert_equal, model_hours, rows_of

CREATED = datetime(2026, 4, 1, 22, tzinfo=UTC)
"""Longer ago than what is checked by the hour every night."""
QUARTER = timedelta(minutes=15)

pytestmark = [pytest.mark.statistics_only, pytest.mark.freeze_time(NOW)]


@pytest.fixture
def site() -> SimulatedSite:
    return sites.many(1, created=CREATED)[0]


@pytest.fixture
def flat(site: SimulatedSite, cloud: Simulator) -> SimulatedMeter:
    """Return a flat whose meter has no column."""
    meter = site.meter("Appartement 1.1")
    cloud.quirks.without_columns = (meter.id,)
    return meter


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[site.meter("Appartement 1.1").id])


def state_of(hass: HomeAssistant, unique_id: str) -> str:
    """Return the state of a sensor."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, unique_id)
    assert entity_id
    state = hass.states.get(entity_id)
    assert state
    return state.state


async def readings_of(
    hass: HomeAssistant, entry: MockConfigEntry, meter: SimulatedMeter
) -> object:
    """Call climkit.get_readings for a meter."""
    return await hass.services.async_call(
        DOMAIN,
        "get_readings",
        {"config_entry_id": entry.entry_id, "meter": meter.id},
        blocking=True,
        return_response=True,
    )


@pytest.mark.parametrize("status", [403, 500])
async def test_fails_alone(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    flat: SimulatedMeter,
    entry: MockConfigEntry,
    status: int,
) -> None:
    """The site goes on, and the flat stays where it was until it goes on as well."""
    await set_up(hass, entry)
    await history_done(entry)
    live = entry.runtime_data.live[0]
    own, whole = f"{flat.id}_consumption", f"{site.id}_consumption"
    before = float(state_of(hass, own)), float(state_of(hass, whole))
    caplog.clear()
    fault = cloud.faults.add(Fault("status", path="meter_data", status=status))
    for _ in range(4):
        await later(hass, freezer, QUARTER)
    assert fault.hits >= 3  # asked again after 1, 5 and 15 minutes
    assert live.last_update_success
    assert float(state_of(hass, own)) == before[0]
    assert float(state_of(hass, whole)) > before[1]
    with pytest.raises(HomeAssistantError):
        await readings_of(hass, entry, flat)

    cloud.faults.clear()
    for _ in range(5):  # an hour's patience, and a poll
        await later(hass, freezer, QUARTER)
    assert float(state_of(hass, own)) > before[0]
    told = [
        record.levelname
        for record in caplog.records
        if f"{live.name}, in part" in record.getMessage()
        and record.levelno >= logging.INFO
    ]
    assert told == ["WARNING", "INFO"]


@pytest.mark.parametrize("status", [403, 500])
async def test_access_that_comes_later(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    flat: SimulatedMeter,
    entry: MockConfigEntry,
    status: int,
) -> None:
    """Its whole history is fetched then, however long ago the others' was."""
    cloud.faults.add(Fault("status", path="meter_data", status=status))
    await set_up(hass, entry)
    await history_done(entry)
    with pytest.raises(HomeAssistantError):
        await readings_of(hass, entry, flat)
    series = f"{DOMAIN}:{flat.id}_consumption"
    assert not await rows_of(hass, series)
    cloud.faults.clear()
    await later(hass, freezer, timedelta(hours=24, seconds=30))
    await later(hass, freezer, QUARTER)
    await history_done(entry)
    newest = entry.runtime_data.live[0].data.newest
    model = model_hours(site, f"total_{flat.id}", CREATED, newest)
    assert_equal(await rows_of(hass, series), model)


async def test_in_an_outage_of_all_no_meter_is_refused_by_itself(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """They are asked again together, few times, and are back within the hour."""
    await set_up(hass, entry)
    await history_done(entry)
    cloud.faults.add(Fault("status", path="^/(site_data|meter_data)/", status=403))
    before = len(cloud.requests.to("meter_data"))
    for _ in range(16):
        await later(hass, freezer, QUARTER)
    refusals = entry.runtime_data.reader.refusals
    assert set(refusals.refused) == {"electricity", "meters of electricity"}
    # After 1, 5, 15 minutes, then every 45 at the least; each time with its control.
    assert len(cloud.requests.to("meter_data")) - before <= 2 * 8
    cloud.faults.clear()
    for _ in range(4):
        await later(hass, freezer, QUARTER)
    assert not refusals.refused
    meter = site.meter("Appartement 1.1")
    assert state_of(hass, f"{meter.id}_consumption_power") not in UNKNOWN


UNKNOWN = ("unknown", "unavailable")


async def test_of_an_account_that_may_read_meters_only_one_fails(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
) -> None:
    """What one of them answers proves that the refusal of the other is its own."""
    flat, other = site.meter("Appartement 1.1"), site.meter("Appartement 1.2")
    entry = entry_for(site, meters=[flat.id, other.id])
    cloud.faults.add(Fault("status", path="site_data", status=403))
    cloud.faults.add(Fault("status", path=f"meter_data/.*/{other.id}", status=403))
    await set_up(hass, entry)
    await later(hass, freezer, QUARTER)
    refused = entry.runtime_data.reader.refusals.refused
    assert set(refused) == {"electricity", other.id}
    assert state_of(hass, f"{flat.id}_consumption_power") not in UNKNOWN
