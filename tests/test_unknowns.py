"""What nobody knows of the real cloud: whichever way it is, every hour comes out right.

The numbers are those of the table of unknowns in the notes on the API.
"""

from datetime import UTC, datetime, timedelta
import logging
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for, history_done, later, set_up
from .ledger import assert_equal, model_hours, rows_of
from .simulator import SimulatedSite, Simulator, sites

CREATED: Final = datetime(2026, 6, 10, 22, tzinfo=UTC)

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def site() -> SimulatedSite:
    site = sites.many(1, created=CREATED)[0]
    site.meters.append(sites.community().meter("Parties communes"))
    return site


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry with the meters that are looked at, and the introduction."""
    names = ("Introduction", "Appartement 1.1", "Parties communes")
    return entry_for(site, meters=[site.meter(name).id for name in names])


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Spare the log what the database is asked: it takes longer than the test."""
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.INFO, "homeassistant")


async def assert_right(hass: HomeAssistant, site: SimulatedSite) -> None:
    """Compare every hour of the site and of a meter with the model."""
    now = dt_util.utcnow()
    meter = site.meters[-1].id
    for statistic, column in (
        (f"climkit:{site.id}_consumption", "conso_total"),
        (f"climkit:{site.id}_grid_import", "from_ext"),
        (f"climkit:{site.id}_production", "prod_total"),
        (f"climkit:{meter}_consumption", f"total_{meter}"),
    ):
        rows = await rows_of(hass, statistic)
        assert_equal(rows, model_hours(site, column, CREATED, now, at=now))


VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "2: times are UTC": {"requested_times": "utc"},
    "2: times are local": {"requested_times": "local"},
    "2: the start is within": {"includes_start": True},
    "2: the end is not": {"includes_end": False},
    **{
        f"7: {form}": {"valid_until": form}
        for form in ("date_iso", "number_long", "ms", "s", "iso", "absent")
    },
    "8: as in 2022": {"meter_info": "2022"},
    "10: the introduction has a series": {"introduction_rows": "total"},
    "10: the introduction is refused": {"introduction_rows": "refused"},
    "11: storage columns never": {"storage_columns": "never"},
    "11: storage columns always": {"storage_columns": "always"},
    "12: numbers are text": {"numbers": "string"},
    "12: all decimals": {"decimals": None},
    "16: a day at most": {"window_limit": timedelta(days=4)},
    "16: one day by default": {"default_days": 1},
    "17: whole periods": {"whole_periods": True},
    **{
        f"17: {form}": {"timestamps": form}
        for form in ("iso", "utc", "z", "date_ms", "date_iso", "ms", "s")
    },
    "22: new names": {"sampling_names": "new"},
    "22: old names": {"sampling_names": "documented"},
    "23: address as in 2022": {"address": "2022"},
    "23: no address": {"address": "absent"},
}


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("variant", VARIANTS)
async def test_variant(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    caplog: pytest.LogCaptureFixture,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    variant: str,
) -> None:
    """History and present are the model's, and nobody is bothered."""
    for name, value in VARIANTS[variant].items():
        assert hasattr(cloud.quirks, name)
        setattr(cloud.quirks, name, value)
    await set_up(hass, entry)
    await history_done(entry)
    for _ in range(5):
        await later(hass, freezer, timedelta(minutes=16))
    await assert_right(hass, site)
    assert entry.state is ConfigEntryState.LOADED
    assert not [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name.startswith("custom_components.climkit")
    ]


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    "info",
    [
        {"timezone": None},
        {"timezone": "Mars/Olympus"},
        {"timezone": 7},
        {"creation_date": None},
        {"creation_date": "soon"},
        {"name": None},
        {"name": None, "site_ref": None},
        {"address": None, "latitude": None, "longitude": None},
    ],
    ids=str,
)
async def test_description_with_holes(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    info: dict[str, Any],
) -> None:
    """23: everything in the description of a site may be missing or nonsense."""
    site.info |= info
    await set_up(hass, entry)
    await history_done(entry)
    await assert_right(hass, site)


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_refused_log_in(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
    status: int,
) -> None:
    """3: an API's refusal of /auth asks the user for credentials that work."""
    cloud.quirks.refused_login = status
    cloud.accounts["demo"] = "changed"
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH


@pytest.mark.freeze_time(NOW)
async def test_log_in_without_a_token(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """3: a 200 without a token may be anything: nobody is asked, it is tried again."""
    cloud.quirks.refused_login = 200
    cloud.accounts["demo"] = "changed"
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    retry = ConfigEntryState.SETUP_RETRY
    assert entry.state == retry
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    cloud.accounts["demo"] = "demo"
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("rows", ["own", "refused"])
async def test_a_meter_that_is_refused(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    rows: str,
) -> None:
    """6: it costs the others nothing; it is asked again, but ever more rarely."""
    allowed = site.meters[-1]
    refused = site.meter("Appartement 1.1")
    cloud.quirks.resident_rows = rows  # type: ignore[assignment]
    await set_up(hass, entry)  # while everything is allowed, to know all the meters
    await history_done(entry)
    cloud.grant("demo", [site.id], [allowed.id])
    cloud.requests.clear()
    for _ in range(6):
        await later(hass, freezer, timedelta(minutes=16))
    asked = [
        request.time
        for request in cloud.requests.to("meter_data")
        if refused.id in request.path
        and (request.json or {})["sampling_frequency"] == "15T"
    ]
    # By polls 16 minutes apart: after 1, 5 and 15 minutes, and not within the next 60.
    assert len(asked) == 4
    assert dt_util.utcnow() - asked[-1] > timedelta(minutes=30)
    # Each time with one control: whether the question was only too long.
    paths = [request.path for request in cloud.requests.to("meter_data")]
    assert sum(refused.id in path for path in paths) <= 2 * len(asked)
    # What was granted, and is no longer, is asked for otherwise the next day.
    await later(hass, freezer, timedelta(days=1))
    await later(hass, freezer, timedelta(minutes=16))
    assert entry.runtime_data.live[0].last_update_success
    now = dt_util.utcnow()
    found = await rows_of(hass, f"climkit:{allowed.id}_consumption")
    model = model_hours(site, f"total_{allowed.id}", CREATED, now, at=now)
    assert_equal(found, model)
    found = await rows_of(hass, f"climkit:{refused.id}_consumption")
    model = model_hours(site, f"total_{refused.id}", CREATED, now, at=now)
    assert_equal(found, {hour: model[hour] for hour in found})


@pytest.mark.freeze_time(NOW)
async def test_zeros_that_mean_not_yet(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """13: rows of zeros at the live edge are replaced as soon as the truth is there."""
    cloud.quirks.zero_rows = 4
    cloud.publication_delay = timedelta(minutes=95)
    await set_up(hass, entry)
    await history_done(entry)
    for _ in range(12):
        await later(hass, freezer, timedelta(minutes=15))
    cloud.quirks.zero_rows = 0
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    now = dt_util.utcnow()
    for kind, column in (("consumption", "conso_total"), ("grid_import", "from_ext")):
        rows = await rows_of(hass, f"climkit:{site.id}_{kind}")
        model = model_hours(site, column, CREATED, now, at=now)
        assert model.keys() <= rows.keys()
        assert_equal({hour: rows[hour] for hour in model}, model)
        invented = rows.keys() - model.keys()
        assert all(rows[hour][0] >= 0 for hour in invented)
        assert len(invented) <= 1


@pytest.mark.freeze_time(NOW)
async def test_what_is_not_over_is_no_reading(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """13: a cloud that fills up its day with zeros says nothing of the hours to come."""
    cloud.quirks.future_rows = 40
    cloud.publication_delay = timedelta(minutes=5)  # so that none of them is over
    await set_up(hass, entry)
    await history_done(entry)
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    now = dt_util.utcnow()
    model = site.model("electricity", "15T", CREATED, now, at=now)["conso_total"]
    newest = max(model)
    states = {key: _state(hass, site, key) for key in ("last_reading", "consumption")}
    assert states["last_reading"] == (newest + timedelta(minutes=15)).isoformat()
    power = _state(hass, site, "consumption_power")
    assert float(power) == pytest.approx(model[newest] * 4000, abs=2.1)
    assert float(states["consumption"]) == pytest.approx(sum(model.values()), abs=0.3)
    await assert_right(hass, site)


def _state(hass: HomeAssistant, site: SimulatedSite, key: str) -> str:
    """Return the state of a sensor of the site."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id("sensor", DOMAIN, f"{site.id}_{key}")
    state = hass.states.get(entity_id or "")
    assert state
    return state.state


@pytest.mark.freeze_time("2026-06-16T23:05:00+00:00")
async def test_negative_amounts(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """15: sums keep the sign, so that they agree with the bill; power is never below 0."""
    site.night_dust = 0.19
    await set_up(hass, entry)
    await history_done(entry)
    lowest = 0.0
    for _ in range(8):
        await later(hass, freezer, timedelta(minutes=15))
        state = hass.states.get("sensor.immeuble_001_production_power")
        assert state is not None
        assert float(state.state) >= 0
        quarters = entry.runtime_data.live[0].data.quarters.values()
        lowest = min(lowest, *(min(of.values()) for of in quarters if of))
    assert lowest < -0.001
    now = dt_util.utcnow()
    rows = await rows_of(hass, f"climkit:{site.id}_production")
    assert_equal(rows, model_hours(site, "prod_total", CREATED, now, at=now))
    assert min(amount for amount, _ in rows.values()) < 0
