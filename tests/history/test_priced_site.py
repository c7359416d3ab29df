"""Of which hours the quarters are asked for: those with two prices, and energy."""

from datetime import timedelta

from custom_components.climkit.history.priced_site import PricedSeries, uneven_spans
from custom_components.climkit.metering.costs import METER_COSTS
from custom_components.climkit.metering.hours import HOUR

from ..metering.examples import high_low, local, tariffs

(SUM,) = (
    PricedSeries("flat", "flat", series, "climkit:flat_consumption_cost", ())
    for series in METER_COSTS["electricity"]
    if series.kind == "consumption_cost"
)
"""What a flat's electricity costs, from the grid and from the roof."""

PRICES = tariffs(high_low("06:30-22:30"), high_low("12:30-13:30", component="solar"))
"""Two prices from 6 to 7 and from 22 to 23 of the grid, at noon of the sun."""

DAY = timedelta(days=1)
MORNING = local("2026-06-16 06:00")
NOON = local("2026-06-16 12:00")
EVENING = local("2026-06-16 22:00")


def test_hours_of_two_flows_are_fetched_together() -> None:
    """Also those of the one behind the last of the other."""
    energies = {
        "grid_consumption": {MORNING: 1.0, EVENING: 1.0},
        "solar_consumption": {NOON: 1.0},
    }
    assert uneven_spans(SUM, PRICES, energies, {}) == [(MORNING, EVENING + HOUR)]


def test_hours_far_from_each_other_are_not() -> None:
    energies = {
        "grid_consumption": {MORNING + 8 * DAY: 1.0, MORNING: 1.0},
        "solar_consumption": {NOON + DAY: 1.0, NOON + 2 * DAY: 0.0},
    }
    assert uneven_spans(SUM, PRICES, energies, {}) == [
        (MORNING, NOON + DAY + HOUR),
        (MORNING + 8 * DAY, MORNING + 8 * DAY + HOUR),
    ]
