"""Every fault of what is asked beside the energy, and of the list of sites in flows.

Nothing of the electricity may suffer from them, and nothing be shown that is not true.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import logging
from math import isclose
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import transport
from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for
from .fast_clock import fast_clock
from .life import Life
from .outcomes import FAULTS, cases
from .setup_flow.dialog import credentials_form
from .simulator import Fault, SimulatedSite, Simulator, sites
from .simulator.model import register

CREATED: Final = datetime(2026, 6, 14, 22, tzinfo=UTC)
"""So recent that there is no history to import."""
METER: Final = "Appartement 1.1"
VALUES: Final = "sensor_data|meter_data_raw"
USABLE: Final = {
    *("wait", "slow", "empty_list", "nan", "nulls", "all_null", "missing_keys"),
    *("missing_timestamps", "bad_rows", "duplicates", "shuffled", "reversed"),
    *("strings", "garbage_values"),
}
"""Faults that leave an answer something of which may be used."""
LIST_OF_SITES: Final = {"cannot_connect", "rate_limited", "access_denied"}
"""What a form may say of it; that the credentials are wrong it does not know."""

pytestmark = [
    pytest.mark.rate_limit,
    pytest.mark.statistics_only,
    pytest.mark.freeze_time(NOW),
]


@pytest.fixture
def site() -> SimulatedSite:
    site = sites.with_environment_sensors(created=CREATED)
    del site.sensors[2:]
    return site


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[site.meter(METER).id])


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Take small bodies for huge, and spare the log what the database is asked."""
    monkeypatch.setattr(transport, "MAX_BODY", 2_000_000)
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.INFO, "homeassistant")


class Rooms(Life):
    """A life of a site with sensors of the surroundings and a register that is shown."""

    def enable_register(self) -> None:
        """Have the meter's register shown from the beginning."""
        self.register_id = f"{self.cloud.sites[0].meter(METER).id}_index_import"
        er.async_get(self.hass).async_get_or_create(
            "sensor", DOMAIN, self.register_id, config_entry=self.entry
        )

    def shown(self, unique_id: str) -> float | None:
        """Return what a sensor shows, None if it shows that it does not know."""
        registry = er.async_get(self.hass)
        entity_id = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        state = self.hass.states.get(entity_id) if entity_id else None
        if state is None or state.state in (STATE_UNKNOWN, STATE_UNAVAILABLE):
            return None
        return float(state.state)

    def truth(self) -> dict[str, list[float]]:
        """Return all that each sensor should ever have shown, oldest first."""
        site = self.cloud.sites[0]
        first, last = (int(t.timestamp()) // 900 for t in (CREATED, dt_util.utcnow()))
        found = {
            sensor.id: [v for _, v in sensor.readings(first, last + 1, site.time_zone)]
            for sensor in site.sensors
        }
        meter = site.meter(METER)
        published = site.horizon(meter.type, dt_util.utcnow())
        counted = register(site, meter, first, published)["en_im"].cumsum()
        offset = 100.0 * (sum(meter.id.encode()) % 97)
        found[self.register_id] = [float(value) + offset for value in counted]
        return found

    async def nothing_untrue(self, *, known: bool) -> None:
        """Compare all that is shown; `known` if it must be the newest."""
        for unique_id, values in self.truth().items():
            value = self.shown(unique_id)
            if known:
                assert value is not None, unique_id
            expected = values[-6:] if known else values
            assert value is None or _is_among(value, expected), unique_id
        assert not self.reauth
        await self.nothing_invented(complete=True)

    async def broken_by(self, fault: dict[str, Any], path: str) -> int:
        """Go through a fault of polls; return how many things are told to be broken."""
        self.caplog.clear()
        self.cloud.faults.add(Fault(path=path, **fault))
        await self.minutes(80)
        await self.nothing_untrue(known=False)
        return self.lines()[0]


def _is_among(value: float, values: Iterable[float]) -> bool:
    return any(isclose(value, known, abs_tol=0.0006) for known in values)


@pytest.mark.parametrize(("path", "name"), cases("sensors_list", VALUES))
async def test_beside(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
    path: str,
    name: str,
) -> None:
    listing, paused = path == "sensors_list", name == "429 long"
    life = Rooms(hass, cloud, entry, caplog)
    with fast_clock(freezer):
        cloud.faults.add(Fault(path=path, **FAULTS[name]))
        entry.add_to_hass(hass)
        life.enable_register()
        await hass.config_entries.async_setup(entry.entry_id)
        await life.minutes(20)
        assert entry.state is ConfigEntryState.LOADED
        live = entry.runtime_data.live[0]
        assert live.last_update_success or paused
        cloud.faults.clear()
        if listing:
            # Listed once a day, and at a restart.
            await hass.config_entries.async_reload(entry.entry_id)
        await life.minutes(80)
        await life.nothing_untrue(known=True)

        down = await life.broken_by(FAULTS[name], path)
        data = entry.runtime_data
        assert live.last_update_success or paused
        broken = [not c.last_update_success for c in (data.environment, data.registers)]
        # A list that fails takes nothing away from what is shown.
        assert down <= (3 if paused else 0 if listing else 1 if name in USABLE else 2)
        assert down >= sum(broken) or paused
        if not (listing or name in USABLE or name.startswith("429")):
            assert down == 2
        cloud.faults.clear()
        await life.minutes(80)
        assert life.lines() == (down, down) or (paused and len({*life.lines()}) == 1)
        await life.nothing_untrue(known=True)
        life.keeps_the_limit()
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(("endpoint", "name"), cases("all_installations"))
async def test_flows(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
    endpoint: str,
    name: str,
) -> None:
    """A form says what is wrong, or goes on; once the fault is gone, it goes on."""
    cloud.sites += sites.many(1, created=CREATED)
    entry.add_to_hass(hass)
    with fast_clock(freezer):
        cloud.faults.add(Fault(path=endpoint, **FAULTS[name]))
        for result in await _flows(hass, entry):
            errors = (result.get("errors") or {}).values()
            assert set(errors) <= {*LIST_OF_SITES, "site_not_visible"}
            if result["type"] is FlowResultType.FORM:
                hass.config_entries.flow.async_abort(result["flow_id"])
        cloud.faults.clear()
        await asyncio.sleep(901)
        user, reauth = await _flows(hass, entry)
        assert user["step_id"] == "meters"
        assert reauth["reason"] == "reauth_successful"
        await asyncio.sleep(60)
        assert entry.state is ConfigEntryState.LOADED
        times = [request.time for request in cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))
        await hass.config_entries.async_unload(entry.entry_id)


async def _flows(
    hass: HomeAssistant, entry: MockConfigEntry
) -> tuple[ConfigFlowResult, ConfigFlowResult]:
    """Type the credentials for a new site, and anew for the one there is."""
    typed = {"username": "demo", "password": "demo"}
    flows = hass.config_entries.flow
    user = await credentials_form(hass)
    reauth = await entry.start_reauth_flow(hass)
    # In this order: what is accepted for a new site is no longer asked for the other.
    renewed = await flows.async_configure(reauth["flow_id"], typed)
    return await flows.async_configure(user["flow_id"], typed), renewed
