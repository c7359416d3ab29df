"""Costs stay in line with readings and tariffs, whatever becomes of either.

Expected costs are the model's quarter hours, times prices from paper.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import NOW, later
from tests.ledger import HOUR, rows_of
from tests.simulator import SimulatedSite, Simulator

from ..pricing import (
    HALVES,
    add,
    assert_costs,
    in_halves,
    model_costs,
    quarter_questions,
    started,
)

pytestmark = [pytest.mark.statistics_only, pytest.mark.usefixtures("backend")]


@pytest.mark.freeze_time(NOW)
async def test_a_new_version_touches_nothing_before(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    """From its first local midnight on; and as it was, once it is deleted."""
    await started(hass, entry)
    await add(hass, entry, "grid", price=0.30)
    id_ = f"climkit:{site.id}_grid_import_cost"
    first = await rows_of(hass, id_)
    newer = await add(hass, entry, "grid", price=0.40, valid_from="2026-06-13")
    begin = datetime(2026, 6, 12, 22, tzinfo=UTC)
    second = await rows_of(hass, id_)
    assert {h: row for h, row in second.items() if h < begin} == {
        h: row for h, row in first.items() if h < begin
    }
    assert second.keys() == first.keys()
    for hour in first.keys() - {h for h in first if h < begin}:
        assert second[hour][0] == pytest.approx(first[hour][0] * 4 / 3)
    hass.config_entries.async_remove_subentry(entry, newer.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    third = await rows_of(hass, id_)
    assert third == {hour: pytest.approx(row, abs=1e-6) for hour, row in first.items()}


@pytest.mark.freeze_time(NOW)
async def test_deleted(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """Rows vanish, and the statistic stays under its name."""
    await started(hass, entry)
    version = await add(
        hass, entry, "grid", price=0.30, monthly_fee=7.2, valid_from="2026-05-20"
    )
    ids = [f"climkit:{site.id}_{kind}" for kind in ("grid_import_cost", "fees")]
    for id_ in ids:
        assert await rows_of(hass, id_)
    hass.config_entries.async_remove_subentry(entry, version.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    for id_ in ids:
        assert not await rows_of(hass, id_)
    known = await get_instance(hass).async_add_executor_job(
        lambda: get_metadata(hass, statistic_ids=set(ids))
    )
    names = {id_: metadata["name"] for id_, (_, metadata) in known.items()}
    assert names == {
        ids[0]: f"{site.name} Grid import cost",
        ids[1]: f"{site.name} Fees",
    }
    assert entry.runtime_data.pricing.series() == ()


@pytest.mark.freeze_time(NOW)
async def test_revised_energy(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """Costs follow what the audit finds: of hours with two prices, by their quarters."""
    await started(hass, entry)
    await add(hass, entry, "grid", **HALVES)
    start = datetime(2026, 6, 12, 4, tzinfo=UTC)
    site.revise(start, start + HOUR, factor=2)
    await entry.runtime_data.audit.async_run()
    await hass.async_block_till_done(wait_background_tasks=True)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, in_halves))


@pytest.mark.freeze_time(NOW)
async def test_changed_while_not_running(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """A restart prices nothing anew, but what has changed meanwhile."""
    await started(hass, entry)
    version = await add(hass, entry, "grid", **HALVES)
    id_ = f"climkit:{site.id}_grid_import_cost"
    rows = await rows_of(hass, id_)
    before = len(cloud.requests)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await rows_of(hass, id_) == rows
    assert quarter_questions(cloud, before) == 1  # the poll
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_subentry(
        entry, version, data=dict(version.data) | {"pricing": "fixed", "price": 0.5}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    rows = await rows_of(hass, id_)
    assert_costs(rows, model_costs(site, lambda _: 0.5))


@pytest.mark.freeze_time(NOW)
async def test_cleared(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Whoever clears the costs gets them anew with the next hour."""
    await started(hass, entry)
    await add(hass, entry, "grid", price=0.30)
    id_ = f"climkit:{site.id}_grid_import_cost"
    cleared = asyncio.Event()

    def done() -> None:
        hass.loop.call_soon_threadsafe(cleared.set)

    get_instance(hass).async_clear_statistics([id_], on_done=done)
    await cleared.wait()
    assert not await rows_of(hass, id_)
    await later(hass, freezer, timedelta(hours=2))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_costs(await rows_of(hass, id_), model_costs(site, lambda _: 0.30))


DAMAGED: dict[str, Any] = {
    "tariffs": {"tariffs": [7]},
    "what is to be done": {"todo": [[["climkit:x_cost"], ["now"]]]},
    "hours": {"coarse": {"climkit:x_cost": [["soon", "later"]]}},
    "all": ["x"],
}


@pytest.mark.statistics_only
@pytest.mark.parametrize("backend", ["table"], indirect=True)
@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.freeze_time(NOW)
async def test_what_was_kept_is_damaged(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    caplog: pytest.LogCaptureFixture,
    damage: Any,
) -> None:
    """All is priced anew, by the tariffs of now, and it is said."""
    await started(hass, entry)
    version = await add(hass, entry, "grid", price=0.30)
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[f"climkit.{entry.entry_id}.costs"]["data"] = damage
    hass.config_entries.async_update_subentry(
        entry, version, data=dict(version.data) | {"price": 0.40}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert caplog.text.count("what was kept is damaged") == 1
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, lambda _: 0.40))
