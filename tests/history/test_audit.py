"""The nightly audit: corrections of any age are found, at a known price in requests."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.climkit.history.audit import time_of
from tests.conftest import NOW, entry_for, history_done, later, set_up
from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import Fault, SimulatedSite, Simulator, sites

CREATED = datetime(2025, 11, 30, 23, tzinfo=UTC)

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site that is half a year old, and small: each column costs time."""
    return sites.many(1, created=CREATED)[0]


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
) -> MockConfigEntry:
    """Return an entry with one flat, whose history is in."""
    await hass.config.async_set_time_zone("Europe/Zurich")
    entry = entry_for(site, meters=[site.meter("Appartement 1.1").id])
    await set_up(hass, entry)
    await history_done(entry)
    return entry


async def night(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let a night pass, in hours, from midnight to six."""
    freezer.move_to(dt_util.utcnow().replace(hour=22, minute=0) + timedelta(minutes=1))
    for _ in range(8 * 4):
        await later(hass, freezer, timedelta(minutes=15))


async def audit(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> list[str]:
    """Run the audit now; return the resolutions that it asked for."""
    before = len(cloud.requests)
    await entry.runtime_data.audit.async_run()
    return [
        (request.json or {})["sampling_frequency"]
        for request in cloud.requests[before:]
        if request.endpoint == "site_data"
    ]


async def assert_history(hass: HomeAssistant, site: SimulatedSite) -> None:
    """Compare all hours of a site's flow and of a flat's with the model."""
    now = dt_util.utcnow()
    flat = site.meter("Appartement 1.1").id
    for statistic, column in (
        (f"climkit:{site.id}_consumption", "conso_total"),
        (f"climkit:{site.id}_self_consumption", "self"),
        (f"climkit:{flat}_grid_consumption", f"ext_{flat}"),
    ):
        model = model_hours(site, column, site.created, now, at=now)
        assert_equal(await rows_of(hass, statistic), model)


@pytest.mark.freeze_time(NOW)
async def test_a_quiet_night(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """Without corrections: what is recent by the hour, months, one old window; no more.

    The rounding of the cloud's rows is no correction.
    """
    assert await audit(hass, cloud, entry) == ["H", "M", "H"]
    await assert_history(hass, site)


REVISIONS = {
    "an hour last week": (timedelta(days=7), timedelta(hours=1), ["H", "M", "H"]),
    "a day in winter": (timedelta(days=150), timedelta(days=1), ["H", "M", "H", "H"]),
    "a month in winter": (
        timedelta(days=130),
        timedelta(days=30),
        ["H", "M", "H", "H"],
    ),
    "the first days": (timedelta(days=195), timedelta(days=3), ["H", "M", "H", "H"]),
}


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.freeze_time(NOW)
async def test_corrections_are_found(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    revision: str,
) -> None:
    """However old it is, a correction is mended with at most four requests."""
    age, length, resolutions = REVISIONS[revision]
    now = dt_util.utcnow()
    start = (now - age).replace(hour=0, minute=0)
    site.revise(start, start + length, factor=1.3, at=CREATED)
    asked = await audit(hass, cloud, entry)
    assert asked == resolutions
    await assert_history(hass, site)
    assert await audit(hass, cloud, entry) == ["H", "M", "H"]


@pytest.mark.freeze_time(NOW)
async def test_every_night_at_its_time(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """It runs by itself, once, between one and five o'clock of the home's time."""
    day = dt_util.utcnow() - timedelta(days=90)
    site.revise(day, day + timedelta(days=2), factor=0.5, at=CREATED)
    before = len(cloud.requests)
    await night(hass, freezer)
    monthly = [
        request.time.astimezone(dt_util.get_default_time_zone())
        for request in cloud.requests[before:]
        if request.endpoint == "site_data"
        and (request.json or {})["sampling_frequency"] == "M"
    ]
    assert len(monthly) == 1
    assert 1 <= monthly[0].hour <= 5
    await assert_history(hass, site)


def test_each_entry_has_its_own_time() -> None:
    """A hundred homes do not come at once; each comes at the same time every night."""
    times = {time_of(f"entry {number}") for number in range(100)}
    assert len(times) > 90
    assert all(60 <= minute < 300 and 0 <= second < 60 for minute, second in times)
    assert time_of("entry 7") == time_of("entry 7")


@pytest.mark.parametrize("fault", ["refuse", "html", "truncated", "status"])
@pytest.mark.freeze_time(NOW)
async def test_a_night_without_cloud(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    fault: str,
) -> None:
    """What could not be checked tonight is checked tomorrow; nothing else happens."""
    start = dt_util.utcnow() - timedelta(days=100)
    site.revise(start, start + timedelta(days=1), add=0.3, at=CREATED)
    broken = cloud.faults.add(Fault(fault, path="site_data", after=1))  # type: ignore[arg-type]
    await audit(hass, cloud, entry)
    cloud.faults.remove(broken)
    await audit(hass, cloud, entry)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_a_statistic_that_is_gone_is_left_to_the_import(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """The audit books nothing to a cleared statistic; the import brings it back."""
    get_instance(hass).async_clear_statistics([f"climkit:{site.id}_consumption"])
    await async_wait_recording_done(hass)
    await audit(hass, cloud, entry)
    for _ in range(3):
        await later(hass, freezer, timedelta(minutes=15))
    await assert_history(hass, site)


@pytest.mark.parametrize("days", ["given", "refused"])
@pytest.mark.freeze_time(NOW)
async def test_months_that_never_agree(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    days: str,
) -> None:
    """They are read by the hour in one night, and not in every one after it.

    Half a per mille is more than rounding, and less than would make no sense. What is
    corrected later is found all the same.
    """
    cloud.quirks.month_factor = 1.0005
    if days == "refused":
        cloud.quirks.depth = {"D": datetime(2027, 1, 1, tzinfo=UTC)}
    first = await audit(hass, cloud, entry)
    assert first.count("H") > 2
    assert "D" in first
    assert await audit(hass, cloud, entry) == ["H", "M", "H"]
    start = dt_util.utcnow() - timedelta(days=100)
    site.revise(start, start + timedelta(days=1), factor=2.0, at=CREATED)
    await audit(hass, cloud, entry)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_what_the_cloud_gives_again(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
) -> None:
    """What lies before its depth is asked for once a week, and added in front."""
    await hass.config.async_set_time_zone("Europe/Zurich")
    site.created = datetime(2026, 4, 30, 22, tzinfo=UTC)
    kept = datetime(2026, 5, 31, 22, tzinfo=UTC)
    cloud.quirks.depth = {"": kept}
    entry = entry_for(site, meters=[site.meter("Appartement 1.1").id])
    await set_up(hass, entry)
    await history_done(entry)
    statistic = f"climkit:{site.id}_consumption"
    # Whoever asks for the rest asks for three hours more.
    too_old = f"{kept - timedelta(hours=12):%Y-%m-%dT%H:%M:%S}"
    nights = []
    for _ in range(7):
        before = len(cloud.requests)
        await later(hass, freezer, timedelta(days=1))
        asked = [request.json or {} for request in cloud.requests[before:]]
        nights.append(any(body.get("t_s", "x") < too_old for body in asked))
    assert nights.count(True) == 1
    assert min(await rows_of(hass, statistic)) == kept
    cloud.quirks.depth = {}
    for _ in range(nights.index(True) + 1):
        await later(hass, freezer, timedelta(days=1))
    model = model_hours(site, "conso_total", site.created, kept, at=dt_util.utcnow())
    rows = await rows_of(hass, statistic)
    assert_equal({hour: row for hour, row in rows.items() if hour < kept}, model)
