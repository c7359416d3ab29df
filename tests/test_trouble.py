"""Trouble in the life of a config entry, and how it recovers by itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .conftest import LATELY, NOW, history_done, later, set_up
from .ledger import rows_of
from .simulator import Fault, SimulatedSite, Simulator, sites
from .whole_history import assert_history

QUARTER = timedelta(minutes=15)

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small house: trouble is the same with four meters as with ten."""
    return sites.many(1, created=LATELY)[0]


@pytest.mark.parametrize(
    "kind",
    [
        "shuffled",
        "reversed",
        "duplicates",
        "strings",
        "nan",
        "bad_rows",
        "missing_timestamps",
    ],
)
@pytest.mark.freeze_time(NOW)
async def test_odd_rows(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    kind: str,
) -> None:
    """Rows may come in any order and form; what cannot be read is fetched again later."""
    fault = cloud.faults.add(Fault(kind, path="site_data"))  # type: ignore[arg-type]
    await set_up(hass, entry)
    await history_done(entry)
    cloud.faults.remove(fault)
    await later(hass, freezer, timedelta(minutes=20))
    await hass.services.async_call(
        "climkit", "import_history", {"config_entry_id": entry.entry_id}, blocking=True
    )
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_late_and_revised_quarters(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """What comes late, or is corrected, takes its hour at the next poll."""
    now = dt_util.utcnow()
    site.outage(now - timedelta(hours=5), now - timedelta(hours=3), until=now + QUARTER)
    site.revise(
        now - timedelta(hours=30),
        now - timedelta(hours=26),
        factor=1.5,
        at=now + 2 * QUARTER,
    )
    await set_up(hass, entry)
    await history_done(entry)
    rows = await rows_of(hass, f"climkit:{site.id}_consumption")
    assert datetime(2026, 6, 16, 6, tzinfo=UTC) not in rows
    for _ in range(12):
        await later(hass, freezer, timedelta(minutes=5))
    await assert_history(hass, site)


TROUBLE: dict[str, tuple[Callable[[], Fault], ConfigEntryState]] = {
    "cloud down": (lambda: Fault("refuse"), ConfigEntryState.SETUP_RETRY),
    "server error": (lambda: Fault("status", status=500), ConfigEntryState.SETUP_RETRY),
    "a page for JSON": (lambda: Fault("html"), ConfigEntryState.SETUP_RETRY),
    "truncated": (lambda: Fault("truncated"), ConfigEntryState.SETUP_RETRY),
    "wrong type": (lambda: Fault("wrong_type"), ConfigEntryState.SETUP_RETRY),
    "too many requests": (
        lambda: Fault("status", status=429, headers={"Retry-After": "3600"}),
        ConfigEntryState.SETUP_RETRY,
    ),
    "site not visible": (
        lambda: Fault("status", path="installation_infos", status=403),
        ConfigEntryState.SETUP_RETRY,
    ),
    "password refused": (
        lambda: Fault("status", path="auth", status=401),
        ConfigEntryState.SETUP_ERROR,
    ),
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.freeze_time(NOW)
async def test_trouble_at_set_up(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    trouble: str,
) -> None:
    """Set-up ends in the right state, and works by itself once the trouble is over."""
    make, state = TROUBLE[trouble]
    cloud.faults.add(make())
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is state
    asked = [f["context"]["source"] for f in hass.config_entries.flow.async_progress()]
    assert asked == ([SOURCE_REAUTH] if trouble == "password refused" else [])
    cloud.faults.clear()
    await later(hass, freezer, timedelta(hours=1, minutes=5))
    if trouble == "password refused":
        await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    await assert_history(hass, site)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as warning or error, but for the loop's own remarks.

    The loop measures how long a step took by the clock that the test moves.
    """
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name != "asyncio"
    ]


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.freeze_time(NOW)
async def test_trouble_at_a_poll(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    trouble: str,
) -> None:
    """Sensors become unavailable, one line says so, and all is right afterwards."""
    await set_up(hass, entry)
    await history_done(entry)
    make, _ = TROUBLE[trouble]
    fault = make()
    if trouble == "site not visible":
        fault.path = "site_data|meter_data"
    caplog.clear()
    cloud.faults.add(fault)
    for _ in range(8):
        await later(hass, freezer, timedelta(minutes=15))
    power = "sensor.immeuble_001_consumption_power"
    assert hass.states.get(power).state == STATE_UNAVAILABLE  # type: ignore[union-attr]
    assert len(complaints(caplog)) == 1
    flows = hass.config_entries.flow.async_progress()
    assert len(flows) == (1 if trouble == "password refused" else 0)
    cloud.faults.clear()
    if trouble == "password refused":
        await hass.config_entries.async_reload(entry.entry_id)
    for _ in range(5):
        await later(hass, freezer, timedelta(minutes=15))
    assert hass.states.get(power).state != STATE_UNAVAILABLE  # type: ignore[union-attr]
    assert len(complaints(caplog)) == 1
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_expired_token(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """A token that the cloud forgets early is renewed within the same poll."""
    await set_up(hass, entry)
    await history_done(entry)
    before = len(cloud.requests)
    cloud.faults.add(Fault("status", path="site_data", status=401, times=1))
    await later(hass, freezer, timedelta(minutes=20))
    # The next poll may be due at once: the schedule is still learning.
    assert [r.endpoint for r in cloud.requests[before : before + 4]] == [
        "auth",
        "site_data",
        "auth",
        "site_data",
    ]
    assert len(cloud.requests.to("auth")) == 3  # the first was at set-up
    state = hass.states.get("sensor.immeuble_001_consumption_power")
    assert state is not None
    assert state.state != STATE_UNAVAILABLE
