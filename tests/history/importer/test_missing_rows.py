"""Rows that statistics lack, since they are new or were deleted, are fetched."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import text

from tests.conftest import NOW, history_done, later, set_up
from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import SimulatedSite, Simulator

from .whole_history import CREATED, assert_history

pytestmark = pytest.mark.statistics_only


@pytest.mark.freeze_time(NOW)
async def test_a_cleared_statistic_comes_back(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Somebody deletes a statistic in the developer tools: it is fetched again."""
    await set_up(hass, entry)
    await history_done(entry)
    get_instance(hass).async_clear_statistics([f"climkit:{site.id}_grid_export"])
    await async_wait_recording_done(hass)
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_an_older_database(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A backup without the last twenty days is filled up, also while running."""
    await set_up(hass, entry)
    await history_done(entry)
    horizon = (dt_util.utcnow() - timedelta(days=20)).timestamp()
    with get_instance(hass).get_session() as session:
        session.execute(text(f"DELETE FROM statistics WHERE start_ts > {horizon}"))
        session.commit()
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_a_meter_chosen_later(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """A meter that is added to the choice gets its whole history."""
    await set_up(hass, entry)
    await history_done(entry)
    flat = site.meter("Appartement 3.2").id
    hass.config_entries.async_update_entry(
        entry, options={"meters": [*entry.options["meters"], flat]}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await history_done(entry)
    model = model_hours(
        site, f"total_{flat}", CREATED, dt_util.utcnow(), at=dt_util.utcnow()
    )
    assert_equal(await rows_of(hass, f"climkit:{flat}_consumption"), model)
    await assert_history(hass, site)


@pytest.mark.freeze_time(NOW)
async def test_cleared_while_it_is_imported(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows that vanish between question and answer: from the beginning, in a while."""
    await set_up(hass, entry)
    await history_done(entry)
    statistic = f"climkit:{site.id}_grid_export"
    left = [2]
    """Once for a poll to find it, and once in the middle of the import."""

    def hitting(endpoint: str, path: str) -> None:
        asked = (cloud.requests[-1].json or {}).get("sampling_frequency")
        if left[0] and asked == ("15T" if left[0] == 2 else "H"):
            left[0] -= 1
            get_instance(hass).async_clear_statistics([statistic])

    monkeypatch.setattr(cloud.faults, "hitting", hitting)
    for _ in range(6):
        await later(hass, freezer, timedelta(minutes=15))
    await history_done(entry)
    assert not left[0]
    await assert_history(hass, site)
