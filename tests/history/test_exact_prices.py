"""Quarter hours that are fetched to price by: late, refused, or not for everybody.

Until they are there, the mean of both prices stands.
"""

from datetime import datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.metering.hours import HOUR
from tests.conftest import NOW, later
from tests.ledger import rows_of
from tests.simulator import Fault, SimulatedSite, Simulator

from .pricing import (
    HALVES,
    add,
    assert_costs,
    flat,
    in_halves,
    model_costs,
    quarter_questions,
    started,
)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]

UNEVEN = (4, 18)
"""UTC hours in which the price changes, at half past."""


async def assert_by_the_mean(
    hass: HomeAssistant, statistic: str, energy: str, until: datetime
) -> None:
    """Compare the hours with two prices with what the mean of both makes of them."""
    rows, used = await rows_of(hass, statistic), await rows_of(hass, energy)
    uneven = [hour for hour in rows if hour.hour in UNEVEN and hour < until]
    assert uneven
    assert {hour: rows[hour][0] for hour in uneven} == {
        hour: pytest.approx(used[hour][0] * 0.25) for hour in uneven
    }


POLLED = datetime.fromisoformat("2026-06-14T00:00:00+00:00")
"""Since when, at the latest, the polls tell quarter hours themselves."""


async def test_days_far_apart(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """On Wednesdays the price is another one: what lies between is not asked for."""
    await started(hass, entry)
    before = len(cloud.requests)
    zones = [{**HALVES["zones"][0], "days": ["wed"]}]
    await add(hass, entry, "grid", **HALVES | {"zones": zones})
    assert quarter_questions(cloud, before) == 2

    def price(local: datetime) -> float:
        return in_halves(local) if local.isoweekday() == 3 else 0.20

    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, price))


async def test_the_cloud_is_away(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    """It is asked again by and by; by nobody once the entry is unloaded."""
    await started(hass, entry)
    grid = f"climkit:{site.id}_grid_import"
    fault = cloud.faults.add(Fault("refuse", path="site_data"))
    await add(hass, entry, "grid", **HALVES)
    await assert_by_the_mean(hass, f"{grid}_cost", grid, POLLED)
    asked = len(cloud.requests)
    await later(hass, freezer, timedelta(minutes=2))
    assert len(cloud.requests) > asked
    await hass.config_entries.async_unload(entry.entry_id)
    asked = len(cloud.requests)
    await later(hass, freezer, timedelta(hours=1))
    assert len(cloud.requests) == asked
    cloud.faults.remove(fault)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_costs(await rows_of(hass, f"{grid}_cost"), model_costs(site, in_halves))


async def test_credentials_are_refused(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """The user is asked once; with the right ones the rest is fetched."""
    await started(hass, entry)
    grid = f"climkit:{site.id}_grid_import"
    cloud.expire_tokens()
    fault = cloud.faults.add(Fault("status", path="auth", status=401))
    await add(hass, entry, "grid", **HALVES)
    await assert_by_the_mean(hass, f"{grid}_cost", grid, POLLED)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    asked = len(cloud.requests)
    await add(hass, entry, "solar", **HALVES)
    assert len(cloud.requests) == asked
    cloud.faults.remove(fault)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_costs(await rows_of(hass, f"{grid}_cost"), model_costs(site, in_halves))


async def test_a_meter_whose_quarters_are_refused(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It costs itself, and is asked again the next day."""
    me = flat(site)
    cloud.quirks.without_columns = (me,)
    await started(hass, entry)

    def hitting(endpoint: str, path: str) -> Fault | None:
        asked = (cloud.requests[-1].json or {}).get("sampling_frequency")
        refused = endpoint == "meter_data" and asked in ("15T", "15min")
        return Fault("status", status=400) if refused else None

    with monkeypatch.context() as patch:
        patch.setattr(cloud.faults, "hitting", hitting)
        await add(hass, entry, "grid", **HALVES)
    grid, mine = f"climkit:{site.id}_grid_import", f"climkit:{me}_grid_consumption"
    assert_costs(await rows_of(hass, f"{grid}_cost"), model_costs(site, in_halves))
    await assert_by_the_mean(hass, f"{mine}_cost", mine, POLLED)
    before = len(cloud.requests)
    await later(hass, freezer, timedelta(hours=1))
    assert quarter_questions(cloud, before) == 1  # the poll
    await later(hass, freezer, timedelta(hours=23))
    await later(hass, freezer, timedelta(hours=1))
    rows = await rows_of(hass, f"{mine}_cost")
    assert_costs(rows, model_costs(site, in_halves, f"ext_{me}"))


async def test_revised_while_nobody_could_ask(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    """Quarters that a poll has told do not price what was revised after it.

    The cloud is away for nine hours, in which an hour with two prices is revised and
    leaves the window of the polls. It is read by the hour before the next poll.
    """
    await started(hass, entry)
    await add(hass, entry, "grid", **HALVES)
    fault = cloud.faults.add(Fault("refuse", path="site_data"))
    await later(hass, freezer, timedelta(hours=9, minutes=10))
    hour = datetime.fromisoformat("2026-06-14T18:00:00+00:00")
    site.revise(hour + HOUR / 2, hour + HOUR, add=2.0)
    cloud.faults.remove(fault)
    data = {"config_entry_id": entry.entry_id, "start": "2026-06-14"}
    await hass.services.async_call("climkit", "import_history", data, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    for _ in range(2):
        await later(hass, freezer, timedelta(minutes=20))
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, in_halves))
