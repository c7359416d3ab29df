"""Sites change: meters come, go and change names, access ends and returns."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, DOMAIN

from .conftest import NOW, entry_for, history_done, later, set_up
from .ledger import assert_equal, model_hours, rows_of
from .simulator import Fault, SimulatedMeter, SimulatedSite, Simulator, sites

CREATED = datetime(2026, 6, 12, 22, tzinfo=UTC)
DAY = timedelta(days=1, seconds=5)
NEW = SimulatedMeter(id="63d9a1f0000000000000abcd", name="Atelier", prim_ad=40)

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small house, so that its history is soon in."""
    site = sites.many(1, created=CREATED)[0]
    site.meters.append(sites.community().meter("Parties communes"))
    return site


def device_of(
    hass: HomeAssistant, entry: MockConfigEntry, id_: str
) -> dr.DeviceEntry | None:
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, id_), entry.entry_id
    )


async def names_of_statistics(hass: HomeAssistant) -> dict[str, str | None]:
    return {
        some["statistic_id"]: some["name"]
        for some in await async_list_statistic_ids(hass)
        if some["source"] == DOMAIN
    }


async def day_passes(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry
) -> None:
    """Let the daily look at the site come, and whatever follows from it."""
    await later(hass, freezer, DAY)
    await later(hass, freezer, timedelta(seconds=15))
    await history_done(entry)
    await hass.async_block_till_done(wait_background_tasks=True)


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


def issues_of(hass: HomeAssistant) -> set[str | None]:
    """Return the keys of all issues of ours."""
    return {
        issue.translation_key
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


def refuse(path: str, status: int = 403) -> Callable[[Simulator], None]:
    def harm(cloud: Simulator) -> None:
        cloud.faults.add(Fault("status", path=path, status=status))

    return harm


def withdraw(cloud: Simulator) -> None:
    cloud.grant("demo", [])


WITHDRAWN: dict[str, Callable[[Simulator], None]] = {
    "all": withdraw,
    "data 403": refuse("^/(site_data|meter_data)/"),
    "data 404": refuse("^/(site_data|meter_data)/", 404),
    "description 403": refuse("installation_infos"),
    "description 404": refuse("installation_infos", 404),
}


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("how", WITHDRAWN)
async def test_access_withdrawn(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    caplog: pytest.LogCaptureFixture,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    how: str,
) -> None:
    """A repair issue says so once it has lasted over a day; one line in the log."""
    await set_up(hass, entry)
    await history_done(entry)
    WITHDRAWN[how](cloud)
    for _ in range(23):  # so far it is weather
        await later(hass, freezer, timedelta(hours=1))
        assert issues_of(hass) == set()
    for _ in range(29):  # the description is looked at once a day
        await later(hass, freezer, timedelta(hours=1))
    assert issues_of(hass) == {"access_withdrawn"}
    lines = [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and "climkit" in record.name
    ]
    assert len(lines) == 1
    assert site.name in lines[0].getMessage()
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)

    cloud.faults.clear()
    cloud.grant("demo", [site.id])
    await later(hass, freezer, timedelta(minutes=61))
    assert issues_of(hass) == set()
    assert entry.runtime_data.live[0].last_update_success


@pytest.mark.freeze_time(NOW)
async def test_access_withdrawn_at_start(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Set-up is tried again and again, and loads once access is back."""
    withdraw(cloud)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    retry = ConfigEntryState.SETUP_RETRY
    assert entry.state == retry
    assert issues_of(hass) == set()  # it may be weather
    cloud.grant("demo", [site.id])
    await later(hass, freezer, timedelta(minutes=1))
    assert entry.runtime_data
    assert issues_of(hass) == set()

    withdraw(cloud)
    for _ in range(52):  # the description is looked at once a day
        await later(hass, freezer, timedelta(hours=1))
    assert issues_of(hass) == {"access_withdrawn"}
    await hass.config_entries.async_remove(entry.entry_id)
    assert issues_of(hass) == set()


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    "trouble",
    [
        Fault("status", path="/charge_point$", status=403),
        Fault("status", path="/charge_point$", status=400),
        Fault("html", path="/charge_point$"),
    ],
    ids=["403", "400", "page"],
)
async def test_one_medium_that_is_refused(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    caplog: pytest.LogCaptureFixture,
    cloud: Simulator,
    site: SimulatedSite,
    trouble: Fault,
) -> None:
    """It costs the others nothing: neither their present nor their history."""
    point = SimulatedMeter(
        id="63d9a1f0000000000000aaaa", name="Borne", type="charge_point"
    )
    site.meters.insert(0, point)
    trouble.hits = 0
    cloud.faults.add(trouble)
    blocked = Fault("status", path=f"meter_data/.*{point.id}", status=403)
    cloud.faults.add(blocked)
    entry = entry_for(site, options={})
    await set_up(hass, entry)
    await history_done(entry)
    rows = await rows_of(hass, f"climkit:{site.id}_consumption")
    end = max(rows) + timedelta(hours=1)
    assert_equal(rows, model_hours(site, "conso_total", CREATED, end))
    assert issues_of(hass) == set()
    state = hass.states.get("sensor.immeuble_001_consumption_power")
    assert state
    assert float(state.state) > 0

    cloud.faults.clear()
    await later(hass, freezer, DAY)
    await later(hass, freezer, timedelta(minutes=16))
    await history_done(entry)
    rows = await rows_of(hass, f"climkit:{point.id}_consumption")
    end = max(rows) + timedelta(hours=1)
    model = model_hours(site, f"total_{point.id}", CREATED, end, medium="charge_point")
    assert_equal(rows, model)
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.climkit")
        and record.levelno >= logging.INFO
        and "charge_point" in record.getMessage()
    ]
    assert len(lines) == 2
    state = hass.states.get("sensor.borne_consumption")
    assert state
    assert state.state != STATE_UNAVAILABLE
