"""What meters themselves show: only for whom wants it, never taken for energy."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.sensor import ATTR_STATE_CLASS
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from tests.simulator import Fault, SimulatedSite, Simulator, sites
from tests.simulator.model import register

from ..conftest import NOW, entry_for, later, set_up

CREATED = datetime(2026, 6, 14, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.statistics_only

NAMES = (
    "Introduction",
    "Installation solaire",
    "Appartement 1.1",
    "Appartement 1.1 Chauffage",
    "Appartement 1.1 Eau chaude",
    "Borne de recharge 1",
    "Bornes de recharge",
)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a house with a meter of each kind, one of them made of another."""
    site = sites.community(created=CREATED, heat=True, water=True, charge_points=1)
    site.meters = [site.meter(name) for name in NAMES]
    return site


def indices(hass: HomeAssistant, entry: MockConfigEntry) -> list[er.RegistryEntry]:
    """Return the entries of all register sensors."""
    entries = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return [e for e in entries if "_index" in e.unique_id]


async def enable(
    hass: HomeAssistant, entry: MockConfigEntry, *unique_ids: str
) -> list[str]:
    """Enable sensors as a user does, and return their entity ids."""
    registry = er.async_get(hass)
    found = []
    for unique_id in unique_ids:
        entity_id = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        assert entity_id
        registry.async_update_entity(entity_id, disabled_by=None)
        found.append(entity_id)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return found


def shown(site: SimulatedSite, name: str, key: str) -> float:
    """Return what the model's register of a meter shows at what is published by now."""
    meter = site.meter(name)
    first = int(CREATED.timestamp()) // 900
    last = site.horizon(meter.type, dt_util.utcnow())
    counted = register(site, meter, first, last)[key]
    offset = 100.0 * (sum(meter.id.encode()) % 97)
    return float(counted.sum() + (offset if counted.any() else 0.0))


@pytest.mark.freeze_time(NOW)
async def test_nobody_asks_nobody_pays(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """All physical meters have them, diagnostic and disabled; rule meters have none."""
    await set_up(hass, entry)
    await later(hass, freezer, 2 * HOUR)
    assert not cloud.requests.to("meter_data_raw")
    found = indices(hass, entry)
    assert {e.unique_id for e in found} == {
        f"{meter.id}_{key}"
        for meter in site.meters
        if not meter.is_rule_meter
        for key in (
            ("index_import", "index_export")
            if meter.type in ("electricity", "charge_point")
            else ("index",)
        )
    }
    for index in found:
        assert index.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert index.entity_category is EntityCategory.DIAGNOSTIC
        assert ATTR_STATE_CLASS not in (index.capabilities or {})


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    ("name", "key", "of"),
    [
        ("Appartement 1.1", "index_import", "en_im"),
        ("Appartement 1.1", "index_export", "en_ex"),
        ("Installation solaire", "index_export", "en_ex"),
        ("Introduction", "index_import", "en_im"),
        ("Introduction", "index_export", "en_ex"),
        ("Appartement 1.1 Chauffage", "index", "heat_energy_kwh"),
        ("Appartement 1.1 Eau chaude", "index", "vol_m3"),
    ],
)
async def test_values(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    name: str,
    key: str,
    of: str,
) -> None:
    """One request an hour for the meter of an enabled sensor; the model's register."""
    entry = entry_for(site)
    await set_up(hass, entry)
    (entity_id,) = await enable(hass, entry, f"{site.meter(name).id}_{key}")
    for polls in (1, 2):
        state = hass.states.get(entity_id)
        assert state
        assert float(state.state) == pytest.approx(shown(site, name, of), abs=0.001)
        assert len(cloud.requests.to("meter_data_raw")) == polls
        await later(hass, freezer, HOUR + timedelta(seconds=1))


@pytest.mark.freeze_time(NOW)
async def test_both_registers_of_a_meter_cost_one_request(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    entry = entry_for(site)
    await set_up(hass, entry)
    meter = site.meter("Appartement 1.1").id
    await enable(hass, entry, f"{meter}_index_import", f"{meter}_index_export")
    assert len(cloud.requests.to("meter_data_raw")) == 1


@pytest.mark.freeze_time(NOW)
async def test_names_of_meters_without_a_device(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """The introduction has no device: its registers are at the site's, by its name."""
    entry = entry_for(site)
    await set_up(hass, entry)
    (entity_id,) = await enable(
        hass, entry, f"{site.meter('Introduction').id}_index_import"
    )
    state = hass.states.get(entity_id)
    assert state
    assert state.name == "Les Tilleuls Introduction: import index"


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("timestamps", ["local", "iso", "z", "date_ms", "ms", "s"])
async def test_timestamps(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, timestamps: str
) -> None:
    """Whatever form the cloud gives them: the newest reading is the newest."""
    cloud.quirks.raw_timestamps = timestamps  # type: ignore[assignment]
    name = "Appartement 1.1"
    entry = entry_for(site, meters=[site.meter(name).id])
    await set_up(hass, entry)
    (entity_id,) = await enable(hass, entry, f"{site.meter(name).id}_index_import")
    state = hass.states.get(entity_id)
    assert state
    assert float(state.state) == pytest.approx(shown(site, name, "en_im"), abs=0.001)


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("status", status=403), "unknown"),
        (Fault("status", status=500), "unknown"),
        (Fault("html"), "unknown"),
        (Fault("empty_list"), "unknown"),
        (Fault("all_null"), "unknown"),
        (Fault("garbage_values"), None),
        (Fault("bad_rows"), None),
        (Fault("shuffled"), None),
        (Fault("duplicates"), None),
        (Fault("strings"), None),
        (Fault("refuse"), "unavailable"),
    ],
    ids=lambda value: (
        f"{value.kind}-{value.status}" if isinstance(value, Fault) else ""
    ),
)
async def test_bad_input(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    fault: Fault,
    expected: str | None,
) -> None:
    """A register is right or not known; the energy goes on all the same."""
    name = "Appartement 1.1"
    entry = entry_for(site, meters=[site.meter(name).id])
    await set_up(hass, entry)
    fault.path = "meter_data_raw"
    fault.hits = 0
    cloud.faults.add(fault)
    (entity_id,) = await enable(hass, entry, f"{site.meter(name).id}_index_import")
    state = hass.states.get(entity_id)
    assert state
    if expected is None:
        right = shown(site, name, "en_im")
        assert float(state.state) == pytest.approx(right, abs=0.05)
    else:
        assert state.state == expected
    assert entry.runtime_data.live[0].last_update_success


@pytest.mark.freeze_time(NOW)
async def test_differential_meters_show_what_they_measured(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """A grid operator's meter sends intervals: they are shown, and are nobody's energy."""
    meter = site.meter("Appartement 1.1")
    meter.differential = True
    entry = entry_for(site, meters=[meter.id])
    await set_up(hass, entry)
    (entity_id,) = await enable(hass, entry, f"{meter.id}_index_import")
    state = hass.states.get(entity_id)
    assert state
    assert 0 <= float(state.state) < 5
    assert ATTR_STATE_CLASS not in state.attributes
