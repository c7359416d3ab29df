"""Every endpoint and every fault, through a whole life: afterwards every hour is right.

Generated, not chosen. Waiting takes no time here: see fast_clock.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import logging
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import transport
from custom_components.climkit.audit import Audit
from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for
from .fast_clock import fast_clock
from .ledger import HOURLY_ROUNDING, WIRE, model_hours, rows_of
from .simulator import Fault, SimulatedSite, Simulator, sites

BEGINNING: Final = datetime(2026, 6, 12, 22, tzinfo=UTC)

STATUSES: Final = (400, 401, 403, 404, 413, 500, 503)
RETRY_AFTER: Final = {
    "seconds": "7",
    "date": "Tue, 16 Jun 2026 10:07:00 GMT",
    "past": "Tue, 16 Jun 2026 09:00:00 GMT",
    "long": "900",
    "negative": "-5",
    "nonsense": "soon",
}
BODIES: Final = (
    *("html", "truncated", "wrong_type", "empty_body", "empty_list", "error_object"),
    *("nan", "nulls", "all_null", "missing_keys", "missing_timestamps", "bad_rows"),
    *("duplicates", "shuffled", "reversed", "strings", "garbage_values"),
)
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "refuse": {"kind": "refuse"},
    "reset": {"kind": "reset"},
    "hang": {"kind": "hang"},
    "wait": {"kind": "wait", "delay": 20.0},
    "slow": {"kind": "slow", "delay": 20.0},
    **{str(code): {"kind": "status", "status": code} for code in STATUSES},
    "502 html": {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"},
    "429": {"kind": "status", "status": 429},
    **{
        f"429 {form}": {"kind": "status", "status": 429, "headers": {"Retry-After": at}}
        for form, at in RETRY_AFTER.items()
    },
    "redirect elsewhere": {"kind": "redirect", "location": "http://127.0.0.2:9/"},
    "redirect forever": {"kind": "redirect"},
    "huge": {"kind": "huge", "size": 3_000_000},
    "deep": {"kind": "deep", "size": 100_000},
    **{kind: {"kind": kind} for kind in BODIES},
}
ENDPOINTS: Final = ("auth", "installation_infos", "meter_info", "site_data")
REFUSALS: Final = {"400", "401", "403", "error_object"}
"""What says that credentials are wrong, if /auth says it."""

SAMPLE: Final = {"hang", "401", "429 seconds", "502 html", "truncated", "nulls"}
"""Faults of which each endpoint is tried also where time is short."""


def _cases() -> Iterator[Any]:
    for endpoint in ENDPOINTS:
        for name in FAULTS:
            marks = () if name in SAMPLE else (pytest.mark.slow,)
            yield pytest.param(endpoint, name, id=f"{endpoint}, {name}", marks=marks)


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=BEGINNING)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    chosen = [
        site.meter(name).id for name in ("Appartement 1.1", "Installation solaire")
    ]
    return entry_for(site, meters=chosen)


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Take small bodies for huge, and spare the log what the database is asked."""
    monkeypatch.setattr(transport, "MAX_BODY", 2_000_000)
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.WARNING, "homeassistant.components.recorder")
    caplog.set_level(logging.INFO, "homeassistant")


class Life:
    """A site in Home Assistant, and what is always true of it."""

    def __init__(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        entry: MockConfigEntry,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Follow a life of an entry, with the fault off."""
        self.hass = hass
        self.cloud = cloud
        self.entry = entry
        self.caplog = caplog
        self.audits: list[Audit] = []

    async def minutes(self, number: float) -> None:
        """Let time pass."""
        await asyncio.sleep(number * 60)
        await self.hass.async_block_till_done()

    @property
    def reauth(self) -> bool:
        """Return whether the user is asked for other credentials."""
        return any(
            flow["context"]["source"] == "reauth"
            for flow in self.hass.config_entries.flow.async_progress()
        )

    def lines(self, text: str) -> int:
        """Return how many lines of the log of the live readings have a text."""
        return sum(
            "(live readings)" in record.message and text in record.message
            for record in self.caplog.records
            if record.levelno >= logging.INFO
        )

    async def recover(self) -> None:
        """Do what a user would, once the fault is gone: nothing but after a refusal."""
        self.cloud.faults.clear()
        if self.reauth:
            for flow in self.hass.config_entries.flow.async_progress():
                self.hass.config_entries.flow.async_abort(flow["flow_id"])
            await self.hass.config_entries.async_reload(self.entry.entry_id)
        if self.entry.state is ConfigEntryState.LOADED:
            # Once a day; what was refused from the start is tried again then.
            await self.entry.runtime_data.site.async_refresh()
        await self.minutes(32)
        assert self.entry.state is ConfigEntryState.LOADED
        assert self.entry.runtime_data.live[0].last_update_success
        assert self.entry.runtime_data.site.last_update_success

    async def audit(self) -> None:
        """Do what is done every night."""
        await self.audits[-1].async_run()

    async def nothing_invented(self, *, complete: bool = False) -> None:
        """Compare all hours with the model, and the sums with the hours."""
        site = self.cloud.sites[0]
        now = dt_util.utcnow()
        end = self.entry.runtime_data.live[0].data.newest if complete else now
        for kind, column in WIRE.items():
            rows = await rows_of(self.hass, f"{DOMAIN}:{site.id}_{kind}")
            if kind.startswith("battery"):
                assert not rows
                continue
            model = model_hours(site, column, BEGINNING, end, at=now)
            assert rows.keys() <= model.keys()
            if complete:
                assert rows.keys() == model.keys(), kind
            wrong = {h for h in rows if abs(rows[h][0] - model[h]) > HOURLY_ROUNDING}
            assert not wrong, kind

    def keeps_the_limit(self) -> None:
        """Make sure that no request came less than a second after another."""
        times = [request.time for request in self.cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))


@pytest.fixture
def life(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Life]:
    """Return a life of the entry, with its audits at hand."""
    found = Life(hass, cloud, entry, caplog)

    def remember(audit: Audit) -> None:
        found.audits.append(audit)

    with patch.object(Audit, "async_schedule", remember):
        yield found


@pytest.mark.rate_limit
@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize(("endpoint", "name"), _cases())
async def test_a_fault(
    life: Life, freezer: FrozenDateTimeFactory, endpoint: str, name: str
) -> None:
    asyncio.get_running_loop().set_debug(False)
    refused = endpoint == "auth" and name in REFUSALS

    def strike() -> None:
        life.cloud.faults.add(Fault(path=endpoint, **FAULTS[name]))

    with fast_clock(freezer):
        # Set-up, and the import that follows it.
        strike()
        life.entry.add_to_hass(life.hass)
        await life.hass.config_entries.async_setup(life.entry.entry_id)
        await life.minutes(8)
        assert life.reauth == (refused or life.entry.state is _ERROR)
        assert life.reauth == refused
        await life.recover()
        await life.nothing_invented()

        # Polls, be the token old or not.
        life.caplog.clear()
        life.cloud.expire_tokens()
        strike()
        await life.entry.runtime_data.site.async_refresh()
        await life.minutes(40)
        assert life.reauth == refused
        down = life.lines("Error fetching") + life.lines("Authentication failed")
        # Each attempt of another kind may bring a pause, of which polls suffer.
        assert down <= (3 if name == "429 long" and endpoint != "site_data" else 1)
        await life.recover()
        assert life.lines("recovered") == (0 if refused else down)
        await life.nothing_invented()

        # The night's check, of a revision.
        start = BEGINNING + timedelta(hours=30)
        life.cloud.sites[0].revise(start, start + timedelta(hours=9), factor=1.25)
        strike()
        life.cloud.expire_tokens()
        await life.audit()
        life.cloud.faults.clear()
        await life.minutes(16)
        await life.audit()
        await life.minutes(16)
        await life.nothing_invented(complete=not refused)

        # Actions.
        await _act(life, strike)
        await life.recover()
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
