"""Everything that is metered, at a site of each kind: what there is, and what it shows.

Snapshots say what entities, devices and statistics there are, one a line, so that they
can be read; values are compared with the model.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
import logging
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.climkit.const import DOMAIN
from tests.simulator import Publication, SimulatedMeter, SimulatedSite, Simulator, sites

from ..conftest import NOW, entry_for, history_done, later, set_up
from ..ledger import WIRE, assert_equal, model_hours, rows_of

CREATED = datetime(2026, 6, 14, 22, tzinfo=UTC)
"""Midnight of the day before yesterday in Zurich: recent enough to have no import."""
MIDNIGHT = datetime(2026, 6, 15, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROUNDING = 0.0006
"""Of each quarter hour, all being rounded to 0.001."""


def all_media() -> SimulatedSite:
    """Return a community that meters one flat's everything."""
    site = sites.community(
        created=CREATED, heat=True, water=True, cooling=True, charge_points=1
    )
    flat = "Appartement 1.1"
    site.meters = [
        meter
        for meter in site.meters
        if meter.mode != "consumption"
        or str(meter.name).startswith((flat, "Borne", "Parties"))
    ]
    return site


def unknown_media() -> SimulatedSite:
    """Return a house with a meter of a type and one of a mode that nobody has told of."""
    site = sites.many(1, created=CREATED)[0]
    site.name = "Neuland"
    site.meters = [
        site.meters[0],
        site.meter("Appartement 1.1"),
        SimulatedMeter(
            id="63d9a1f000000000000000a1",
            name="Blindstrom",
            type="reactive",
            prim_ad=13,
            profile="household",
        ),
        SimulatedMeter(
            id="63d9a1f000000000000000a2", name="Notstrom", mode="backup", prim_ad=14
        ),
    ]
    return site


def nameless() -> SimulatedSite:
    """Return a site as it was described in 2022: without names and modes."""
    return sites.many(1, created=CREATED)[0]


def large() -> SimulatedSite:
    return sites.large(200, created=CREATED)


KINDS: dict[str, Callable[[], SimulatedSite]] = {
    "all media": all_media,
    "battery": lambda: sites.with_battery(created=CREATED),
    "heat only": lambda: one_flat(sites.heat_only(created=CREATED)),
    "no plant": lambda: one_flat(sites.no_pv(created=CREATED)),
    "resident": lambda: sites.apartment(created=CREATED),
    "rules": lambda: one_flat(sites.with_rules(created=CREATED)),
    "environment": lambda: sites.with_environment_sensors(created=CREATED),
    "unknown": unknown_media,
    "nameless": nameless,
}


def one_flat(site: SimulatedSite) -> SimulatedSite:
    """Leave one flat of a site: more would only make the lists longer."""
    others = re.compile(r"(Appartement|Wohnung) (1\.2|[23]\.)")
    site.meters = [meter for meter in site.meters if not others.match(meter.name or "")]
    return site


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of site; tests are parametrised with it."""
    return str(getattr(request, "param", "all media"))


@pytest.fixture
def site(kind: str) -> SimulatedSite:
    return KINDS[kind]()


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry that has all meters, whichever there are."""
    return entry_for(site, options={})


@pytest.fixture
def everything_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable also what is disabled by default."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Spare the log what the database is asked: it takes longer than the test."""
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.INFO, "homeassistant")


async def ready(hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry) -> None:
    """Set up, and wait until everything is in."""
    if entry.title == "Immeuble 001":
        cloud.quirks.meter_info = "2022"
    await set_up(hass, entry)
    await history_done(entry)
    await hass.async_block_till_done(wait_background_tasks=True)


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> list[er.RegistryEntry]:
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return sorted(found, key=lambda e: e.entity_id)


def described(e: er.RegistryEntry) -> str:
    """Return all that matters of an entity in one line."""
    words = [
        e.entity_id.removeprefix("sensor."),
        f"class {e.original_device_class}" if e.original_device_class else "",
        e.unit_of_measurement or "",
        str((e.capabilities or {}).get("state_class") or ""),
        str(e.entity_category or ""),
        "disabled" if e.disabled_by else "",
    ]
    return " | ".join(word for word in words if word)


async def statistics(hass: HomeAssistant) -> list[str]:
    """Return the metadata of the statistics, one in a line."""
    return sorted(
        f"{some['name']} | {some['statistics_unit_of_measurement']}"
        f" | {some['unit_class']} | {'sum' if some['has_sum'] else 'no sum'}"
        f" | {some['mean_type'].name.lower()}"
        for some in await async_list_statistic_ids(hass)
        if some["source"] == DOMAIN
    )


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", KINDS, indirect=True)
async def test_what_there_is(
    hass: HomeAssistant,
    snapshot: SnapshotAssertion,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Reviewed line by line: names, classes, units, and what is disabled by default."""
    await ready(hass, cloud, entry)
    devices = {
        device.id: device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }
    assert {
        "devices": [
            " | ".join(
                filter(
                    None,
                    [
                        device.name,
                        device.model,
                        device.entry_type and str(device.entry_type),
                        device.via_device_id
                        and f"via {devices[device.via_device_id].name}",
                    ],
                )
            )
            for device in devices.values()
        ],
        "entities": [described(e) for e in entities(hass, entry)],
        "statistics": await statistics(hass),
    } == snapshot


FLOW_OF_MEDIUM = {
    "heating": "heating",
    "cooling": "cooling",
    "cold_water": "cold_water",
    "hot_water": "hot_water",
    "charge_point": "charge_points",
}


def series_of(site: SimulatedSite) -> dict[str, tuple[str, str]]:
    """Return medium and wire column of each flow, by unique id, from the contract."""
    found = {f"{site.id}_{kind}": ("electricity", name) for kind, name in WIRE.items()}
    for medium, kind in FLOW_OF_MEDIUM.items():
        found[f"{site.id}_{kind}"] = (medium, "conso_total")
    for meter in site.meters:
        if meter.mode == "production":
            found[f"{meter.id}_production"] = (meter.type, f"total_{meter.id}")
        else:
            found[f"{meter.id}_consumption"] = (meter.type, f"total_{meter.id}")
            found[f"{meter.id}_solar_consumption"] = (meter.type, f"self_{meter.id}")
            found[f"{meter.id}_grid_consumption"] = (meter.type, f"ext_{meter.id}")
    return found


def truth(site: SimulatedSite, now: datetime) -> dict[str, float | None]:
    """Return what each flow's sensors should show now, by unique id; None is unknown."""
    expected: dict[str, float | None] = {}
    models: dict[str, Mapping[str, dict[datetime, float]]] = {}
    for unique_id, (medium, column) in series_of(site).items():
        if medium not in models:
            models[medium] = site.model(medium, "15T", CREATED, now, at=now)
        quarters = models[medium].get(column)
        if not quarters:
            continue
        newest = max(quarters)
        today = [v for start, v in quarters.items() if start >= MIDNIGHT]
        expected[unique_id] = sum(quarters.values())
        expected[f"{unique_id}_today"] = sum(today) if today else None
        if medium in ("electricity", "charge_point"):
            expected[f"{unique_id}_power"] = max(quarters[newest], 0.0) * 4000
    return expected


@pytest.mark.freeze_time(NOW)
@pytest.mark.usefixtures("everything_enabled")
@pytest.mark.parametrize("kind", KINDS, indirect=True)
async def test_values(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Every sensor of every flow shows the model's value, and none anything else."""
    await ready(hass, cloud, entry)
    expected = truth(site, dt_util.utcnow())
    flows = 0
    for e in entities(hass, entry):
        state = hass.states.get(e.entity_id)
        assert state is not None
        assert state.state != STATE_UNAVAILABLE, e.entity_id
        if e.unique_id not in expected:
            if re.search(r"_(today|power)$", e.unique_id):
                # A meter without a column and without a series of its own.
                assert state.state == STATE_UNKNOWN, e.entity_id
            continue
        flows += 1
        value = expected[e.unique_id]
        if value is None:
            assert state.state == STATE_UNKNOWN, e.entity_id
        else:
            # Power is one quarter, in W; the others are up to 150, in kWh.
            tolerance = 4000 * ROUNDING if "_power" in e.unique_id else 150 * ROUNDING
            assert float(state.state) == pytest.approx(value, abs=tolerance), (
                e.entity_id
            )
    assert flows >= 2


@pytest.mark.freeze_time(NOW)
@pytest.mark.usefixtures("everything_enabled")
@pytest.mark.parametrize("kind", ["heat only"], indirect=True)
async def test_once_a_day(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Heat and water are read once a day: at every hour their totals are known and true."""
    await ready(hass, cloud, entry)
    totals = [
        e
        for e in entities(hass, entry)
        if (e.capabilities or {}).get("state_class") == "total"
    ]
    assert len(totals) == 6
    polls = len(cloud.requests.to("site_data"))
    for _ in range(25):
        await later(hass, freezer, 2 * HOUR)
        expected = truth(site, dt_util.utcnow())
        for e in totals:
            state = hass.states.get(e.entity_id)
            assert state is not None
            value = expected[e.unique_id]
            assert float(state.state) == pytest.approx(value, abs=250 * ROUNDING)
    asked = len(cloud.requests.to("site_data")) - polls
    assert 3 * 25 <= asked <= 3 * 25 + 3 * 3 * 3  # each medium each time; three nights
    assert hass.states.get("sensor.siedlung_lindenhof_last_reading") is not None


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", ["heat only"], indirect=True)
async def test_days_without_a_reading(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A gateway that is out for days: the totals wait, then every hour gets its own."""
    start = dt_util.utcnow()
    until = start + timedelta(days=4)
    site.outage(start - timedelta(hours=20), until - HOUR, until=until)
    await ready(hass, cloud, entry)
    meter = site.meters[0]
    name = "sensor.siedlung_lindenhof_heating"
    before = hass.states.get(name)
    assert before is not None
    while dt_util.utcnow() < until - 2 * HOUR:
        await later(hass, freezer, 3 * HOUR)
        state = hass.states.get(name)
        assert state is not None
        assert state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
        assert float(state.state) >= float(before.state) - 0.01
    for _ in range(26):
        await later(hass, freezer, 2 * HOUR)
    for statistic, column in (
        (f"climkit:{site.id}_heating", "conso_total"),
        (f"climkit:{meter.id}_consumption", f"total_{meter.id}"),
    ):
        rows = await rows_of(hass, statistic)
        now = dt_util.utcnow()
        model = model_hours(site, column, CREATED, now, medium="heating", at=now)
        assert_equal(rows, model)
        assert len(rows) > 24 * 5


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", ["all media"], indirect=True)
async def test_statistics_of_all_media(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Every hour of every flow that is published is in its statistic, and right."""
    await ready(hass, cloud, entry)
    now = dt_util.utcnow()
    for unique_id, (medium, column) in series_of(site).items():
        if column not in site.model(medium, "15T", CREATED, now, at=now):
            continue
        rows = await rows_of(hass, f"climkit:{unique_id}")
        model = model_hours(site, column, CREATED, now, medium=medium, at=now)
        if "battery" in unique_id:
            assert not rows
        else:
            assert_equal(rows, model)


@pytest.mark.slow
@pytest.mark.freeze_time(NOW)
async def test_hundreds_of_meters(
    hass: HomeAssistant,
    *,
    recorder_mock: object,
    enable_custom_integrations: None,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hundred meters cost no request more than four; all of them are there."""
    counts = []
    for site in (sites.large(4, created=CREATED), large()):
        async with Simulator([site], clock=dt_util.utcnow, min_interval=0) as cloud:
            monkeypatch.setenv("CLIMKIT_API_URL", cloud.url)
            entry = entry_for(site, options={}, username=site.id)
            cloud.accounts[site.id] = "demo"
            await ready(hass, cloud, entry)
            counts.append(len(cloud.requests))
            devices = dr.async_entries_for_config_entry(
                dr.async_get(hass), entry.entry_id
            )
            shown = [meter for meter in site.meters if meter.mode != "introduction"]
            assert len(devices) == 1 + len(shown)
            newest = site.meters[-1]
            rows = await rows_of(hass, f"climkit:{newest.id}_consumption")
            now = dt_util.utcnow()
            assert_equal(
                rows, model_hours(site, f"total_{newest.id}", CREATED, now, at=now)
            )
            await hass.config_entries.async_unload(entry.entry_id)
    assert counts[0] == counts[1]


@pytest.mark.freeze_time(NOW)
@pytest.mark.usefixtures("everything_enabled")
@pytest.mark.parametrize("language", ["en", "de", "fr", "it"])
async def test_no_raw_key_shows(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    language: str,
) -> None:
    """Every name is in the language of the system, and no two at a device are the same."""
    hass.config.language = language
    await ready(hass, cloud, entry)
    names: dict[str, Any] = {}
    for e in entities(hass, entry):
        assert e.original_name, e.entity_id
        assert not re.search(r"[_{}]|component\.", e.original_name), e.original_name
        names[f"{e.device_id} {e.original_name}"] = e.unique_id
    assert len(names) == len(entities(hass, entry))
    listed = await statistics(hass)
    assert len({line.split(" | ")[0] for line in listed}) == len(listed)
    assert not [line for line in listed if re.search(r"[_{}]", line.split(" | ")[0])]
    word = {"en": "Hot water", "de": "Warmwasser", "fr": "Eau chaude"}
    expected = word.get(language, "Acqua calda")
    assert [line for line in listed if line.startswith(f"{site.name} {expected} |")]


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", ["nameless"], indirect=True)
@pytest.mark.parametrize(
    ("language", "name", "model"),
    [
        ("en", "Electricity consumption 11", "Electricity meter"),
        ("de", "Stromverbrauch 11", "Stromzähler"),
        ("fr", "Consommation d\u2019électricité 11", "Compteur électrique"),
        ("it", "Consumo di elettricità 11", "Contatore elettrico"),
    ],
)
async def test_meters_without_a_name(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
    language: str,
    name: str,
    model: str,
) -> None:
    """They are called what they meter, and by the number that is on their bus."""
    hass.config.language = language
    await ready(hass, cloud, entry)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert (name, model) in {(device.name, device.model) for device in devices}
    assert [line for line in await statistics(hass) if f" {name} " in line]


@pytest.mark.freeze_time("2026-06-15T22:08:00+00:00")
@pytest.mark.parametrize("kind", ["no plant"], indirect=True)
async def test_shortly_after_midnight(
    hass: HomeAssistant, *, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing of the new day is published yet: today begins with 0, not with unknown."""
    await ready(hass, cloud, entry)
    state = hass.states.get("sensor.rue_du_lac_consumption_today")
    assert state is not None
    assert float(state.state) == 0


@pytest.mark.freeze_time(NOW)
async def test_published_at_another_time(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A medium that comes in the evening instead: known within the hour."""
    site.publication["heating"] = Publication(daily_at=time(20, 30))
    await ready(hass, cloud, entry)
    for _ in range(12):
        await later(hass, freezer, HOUR)
    state = hass.states.get("sensor.les_tilleuls_heating")
    assert state is not None
    expected = truth(site, dt_util.utcnow())[f"{site.id}_heating"]
    assert float(state.state) == pytest.approx(expected, abs=150 * ROUNDING)
