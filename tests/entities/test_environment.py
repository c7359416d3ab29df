"""Environmental sensors: their values, their life."""

from collections.abc import Callable
from datetime import timedelta
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from tests.simulator import Fault, SimulatedSensor, SimulatedSite, Simulator, sites

from ..conftest import NOW, entry_for, later, set_up

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def site() -> SimulatedSite:
    return sites.with_environment_sensors(
        created=dt_util.parse_datetime("2026-06-13T22:00:00+00:00", raise_on_error=True)
    )


def state_of(hass: HomeAssistant, sensor: SimulatedSensor) -> str | None:
    """Return the state of the entity of a sensor, None without entity."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, sensor.id)
    state = hass.states.get(entity_id) if entity_id else None
    return state.state if state else None


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("timestamps", ["s", "ms"])
async def test_values(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    timestamps: str,
) -> None:
    """Each sensor is a device behind the site, read with one request a quarter hour."""
    cloud.quirks.sensor_timestamps = timestamps  # type: ignore[assignment]
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    for _ in range(2):
        quarter = int(dt_util.utcnow().timestamp()) // 900
        for sensor in site.sensors:
            ((_, value),) = sensor.readings(quarter, quarter + 1, site.time_zone)
            assert float(state_of(hass, sensor) or "nan") == value
        await later(hass, freezer, QUARTER + timedelta(seconds=30))
    assert len(cloud.requests.to("sensors_list")) == 1
    assert len(cloud.requests.to("sensor_data")) == 3 * len(site.sensors)
    registry = dr.async_get(hass)
    parent = registry.async_get_device_by_identifier((DOMAIN, site.id), entry.entry_id)
    assert parent
    for sensor in site.sensors:
        device = registry.async_get_device_by_identifier(
            (DOMAIN, sensor.id), entry.entry_id
        )
        assert device
        assert (device.name, device.via_device_id) == (sensor.name, parent.id)


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("variant", ["empty", "forbidden", "missing"])
async def test_site_without_sensors(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
    variant: str,
) -> None:
    """The normal case: one request a day, no device, not a word."""
    cloud.quirks.sensors = variant  # type: ignore[assignment]
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    await later(hass, freezer, timedelta(hours=3))
    assert len(cloud.requests.to("sensors_list")) == 1
    await later(hass, freezer, DAY)
    assert len(cloud.requests.to("sensors_list")) == 2
    assert not cloud.requests.to("sensor_data")
    assert entry.runtime_data.environment.last_update_success
    assert not [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and "climkit" in record.name
    ]


def _status(status: int) -> Callable[[], Fault]:
    return lambda: Fault("status", path="sensors_list", status=status)


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    ("fault", "again_after"),
    [
        pytest.param(lambda: Fault("html", path="sensors_list"), DAY, id="page"),
        pytest.param(lambda: Fault("truncated", path="sensors_list"), DAY, id="half"),
        pytest.param(lambda: Fault("wrong_type", path="sensors_list"), DAY, id="type"),
        pytest.param(_status(500), DAY, id="500"),
        pytest.param(
            lambda: Fault("refuse", path="sensors_list"), timedelta(hours=1), id="down"
        ),
    ],
)
async def test_list_that_cannot_be_read(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    fault: Callable[[], Fault],
    again_after: timedelta,
) -> None:
    """Neither the site nor what is known of its sensors suffers; it is tried again."""
    cloud.faults.add(fault())
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state_of(hass, site.sensors[0]) is None
    cloud.faults.clear()
    await later(hass, freezer, again_after + timedelta(seconds=1))
    assert state_of(hass, site.sensors[0]) not in (None, STATE_UNKNOWN)

    cloud.faults.add(fault())  # across a restart, nothing that is known gets lost
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {sensor.name for sensor in site.sensors} <= {d.name for d in devices}


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("status", 403),
        ("status", 404),
        ("status", 500),
        ("html", 200),
        ("empty_list", 200),
        ("bad_rows", 200),
        ("garbage_values", 200),
        ("missing_timestamps", 200),
        ("refuse", 200),
    ],
)
async def test_one_sensor_that_fails(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    kind: str,
    status: int,
) -> None:
    """It costs the others nothing, and is back when it answers."""
    bad, good = site.sensors[:2]
    cloud.faults.add(Fault(kind, path=bad.id, status=status))  # type: ignore[arg-type]
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    nothing = (None, STATE_UNKNOWN, STATE_UNAVAILABLE)
    assert state_of(hass, good) not in nothing
    cloud.faults.clear()
    await later(hass, freezer, QUARTER + timedelta(seconds=1))
    assert state_of(hass, bad) not in nothing
    assert state_of(hass, good) not in nothing


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("number", [1, 2])
async def test_no_sensor_that_answers(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    number: int,
) -> None:
    """The cloud itself is away then, however few they are."""
    del site.sensors[number:]
    cloud.faults.add(Fault("refuse", path="sensor_data"))
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    states = {state_of(hass, sensor) for sensor in site.sensors}
    assert states == {STATE_UNAVAILABLE}
    cloud.faults.clear()
    await later(hass, freezer, QUARTER + timedelta(seconds=1))
    for sensor in site.sensors:
        assert state_of(hass, sensor) not in (STATE_UNKNOWN, STATE_UNAVAILABLE)


@pytest.mark.freeze_time(NOW)
async def test_old_values_are_no_present(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    cloud.faults.add(Fault("empty_list", path="sensor_data"))
    await later(hass, freezer, timedelta(hours=20))
    assert state_of(hass, site.sensors[0]) not in (STATE_UNKNOWN, STATE_UNAVAILABLE)
    await later(hass, freezer, timedelta(hours=5))
    assert state_of(hass, site.sensors[0]) == STATE_UNKNOWN


@pytest.mark.freeze_time(NOW)
async def test_sensors_come_go_and_change_names(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """They come within a day, and go once several lists of over a day lack them."""
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    gone, renamed = site.sensors[:2]
    new = SimulatedSensor(id="63d9a1f000000000deadbeef", name="Salle 2")
    site.sensors.remove(gone)
    site.sensors.append(new)
    renamed.name = "Humidité, salle 1"
    await later(hass, freezer, DAY)
    assert state_of(hass, new) not in (None, STATE_UNKNOWN)
    for wait in (QUARTER, QUARTER, DAY):
        assert state_of(hass, gone) is not None
        await later(hass, freezer, wait + timedelta(seconds=30))
    assert state_of(hass, gone) is None
    names = {
        device.name
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }
    assert {"Salle 2", "Humidité, salle 1"} <= names
    assert gone.name not in names
    site.sensors.append(gone)
    await later(hass, freezer, DAY)
    assert state_of(hass, gone) not in (None, STATE_UNKNOWN)


@pytest.mark.freeze_time(NOW)
async def test_disabled_sensors_cost_nothing(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
) -> None:
    entry = entry_for(site)
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    registry = er.async_get(hass)
    for sensor in site.sensors[1:]:
        entity_id = registry.async_get_entity_id("sensor", DOMAIN, sensor.id)
        assert entity_id
        registry.async_update_entity(
            entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    await hass.async_block_till_done()
    cloud.requests.clear()
    await later(hass, freezer, QUARTER + timedelta(seconds=30))
    assert [
        request.parts["sensor"] for request in cloud.requests.to("sensor_data")
    ] == [site.sensors[0].id]
