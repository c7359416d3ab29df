"""What is priced anew, and what is not: exact costs stay while their prices do.

The cloud counts the questions: what stays exact is not asked for again.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import NOW, entry_for, later
from tests.ledger import HOUR, rows_of
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
)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]

MIDDAY = {"price": 0.25, "from": "12:00:00", "to": "14:00:00"}
TENTH = datetime(2026, 6, 9, 22, tzinfo=UTC)
"""Of June, at midnight in Zurich."""


@pytest.fixture
def site() -> SimulatedSite:
    return sites.community(created=CREATED)


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    return entry_for(site, meters=[flat(site)])


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
