"""Compares all that is in the statistics of a site with the model."""

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .ledger import WIRE, assert_equal, model_hours, rows_of
from .simulator import SimulatedSite


async def assert_history(hass: HomeAssistant, site: SimulatedSite) -> None:
    """Compare every hour of every flow of the site and its meters with the model."""
    end = dt_util.utcnow()
    model = {
        column: model_hours(site, column, site.created, end, at=end)
        for column in site.model("electricity", "15T", site.created, end, at=end)
    }
    kinds = ["consumption", "grid_import", "production", "self_consumption"]
    for kind in [*kinds, "grid_export"]:
        rows = await rows_of(hass, f"climkit:{site.id}_{kind}")
        assert_equal(rows, model[WIRE[kind]])
    for meter in site.meters:
        if meter.mode == "consumption":
            for kind, part in (
                ("consumption", "total"),
                ("solar_consumption", "self"),
                ("grid_consumption", "ext"),
            ):
                rows = await rows_of(hass, f"climkit:{meter.id}_{kind}")
                assert_equal(rows, model[f"{part}_{meter.id}"])
