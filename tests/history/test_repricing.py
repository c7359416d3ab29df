"""What is priced anew, and what is not: exact costs stay while their prices do.

The cloud counts the questions: what stays exact is not asked for again. And what is
still to be done is kept, whatever comes in between.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import NOW, later
from tests.held_recorder import Hold
from tests.ledger import HOUR, chains_at_every_commit, rows_of
from tests.simulator import SimulatedSite, Simulator, sites

from .pricing import (
    CREATED,
    HALVES,
    add,
    assert_costs,
    change,
    flat,
    in_halves,
    model_costs,
    quarter_questions,
    started,
    subentry,
)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]

MIDDAY = {"price": 0.25, "from": "12:00:00", "to": "14:00:00"}
TENTH = datetime(2026, 6, 9, 22, tzinfo=UTC)
"""Of June, at midnight in Zurich."""


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site: columns that nobody reads cost time."""
    return sites.many(1, created=CREATED)[0]


def asked_since(cloud: Simulator, since: int) -> list[str]:
    """Return from when on quarter hours were asked for."""
    return [
        body["t_s"]
        for request in cloud.requests[since:]
        if (body := request.json or {}).get("sampling_frequency") == "15T"
    ]


async def test_hours_whose_prices_stay(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """Another zone at noon: the hours with two prices, exact, keep both, and stay."""
    await started(hass, entry)
    version = await add(hass, entry, "grid", **HALVES)
    before = len(cloud.requests)
    zones: list[dict[str, Any]] = [*HALVES["zones"], MIDDAY]
    await change(hass, entry, version, zones=zones)
    assert not quarter_questions(cloud, before)

    def price(local: datetime) -> float:
        return 0.25 if 12 <= local.hour < 14 else in_halves(local)

    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, price))


async def test_hours_whose_prices_change(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """From a new version on all is fetched again; what lies before it is not."""
    await started(hass, entry)
    await add(hass, entry, "grid", **HALVES)
    before = len(cloud.requests)
    newer = await add(
        hass, entry, "grid", **HALVES | {"price": 0.1}, valid_from="2026-06-10"
    )
    asked = asked_since(cloud, before)
    # Three hours earlier, since the cloud may take it for local time.
    assert asked
    assert all(at >= str(TENTH - timedelta(hours=3))[:10] for at in asked)

    def price(local: datetime) -> float:
        return 0.1 if in_halves(local) == 0.2 and local >= TENTH else in_halves(local)

    id_ = f"climkit:{site.id}_grid_import_cost"
    assert_costs(await rows_of(hass, id_), model_costs(site, price))
    hass.config_entries.async_remove_subentry(entry, newer.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_costs(await rows_of(hass, id_), model_costs(site, in_halves))


async def test_the_other_part_of_a_sum(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """A version of the grid ends on the 10th: from then on the sum stays as it was."""
    await started(hass, entry)
    me = flat(site)
    await add(hass, entry, "solar", **HALVES)
    await add(hass, entry, "grid", price=0.30)
    await add(hass, entry, "grid", price=0.40, valid_from="2026-06-10")
    id_ = f"climkit:{me}_consumption_cost"
    rows = await rows_of(hass, id_)
    before = len(cloud.requests)
    await add(hass, entry, "grid", price=0.35, valid_from="2026-06-08")
    asked = asked_since(cloud, before)
    assert all(at < str(TENTH)[:10] for at in asked)
    sun = model_costs(site, in_halves, f"self_{me}")

    def price(local: datetime) -> float:
        eighth = TENTH - timedelta(days=2)
        return 0.4 if local >= TENTH else 0.35 if local >= eighth else 0.3

    grid = model_costs(site, price, f"ext_{me}")
    found = await rows_of(hass, id_)
    assert_costs(found, {hour: grid[hour] + sun[hour] for hour in grid})
    assert {hour: row[0] for hour, row in found.items() if hour >= TENTH} == {
        hour: row[0] for hour, row in rows.items() if hour >= TENTH
    }


async def test_revised_far_apart(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """Two hours at one price each are revised: nothing between them is in question."""
    await started(hass, entry)
    await add(hass, entry, "grid", **HALVES)
    for day in (3, 12):
        start = datetime(2026, 6, day, 10, tzinfo=UTC)
        site.revise(start, start + HOUR, factor=2)
    before = len(cloud.requests)
    await entry.runtime_data.audit.async_run()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not quarter_questions(cloud, before)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, in_halves))


async def test_quarters_that_are_no_longer_there(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What the cloud tells no more of an exact hour takes nothing back from it."""
    await started(hass, entry)
    await add(hass, entry, "grid", **HALVES)
    id_ = f"climkit:{site.id}_grid_import_cost"
    exact = await rows_of(hass, id_)
    gone = datetime(2026, 6, 8, 18, tzinfo=UTC)
    site.outage(gone, gone + HOUR, until=datetime(2026, 12, 1, tzinfo=UTC))
    for hour in (
        datetime(2026, 6, 8, 4, tzinfo=UTC),
        datetime(2026, 6, 9, 4, tzinfo=UTC),
    ):
        site.revise(hour, hour + HOUR, factor=2)
    before = len(cloud.requests)
    await entry.runtime_data.audit.async_run()
    await hass.async_block_till_done(wait_background_tasks=True)
    await later(hass, freezer, timedelta(minutes=1))
    assert quarter_questions(cloud, before)
    rows = await rows_of(hass, id_)
    assert rows[gone][0] == exact[gone][0]


async def stop_in_the_middle(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: MockConfigEntry,
    **data: Any,
) -> None:
    """Add a tariff of the grid, and unload before a row of it is in the database."""
    key = f"climkit.{entry.entry_id}.costs"
    get_instance(hass).queue_task(hold := Hold())
    try:
        hass.config_entries.async_add_subentry(entry, subentry("grid", **data))
        while not hass_storage.get(key, {}).get("data", {}).get("todo"):
            await hass.async_add_executor_job(int)
        await hass.config_entries.async_unload(entry.entry_id)
    finally:
        hold.release.set()


async def test_stopped_in_the_middle(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    """Home Assistant stops before all is priced: it goes on when it starts."""
    await started(hass, entry)
    await stop_in_the_middle(hass, hass_storage, entry, price=0.30)
    ids = [
        f"climkit:{site.id}_grid_import_cost",
        f"climkit:{flat(site)}_grid_consumption_cost",
    ]
    for id_ in ids:
        assert not await rows_of(hass, id_)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    for id_, column in zip(ids, ("from_ext", f"ext_{flat(site)}"), strict=True):
        model = model_costs(site, lambda _: 0.30, column)
        assert_costs(await rows_of(hass, id_), model)


async def test_a_meter_that_goes_before_it_is_priced(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    """Nobody waits for it; chosen again, all of it is priced."""
    await started(hass, entry)
    me = flat(site)
    await stop_in_the_middle(hass, hass_storage, entry, price=0.30, meters=[me])
    id_ = f"climkit:{me}_grid_consumption_cost"
    for meters in ([], [me]):
        hass.config_entries.async_update_entry(entry, options={"meters": meters})
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        rows = await rows_of(hass, id_)
        model = model_costs(site, lambda _: 0.30, f"ext_{me}") if meters else {}
        assert_costs(rows, model)
        await hass.config_entries.async_unload(entry.entry_id)
        kept = hass_storage[f"climkit.{entry.entry_id}.costs"]["data"]
        assert kept["todo"] == []


async def test_fees_while_the_recorder_is_out_of_order(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An hour whose fee could not be written gets it when the recorder serves again."""
    await started(hass, entry)
    await add(hass, entry, "grid", price=0.30, monthly_fee=7.2)
    id_ = f"climkit:{site.id}_fees"
    before = await rows_of(hass, id_)
    with monkeypatch.context() as patch:
        patch.setattr(get_instance(hass), "_event_listener", None)
        await later(hass, freezer, HOUR)
    assert await rows_of(hass, id_) == before
    await later(hass, freezer, timedelta(minutes=1))
    rows = await rows_of(hass, id_)
    assert rows.keys() - before.keys() == {max(before) + HOUR}
    assert rows[max(rows)][0] == pytest.approx(7.2 / 720)


@pytest.mark.usefixtures("backend")
async def test_sums_while_all_is_priced_anew(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    """Tariffs change while readings are corrected: no sum is wrong at any moment.

    A version that begins later leaves hours without a price, whose rows go.
    """
    site.created = TENTH + timedelta(days=2)
    await started(hass, entry)
    version = await add(hass, entry, "grid", price=0.30)
    live, audit = entry.runtime_data.live[0], entry.runtime_data.audit
    prices: list[dict[str, Any]] = [
        {"price": 0.40, "valid_from": "2026-06-14"},
        {"price": 0.40, "valid_from": "2026-01-01"},
    ]
    with chains_at_every_commit(hass) as broken:
        for turn, data in enumerate(prices):
            start = datetime(2026, 6, 12 + turn, 4, tzinfo=UTC)
            site.revise(start, start + 5 * HOUR, factor=2)
            known = dict(entry.subentries[version.subentry_id].data)
            hass.config_entries.async_update_subentry(entry, version, data=known | data)
            await asyncio.gather(audit.async_run(), live.async_refresh())
            await hass.async_block_till_done(wait_background_tasks=True)
    assert not broken
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, lambda _: 0.40))
    me = flat(site)
    rows = await rows_of(hass, f"climkit:{me}_grid_consumption_cost")
    assert_costs(rows, model_costs(site, lambda _: 0.40, f"ext_{me}"))
