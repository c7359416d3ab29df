"""What energy cost, hour by hour: of the history, and of what polls bring.

Expected costs are the model's quarter hours, times prices from paper.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from sqlalchemy import event

from tests.conftest import NOW, entry_for, later
from tests.ledger import rows_of
from tests.simulator import SimulatedSite, Simulator

from ..pricing import (
    HALVES,
    add,
    assert_costs,
    flat,
    in_halves,
    model_costs,
    quarter_questions,
    started,
    subentry,
)

pytestmark = [pytest.mark.statistics_only, pytest.mark.usefixtures("backend")]


@pytest.mark.freeze_time(NOW)
async def test_history_and_polls_are_priced(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A tariff prices what is stored without a request; then what comes, with it."""
    await started(hass, entry)
    before = len(cloud.requests)
    await add(hass, entry, "grid", price=0.30)
    await add(hass, entry, "solar", price=0.20)
    await add(hass, entry, "feed_in", price=-0.01)
    assert len(cloud.requests) == before
    me = flat(site)

    async def check() -> None:
        rows = {
            kind: await rows_of(hass, f"climkit:{kind}")
            for kind in (
                f"{site.id}_grid_import_cost",
                f"{site.id}_grid_export_compensation",
                f"{site.id}_self_consumption_value",
                f"{me}_grid_consumption_cost",
                f"{me}_solar_consumption_cost",
                f"{me}_consumption_cost",
            )
        }
        grid = model_costs(site, lambda _: 0.30, f"ext_{me}")
        sun = model_costs(site, lambda _: 0.20, f"self_{me}")
        both = {hour: grid[hour] + sun[hour] for hour in grid}
        expected = [
            model_costs(site, lambda _: 0.30),
            model_costs(site, lambda _: -0.01, "to_ext"),
            model_costs(site, lambda _: 0.20, "self"),
            grid,
            sun,
            both,
        ]
        for found, model in zip(rows.values(), expected, strict=True):
            assert_costs(found, model)

    await check()
    await later(hass, freezer, timedelta(hours=2))
    await check()
    assert entry.runtime_data.pricing.unpriced_hours == 0


@pytest.mark.freeze_time(NOW)
async def test_half_hour_borders(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """Hours with two prices are priced by their quarters, which are asked for once."""
    await started(hass, entry)
    before = len(cloud.requests)
    await add(hass, entry, "grid", **HALVES)
    assert quarter_questions(cloud, before) == 1
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, in_halves))
    before = len(cloud.requests)
    await entry.runtime_data.audit.async_run()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not quarter_questions(cloud, before)
    assert await rows_of(hass, f"climkit:{site.id}_grid_import_cost") == rows


@pytest.mark.parametrize(
    ("now", "created"),
    [
        ("2026-04-02T10:05:00+00:00", datetime(2026, 3, 27, 23, tzinfo=UTC)),
        ("2026-10-29T10:05:00+00:00", datetime(2026, 10, 23, 22, tzinfo=UTC)),
    ],
)
async def test_days_on_which_the_clocks_change(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
    now: str,
    created: datetime,
) -> None:
    """Prices by the clock on the wall, at no request where the borders are full hours."""
    freezer.move_to(now)
    site.created = created
    entry = entry_for(site, meters=[])
    await started(hass, entry)
    before = len(cloud.requests)
    zones = [{"price": 0.30, "from": "07:00:00", "to": "20:00:00"}]
    await add(hass, entry, "grid", pricing="times", price=0.20, zones=zones)
    assert len(cloud.requests) == before
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    model = model_costs(site, lambda at: 0.30 if 7 <= at.hour < 20 else 0.20)
    assert_costs(rows, model)


@pytest.mark.freeze_time(NOW)
async def test_later_than_the_first_energy(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """No price, no row; the hours without one are counted."""
    await started(hass, entry)
    await add(hass, entry, "grid", price=0.30, valid_from="2026-06-13")
    begin = datetime(2026, 6, 12, 22, tzinfo=UTC)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
    assert_costs(rows, model_costs(site, lambda _: 0.30, since=begin))
    energy = await rows_of(hass, f"climkit:{site.id}_grid_import")
    without = [h for h, row in energy.items() if h < begin and row[0]]
    assert entry.runtime_data.pricing.unpriced_hours == len(without)


@pytest.mark.freeze_time("2026-07-05T10:05:00+00:00")
async def test_fees(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A month's fees add up to the fee, hour by hour, up to the hour that is over.

    They begin with the first day of the version, though readings do on the 3rd of July.
    """
    site.created = datetime(2026, 7, 2, 22, tzinfo=UTC)
    await started(hass, entry)
    me = flat(site)
    may = {"valid_from": "2026-05-30"}
    await add(hass, entry, "grid", price=0.30, monthly_fee=7.2, **may)
    await add(hass, entry, "solar", price=0.2, meters=[me], monthly_fee=3, **may)
    june = datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC)
    for owner, fee in ((site.id, 7.2), (me, 3)):
        rows = await rows_of(hass, f"climkit:{owner}_fees")
        amounts = [row[0] for hour, row in rows.items() if june[0] <= hour < june[1]]
        assert len(amounts) == 720
        assert sum(amounts) == pytest.approx(fee)
        assert min(rows) == datetime(2026, 5, 29, 22, tzinfo=UTC)
        assert max(rows) == datetime(2026, 7, 5, 9, tzinfo=UTC)
    await later(hass, freezer, timedelta(hours=1))
    rows = await rows_of(hass, f"climkit:{site.id}_fees")
    assert max(rows) == datetime(2026, 7, 5, 10, tzinfo=UTC)


@pytest.mark.statistics_only
@pytest.mark.freeze_time(NOW)
async def test_a_poll_without_news_writes_nothing(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, site: SimulatedSite
) -> None:
    """Neither energy nor costs nor fees, of whatever tariff."""
    site.created = datetime(2026, 6, 12, 22, tzinfo=UTC)
    await started(hass, entry)
    for version in (subentry("grid", **HALVES), subentry("solar", price=0.20)):
        hass.config_entries.async_add_subentry(entry, version)
    await add(
        hass, entry, "feed_in", price=0.08, monthly_fee=7.2, valid_from="2026-06-01"
    )
    await entry.runtime_data.live[0].async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    before = len(cloud.requests)
    with writes(hass) as written:
        await entry.runtime_data.live[0].async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
    assert len(cloud.requests) == before + 1
    assert not written


@contextmanager
def writes(hass: HomeAssistant) -> Iterator[list[str]]:
    """Yield the statements that change a row of a long-term statistic."""
    statements: list[str] = []
    engine = get_instance(hass).engine
    assert engine is not None
    heads = ("INSERT INTO STATISTICS ", "UPDATE STATISTICS ", "DELETE FROM STATISTICS ")

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        if " ".join(statement.upper().split()).startswith(heads):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
