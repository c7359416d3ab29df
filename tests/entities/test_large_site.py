"""A site of two hundred meters, all chosen: its six hundred flows hold up nobody."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import LATELY, NOW, later
from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import SimulatedSite, Simulator, sites
from tests.steps import Steps, counted
from tests.tariffs import DAY, add_tariff

from .media.listing import ready

AT_MOST = 150_000
"""So many steps are made in ten to fifteen milliseconds; in fifty, by a slow machine."""

NEWS = timedelta(minutes=15)
POLLS = [timedelta(minutes=5), timedelta(hours=1)]
"""How much later those with prices come: mostly without news, and with much of it."""


@pytest.fixture
def site() -> SimulatedSite:
    return sites.large(200, created=LATELY)


@pytest.mark.slow
@pytest.mark.statistics_only
@pytest.mark.freeze_time(NOW)
async def test_others_have_a_turn(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While it is set up, imported, polled, priced, and polled with prices."""
    with counted() as steps:
        await ready(hass, cloud, entry)
        few(steps)
        await later(hass, freezer, NEWS)
        few(steps)
        add_tariff(
            hass, entry, "grid", pricing="times", price=0.2, zones=[DAY], monthly_fee=5
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        few(steps)
        for time in POLLS:
            await later(hass, freezer, time)
            few(steps)
    last = site.meters[-1].id
    now = dt_util.utcnow()
    expected = model_hours(site, f"total_{last}", LATELY, now, at=now)
    assert_equal(await rows_of(hass, f"climkit:{last}_consumption"), expected)


def few(steps: Steps) -> None:
    """Fail if too much was done in one go."""
    assert 1000 < steps.most < AT_MOST, steps.where
