"""What of a site costs something: heat, cold and water as well as electricity.

Expected costs are the model's quarter hours, times prices from paper.
"""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from tests.conftest import entry_for, later
from tests.ledger import rows_of
from tests.simulator import SimulatedSite, Simulator, sites

from .pricing import add, assert_costs, model_costs, started

WINTER = datetime(2026, 1, 14, 23, tzinfo=UTC), "2026-01-20T10:05:00+00:00"
SUMMER = datetime(2026, 7, 14, 22, tzinfo=UTC), "2026-07-20T10:05:00+00:00"
"""When the site begins, at a midnight in Zurich, and the present."""

MEDIA: dict[str, tuple[SimulatedSite, datetime, str, float]] = {
    "heating": (sites.community(heat=True), *WINTER, 0.145),
    "cooling": (sites.community(cooling=True), *SUMMER, 0.09),
    "cold_water": (sites.community(water=True), *SUMMER, 2.5),
    "hot_water": (sites.community(water=True), *SUMMER, 9.0),
}
"""With a price in CHF per kWh or m³."""

pytestmark = pytest.mark.statistics_only


@pytest.fixture
def site(medium: str) -> SimulatedSite:
    """Return a site that has the medium."""
    found, created, *_ = MEDIA[medium]
    found.created = created
    return found


@pytest.mark.parametrize("medium", MEDIA)
async def test_a_medium(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    medium: str,
) -> None:
    """Of the site and of a flat's meter; of the last two at a price of the flat's own.

    What is published the next morning is priced with it.
    """
    *_, now, price = MEDIA[medium]
    freezer.move_to(now)
    meter, other = [meter.id for meter in site.meters if meter.type == medium][:2]
    entry = entry_for(site, meters=[meter, other])
    await started(hass, entry)
    before = len(cloud.requests)
    await add(hass, entry, medium, price=price)
    await add(hass, entry, medium, price=2 * price, meters=[other])
    assert len(cloud.requests) == before

    async def check() -> None:
        for id_, column, factor in (
            (f"{site.id}_{medium}_cost", "conso_total", price),
            (f"{meter}_consumption_cost", f"total_{meter}", price),
            (f"{other}_consumption_cost", f"total_{other}", 2 * price),
        ):
            rows = await rows_of(hass, f"climkit:{id_}")
            used = model_costs(site, lambda _: 1.0, column, medium)
            model = {hour: amount * factor for hour, amount in used.items()}
            assert any(model.values())
            assert_costs(rows, model, rounding=0.0026 * factor)

    await check()
    newest = max(await rows_of(hass, f"climkit:{site.id}_{medium}_cost"))
    for hours in (20, 1):
        await later(hass, freezer, timedelta(hours=hours))
    await check()
    rows = await rows_of(hass, f"climkit:{site.id}_{medium}_cost")
    assert max(rows) > newest
