"""Every endpoint and every fault, through a whole life: afterwards every hour is right.

Generated, not chosen: all of them once a week, every day one of each outcome, see
outcomes. Waiting takes no time here: see fast_clock.
"""

from collections.abc import Iterator
from datetime import timedelta
import logging
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import transport
from custom_components.climkit.const import DOMAIN
from custom_components.climkit.history.audit import HistoryAudit

from .conftest import NOW, entry_for
from .fast_clock import fast_clock
from .life import BEGINNING, Life
from .outcomes import FAULTS, OUTCOMES, REFUSALS, Outcome, cases
from .simulator import Fault, SimulatedSite, Simulator, sites

ENDPOINTS: Final = ("auth", "installation_infos", "meter_info", "site_data")
OF_METERS: Final = ("meter_data", "meter_data of a resident")
"""The same for a meter without columns at the site, and for one who has it alone."""
FLAT: Final = "Appartement 1.1"


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site: what is followed is a flat, a plant and the site's own flows."""
    return sites.many(1, created=BEGINNING)[0]


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    chosen = [site.meter(name).id for name in (FLAT, "Installation solaire")]
    return entry_for(site, meters=chosen)


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Take small bodies for huge, and spare the log what the database is asked."""
    monkeypatch.setattr(transport, "MAX_BODY", 2_000_000)
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.WARNING, "homeassistant.components.recorder")
    caplog.set_level(logging.INFO, "homeassistant")


@pytest.fixture
def life(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Life]:
    """Return a life of the entry, with its audits at hand."""
    found = Life(hass, cloud, entry, caplog)
    flat = cloud.sites[0].meter(FLAT).id
    endpoint = request.node.callspec.params["endpoint"]
    if endpoint == OF_METERS[0]:
        cloud.quirks.without_columns = (flat,)
        found.follow_meter(flat)
    elif endpoint == OF_METERS[1]:
        cloud.quirks.resident_rows = "refused"
        cloud.grant("demo", [cloud.sites[0].id], [flat])
        found.follow_meter(flat, alone=True)

    def remember(audit: HistoryAudit) -> None:
        found.audits.append(audit)

    with patch.object(HistoryAudit, "async_schedule", remember):
        yield found


@pytest.mark.rate_limit
@pytest.mark.statistics_only
@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(
    ("endpoint", "name"),
    cases(*ENDPOINTS, *OF_METERS),
)
async def test_a_fault(
    life: Life, freezer: FrozenDateTimeFactory, endpoint: str, name: str
) -> None:
    refused = endpoint == "auth" and name in REFUSALS
    path = endpoint.split(maxsplit=1)[0]
    # What was refused may be left in peace for an hour, though all else is back.
    denied = OUTCOMES[path][name] is Outcome.NO_ACCESS

    def strike() -> None:
        life.cloud.faults.add(Fault(path=path, **FAULTS[name]))

    with fast_clock(freezer):
        # Set-up, and the import that follows it.
        strike()
        life.entry.add_to_hass(life.hass)
        await life.hass.config_entries.async_setup(life.entry.entry_id)
        await life.minutes(8)
        assert life.reauth == (refused or life.entry.state is _ERROR)
        assert life.reauth == refused
        await life.recover(to_the_end=denied)
        await life.nothing_invented()

        # Polls, be the token old or not.
        life.caplog.clear()
        life.cloud.expire_tokens()
        strike()
        await life.entry.runtime_data.site.async_refresh()
        await life.minutes(40)
        assert life.reauth == refused
        down, _ = life.lines()
        # A long pause may come anew with each attempt of another kind, between polls;
        # also with the last one before the cloud recovers.
        is_long = name == "429 long"
        assert down == 1 or not life.broken or is_long
        assert down <= (3 if is_long else 1)
        await life.recover(to_the_end=denied)
        said, back = life.lines()
        assert said == down or (is_long and down < said <= 3)
        assert back == (0 if refused else said)
        await life.nothing_invented()

        # The night's check, of a revision.
        start = BEGINNING + timedelta(hours=30)
        life.cloud.sites[0].revise(start, start + timedelta(hours=9), factor=1.25)
        strike()
        life.cloud.expire_tokens()
        await life.audit()
        life.cloud.faults.clear()
        tried = len(life.cloud.requests.to("auth"))
        await life.minutes(16)
        await life.audit()
        await life.minutes(16)
        if refused:  # nobody asks while the user is asked: the revision is found below
            assert len(life.cloud.requests.to("auth")) == tried
        else:
            await life.nothing_invented(complete=True)

        # Actions.
        await _act(life, strike)
        await life.recover(to_the_end=True)
        await life.audit()
        await life.minutes(16)
        await life.nothing_invented(complete=True)
        assert life.entry.runtime_data.history.data == 100
        life.keeps_the_limit()
        await life.hass.config_entries.async_unload(life.entry.entry_id)


_ERROR: Final = ConfigEntryState.SETUP_ERROR


async def _act(life: Life, strike: Any) -> None:
    """Call both actions with a fault; they work, or say in words why they don't."""
    data = {"config_entry_id": life.entry.entry_id}
    said: list[str | None] = []
    strike()
    life.cloud.expire_tokens()
    for action in ("import_history", "get_readings"):
        try:
            await life.hass.services.async_call(
                DOMAIN,
                action,
                data,
                blocking=True,
                return_response=action == "get_readings",
            )
        except HomeAssistantError as err:
            said.append(err.translation_key)
    assert all(said)
    life.cloud.faults.clear()
