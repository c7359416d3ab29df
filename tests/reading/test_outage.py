"""One line when the cloud goes away and one when it is back, whoever notices it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import Fault, SimulatedSite, Simulator, sites

from ..conftest import NOW, entry_for
from ..entities.test_registers import enable
from ..fast_clock import fast_clock

CREATED = datetime(2026, 6, 14, 22, tzinfo=UTC)

pytestmark = [
    pytest.mark.rate_limit,
    pytest.mark.statistics_only,
    pytest.mark.freeze_time(NOW),
]

AWAY: dict[str, dict[str, Any]] = {
    "refuse": {"kind": "refuse"},
    "hang": {"kind": "hang"},
    "502": {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"},
    "html": {"kind": "html"},
}
"""Ways in which the cloud as a whole may be away."""


def everything() -> SimulatedSite:
    """Return a site for which all coordinators have something to ask."""
    site = sites.community(created=CREATED, heat=True)
    flats = ("Appartement 1.1", "Appartement 1.1 Chauffage", "Installation solaire")
    site.meters = [site.meter(name) for name in flats]
    site.sensors = sites.with_environment_sensors(created=CREATED).sensors[:2]
    return site


def heat_only() -> SimulatedSite:
    """Return a site whose live coordinator has nothing to ask."""
    site = everything()
    site.meters = [site.meter("Appartement 1.1 Chauffage")]
    return site


@pytest.fixture
def site(request: pytest.FixtureRequest) -> SimulatedSite:
    made: SimulatedSite = getattr(request, "param", everything)()
    return made


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site)


@pytest.fixture
async def loaded(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[MockConfigEntry]:
    """Set the site up with a register enabled; the clock jumps from then on."""
    caplog.set_level(logging.INFO, "custom_components.climkit")
    with fast_clock(freezer):
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        meter = cloud.sites[0].meters[0]
        key = "index" if meter.type == "heating" else "index_import"
        await enable(hass, entry, f"{meter.id}_{key}")
        await asyncio.sleep(1800)
        assert entry.state is ConfigEntryState.LOADED
        assert all(c.data for c in _background(entry))
        caplog.clear()
        yield entry
        await hass.config_entries.async_unload(entry.entry_id)


def _background(entry: MockConfigEntry) -> list[Any]:
    data = entry.runtime_data
    return [data.site, data.live[1], data.environment, data.registers]


def lines(caplog: pytest.LogCaptureFixture) -> tuple[list[str], list[str]]:
    """Return what a user reads in the log: complaints, and all-clears."""
    own = [r for r in caplog.records if r.name.startswith("custom_components.climkit")]
    return (
        [r.getMessage() for r in own if r.levelno >= logging.WARNING],
        [r.getMessage() for r in own if r.levelno == logging.INFO],
    )


@pytest.mark.parametrize(
    ("site", "way"),
    [
        (everything, "refuse"),
        (everything, "502"),
        (heat_only, "refuse"),
        pytest.param(everything, "hang", marks=pytest.mark.slow),
        pytest.param(heat_only, "html", marks=pytest.mark.slow),
    ],
    indirect=["site"],
)
async def test_cloud_away(
    loaded: MockConfigEntry,
    cloud: Simulator,
    site: SimulatedSite,
    caplog: pytest.LogCaptureFixture,
    way: str,
) -> None:
    """All five fail, one speaks; and so again the next time."""
    who = f"{site.name} ({'live' if len(site.meters) > 1 else 'daily'} readings)"
    for pause in (2700, 1200):
        caplog.clear()
        cloud.faults.add(Fault(**AWAY[way]))
        await asyncio.sleep(pause)
        await loaded.runtime_data.site.async_refresh()
        await asyncio.sleep(3900)
        assert not loaded.runtime_data.site.last_update_success
        assert not loaded.runtime_data.live[1].last_update_success
        down, up = lines(caplog)
        assert [line.split(" data: ")[0] for line in down] == [f"Error fetching {who}"]
        assert not up
        cloud.faults.clear()
        await asyncio.sleep(3900)
        assert all(c.last_update_success for c in _background(loaded))
        assert lines(caplog) == (down, [f"Fetching {who} data recovered"])


@pytest.mark.parametrize(
    ("path", "fault", "who"),
    [
        ("sensor_data", {"kind": "refuse"}, "environment"),
        ("sensor_data", {"kind": "status", "status": 500}, "environment), in part"),
        ("site_data/[^/]+/heating", {"kind": "reset"}, "daily readings"),
        pytest.param(
            *("meter_data_raw", {"kind": "hang"}, "registers"), marks=pytest.mark.slow
        ),
        pytest.param(
            *("meter_data_raw", {"kind": "html"}, "registers), in part"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *("installation_infos", {"kind": "status", "status": 500}, "site"),
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_failure_of_its_own(
    loaded: MockConfigEntry,
    cloud: Simulator,
    site: SimulatedSite,
    caplog: pytest.LogCaptureFixture,
    *,
    path: str,
    fault: dict[str, Any],
    who: str,
) -> None:
    """Told once, whatever it is; and it does not drown what happens to the rest."""
    fails = cloud.faults.add(Fault(path=path, **fault))
    await loaded.runtime_data.site.async_refresh()
    await asyncio.sleep(4500)
    assert fails.hits
    down, up = lines(caplog)
    assert len(down) == 1
    assert down[0].startswith(f"{site.name} ({who}")
    assert not up

    away = cloud.faults.add(Fault("refuse"))
    await asyncio.sleep(1800)
    cloud.faults.remove(away)
    await asyncio.sleep(1200)
    live = f"{site.name} (live readings)"
    assert len(lines(caplog)[0]) == 2
    assert lines(caplog)[0][1].startswith(f"Error fetching {live}")
    assert lines(caplog)[1] == [f"Fetching {live} data recovered"]

    cloud.faults.clear()
    await asyncio.sleep(3900)
    assert len(lines(caplog)[0]) == 2
    name = who if who.endswith("part") else f"{who})"
    assert lines(caplog)[1][1:] == [f"{site.name} ({name}: back again"]
