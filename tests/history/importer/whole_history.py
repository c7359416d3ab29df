"""Whether a history is all there, and by which requests it was fetched."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import SimulatedSite, Simulator

CREATED = datetime(2026, 4, 30, 22, tzinfo=UTC)


async def assert_history(
    hass: HomeAssistant, site: SimulatedSite, since: datetime | None = None
) -> None:
    """Compare every hour of a site's flow and of a flat's with the model."""
    now = dt_util.utcnow()
    flat = site.meter("Appartement 1.1").id
    for statistic, column in (
        (f"climkit:{site.id}_grid_export", "to_ext"),
        (f"climkit:{flat}_solar_consumption", f"self_{flat}"),
    ):
        model = model_hours(site, column, since or site.created, now, at=now)
        assert_equal(await rows_of(hass, statistic), model)


def hourly(cloud: Simulator) -> list[tuple[str, str | None]]:
    """Return the windows of hourly rows that were asked for."""
    return [
        (request.json["t_s"], request.json.get("t_e"))
        for request in cloud.requests
        if request.endpoint == "site_data"
        and request.json
        and request.json["sampling_frequency"] == "H"
    ]
