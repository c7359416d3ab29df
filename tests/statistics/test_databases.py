"""The databases that users have: the same import, the same corrections, the same rows."""

from collections.abc import Iterator
from datetime import datetime, timedelta
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component import patch_time
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from ..conftest import NOW, entry_for, history_done, set_up
from ..databases import Unavailable, server
from ..ledger import assert_equal, model_hours, rows_of
from ..simulator import SimulatedSite, Simulator, sites

CREATED = dt_util.parse_datetime("2026-05-01T22:00:00+00:00", raise_on_error=True)


@pytest.fixture(params=["postgresql", "mariadb"])
def recorder_db_url(
    request: pytest.FixtureRequest,
    hass_fixture_setup: list[bool],
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """Run a database server, and let the recorder use it."""
    assert not hass_fixture_setup
    if request.param == "mariadb":
        _know_stopped_time(monkeypatch)
    try:
        with server(request.param) as url:
            yield url
    except Unavailable as err:
        pytest.skip(str(err))


def _know_stopped_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver write the times of a clock that stands still, a class of its own."""
    converters: Any = pytest.importorskip("pymysql.converters", reason="no PyMySQL")
    time = patch_time.HAFakeDatetime
    monkeypatch.setitem(converters.conversions, time, converters.escape_datetime)


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=CREATED)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[site.meter("Appartement 1.1").id])


@pytest.mark.database
@pytest.mark.slow
@pytest.mark.freeze_time(NOW)
async def test_import_and_corrections(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    assert get_instance(hass).engine.dialect.name in ("postgresql", "mysql")  # type: ignore[union-attr]
    await set_up(hass, entry)
    await history_done(entry)
    await _compare(hass, site, entry)

    # A correction in the middle moves all later sums with it, in one transaction.
    start = CREATED + timedelta(days=10)
    site.revise(start, start + timedelta(days=2), factor=1.5)
    await hass.services.async_call(
        DOMAIN, "import_history", {"config_entry_id": entry.entry_id}, blocking=True
    )
    await _compare(hass, site, entry)

    # Nothing is fetched or written twice after a restart.
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    await _compare(hass, site, entry)


async def _compare(
    hass: HomeAssistant, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    newest: datetime = entry.runtime_data.live[0].data.newest
    meter = site.meter("Appartement 1.1").id
    columns = {
        f"{site.id}_consumption": "conso_total",
        f"{site.id}_grid_export": "to_ext",
        f"{meter}_consumption": f"total_{meter}",
        f"{meter}_solar_consumption": f"self_{meter}",
    }
    for series, column in columns.items():
        rows = await rows_of(hass, f"{DOMAIN}:{series}")
        assert_equal(rows, model_hours(site, column, CREATED, newest))
