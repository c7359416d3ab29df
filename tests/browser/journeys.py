"""Who goes through the dialogs in a browser, and what a bill would say."""

from typing import Final

from tests.journey import Journey
from tests.simulator import sites

PRICES: Final = {"grid": 0.2921, "feed_in": 0.06}
"""What is entered from a bill, in CHF per kWh, from the first day on."""
PRICED: Final = {
    "grid_import": ("grid_import_cost", PRICES["grid"]),
    "grid_export": ("grid_export_compensation", PRICES["feed_in"]),
}
"""The flows whose money the Energy dashboard then shows: its statistics and prices."""

JOURNEYS: Final = [
    Journey("de", sites.with_battery, "Wärmepumpe"),
    Journey("fr", sites.community, "Pompe à chaleur"),
]
