"""Sites change: access ends and returns, to all or to a part."""

from collections.abc import Callable
from datetime import timedelta
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from ..conftest import NOW, entry_for, history_done, later, set_up
from ..ledger import assert_equal, model_hours, rows_of
from ..simulator import Fault, SimulatedMeter, SimulatedSite, Simulator, sites
from .changes import CREATED, DAY

pytestmark = pytest.mark.statistics_only


def issues_of(hass: HomeAssistant) -> set[str | None]:
    """Return the keys of all issues of ours."""
    return {
        issue.translation_key
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


def told(hass: HomeAssistant) -> set[tuple[str | None, str]]:
    """Return the keys of all issues of ours, and which sites each of them names."""
    return {
        (issue.translation_key, (issue.translation_placeholders or {})["sites"])
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
async def test_access_to_several_sites_withdrawn(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, cloud: Simulator
) -> None:
    """One issue names all sites of an account; another account has its own."""
    cloud.sites[:] = some = sites.many(4, created=CREATED)
    cloud.accounts["owner"] = "demo"
    entries = [entry_for(site, meters=[]) for site in some[:3]]
    entries.append(entry_for(some[3], meters=[], username="owner"))
    for entry in entries:
        await set_up(hass, entry)
        await history_done(entry)
    withdraw(cloud)
    cloud.grant("owner", [])
    for _ in range(52):  # the description is looked at once a day
        await later(hass, freezer, timedelta(hours=1))
    lines = [f"- {site.name}" for site in some]
    several, owners = "access_withdrawn_from_several", ("access_withdrawn", lines[3])
    assert told(hass) == {(several, "\n".join(lines[:3])), owners}

    cloud.grant("demo", [some[0].id])
    await later(hass, freezer, timedelta(minutes=61))
    assert told(hass) == {(several, "\n".join(lines[1:3])), owners}
    await hass.config_entries.async_remove(entries[1].entry_id)
    await later(hass, freezer, timedelta(minutes=61))
    assert told(hass) == {("access_withdrawn", lines[2]), owners}
    await hass.config_entries.async_remove(entries[2].entry_id)
    assert told(hass) == {owners}


@pytest.mark.freeze_time(NOW)
async def test_a_resident_may_read_meters_only(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """That is no access withdrawn; it is when the meters may not be read either."""
    refuse("^/site_data/")(cloud)
    await set_up(hass, entry)
    for _ in range(30):
        await later(hass, freezer, timedelta(hours=1))
    assert issues_of(hass) == set()
    refuse("^/meter_data/")(cloud)
    for _ in range(20):
        await later(hass, freezer, timedelta(hours=1))
    assert issues_of(hass) == set()
    for _ in range(8):
        await later(hass, freezer, timedelta(hours=1))
    assert issues_of(hass) == {"access_withdrawn"}


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
