"""Everything that is metered, at a site of each kind: every value is the model's."""

from datetime import time, timedelta
import re

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import NOW, later
from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import Publication, SimulatedSite, Simulator

from .kinds import CREATED, KINDS
from .listing import entities, ready
from .truth import series_of, truth

HOUR = timedelta(hours=1)
ROUNDING = 0.0006
"""Of each quarter hour, all being rounded to 0.001."""

pytestmark = pytest.mark.statistics_only


@pytest.mark.freeze_time(NOW)
@pytest.mark.usefixtures("everything_enabled")
@pytest.mark.parametrize("kind", KINDS, indirect=True)
async def test_values(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Every sensor of every flow shows the model's value, and none anything else."""
    await ready(hass, cloud, entry)
    expected = truth(site, dt_util.utcnow())
    flows = 0
    for e in entities(hass, entry):
        state = hass.states.get(e.entity_id)
        assert state is not None
        assert state.state != STATE_UNAVAILABLE, e.entity_id
        if e.unique_id not in expected:
            if re.search(r"_(today|power)$", e.unique_id):
                # A meter without a column and without a series of its own.
                assert state.state == STATE_UNKNOWN, e.entity_id
            continue
        flows += 1
        value = expected[e.unique_id]
        if value is None:
            assert state.state == STATE_UNKNOWN, e.entity_id
        else:
            # Power is one quarter, in W; the others are up to 150, in kWh.
            tolerance = 4000 * ROUNDING if "_power" in e.unique_id else 150 * ROUNDING
            assert float(state.state) == pytest.approx(value, abs=tolerance), (
                e.entity_id
            )
    assert flows >= 2


@pytest.mark.freeze_time(NOW)
@pytest.mark.usefixtures("everything_enabled")
@pytest.mark.parametrize("kind", ["heat only"], indirect=True)
async def test_once_a_day(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Heat and water are read once a day: at every hour their totals are known and true."""
    await ready(hass, cloud, entry)
    totals = [
        e
        for e in entities(hass, entry)
        if (e.capabilities or {}).get("state_class") == "total"
    ]
    assert len(totals) == 6
    polls = len(cloud.requests.to("site_data"))
    for _ in range(25):
        await later(hass, freezer, 2 * HOUR)
        expected = truth(site, dt_util.utcnow())
        for e in totals:
            state = hass.states.get(e.entity_id)
            assert state is not None
            value = expected[e.unique_id]
            assert float(state.state) == pytest.approx(value, abs=250 * ROUNDING)
    asked = len(cloud.requests.to("site_data")) - polls
    assert 3 * 25 <= asked <= 3 * 25 + 3 * 3 * 3  # each medium each time; three nights
    assert hass.states.get("sensor.siedlung_lindenhof_last_reading") is not None


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", ["heat only"], indirect=True)
async def test_days_without_a_reading(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A gateway that is out for days: the totals wait, then every hour gets its own."""
    start = dt_util.utcnow()
    until = start + timedelta(days=4)
    site.outage(start - timedelta(hours=20), until - HOUR, until=until)
    await ready(hass, cloud, entry)
    meter = site.meters[0]
    name = "sensor.siedlung_lindenhof_heating"
    before = hass.states.get(name)
    assert before is not None
    while dt_util.utcnow() < until - 2 * HOUR:
        await later(hass, freezer, 3 * HOUR)
        state = hass.states.get(name)
        assert state is not None
        assert state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
        assert float(state.state) >= float(before.state) - 0.01
    for _ in range(26):
        await later(hass, freezer, 2 * HOUR)
    for statistic, column in (
        (f"climkit:{site.id}_heating", "conso_total"),
        (f"climkit:{meter.id}_consumption", f"total_{meter.id}"),
    ):
        rows = await rows_of(hass, statistic)
        now = dt_util.utcnow()
        model = model_hours(site, column, CREATED, now, medium="heating", at=now)
        assert_equal(rows, model)
        assert len(rows) > 24 * 5


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", ["all media"], indirect=True)
async def test_statistics_of_all_media(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Every hour of every flow that is published is in its statistic, and right."""
    await ready(hass, cloud, entry)
    now = dt_util.utcnow()
    for unique_id, (medium, column) in series_of(site).items():
        if column not in site.model(medium, "15T", CREATED, now, at=now):
            continue
        rows = await rows_of(hass, f"climkit:{unique_id}")
        model = model_hours(site, column, CREATED, now, medium=medium, at=now)
        if "battery" in unique_id:
            assert not rows
        else:
            assert_equal(rows, model)


@pytest.mark.freeze_time("2026-06-15T22:08:00+00:00")
@pytest.mark.parametrize("kind", ["no plant"], indirect=True)
async def test_shortly_after_midnight(
    hass: HomeAssistant, *, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing of the new day is published yet: today begins with 0, not with unknown."""
    await ready(hass, cloud, entry)
    state = hass.states.get("sensor.rue_du_lac_consumption_today")
    assert state is not None
    assert float(state.state) == 0


@pytest.mark.freeze_time(NOW)
async def test_published_at_another_time(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """A medium that comes in the evening instead: known within the hour."""
    site.publication["heating"] = Publication(daily_at=time(20, 30))
    await ready(hass, cloud, entry)
    for _ in range(12):
        await later(hass, freezer, HOUR)
    state = hass.states.get("sensor.les_tilleuls_heating")
    assert state is not None
    expected = truth(site, dt_util.utcnow())[f"{site.id}_heating"]
    assert float(state.state) == pytest.approx(expected, abs=150 * ROUNDING)
