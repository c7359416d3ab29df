"""What the recorder has of a site's money and energy, by the hour."""

from collections.abc import Iterable
from datetime import datetime

from homeassistant.core import HomeAssistant

from ..metering.flows import Flow
from ..statistics.queries import async_read, hourly_amounts
from .priced_site import PricedSeries, PricedSite


class StoredCosts:
    """Reads them; raises RecorderError while the recorder can't serve."""

    def __init__(self, hass: HomeAssistant, site: PricedSite) -> None:
        """Read the statistics of one site."""
        self._hass = hass
        self._site = site

    async def async_costs(
        self,
        start: datetime,
        end: datetime,
        some: Iterable[PricedSeries] | None = None,
    ) -> dict[str, dict[datetime, float]]:
        """Return the costs of the hours in [start, end), in CHF, by statistic.

        Of all series, or of some. Hours are in UTC.
        """
        wanted = self._site.series() if some is None else some
        ids = [priced.statistic_id for priced in wanted]
        if not ids:  # as where there are no tariffs, four times an hour
            return {}
        return await async_read(self._hass, hourly_amounts, ids, start, end)

    async def async_energies(
        self, flows: Iterable[Flow], start: datetime, end: datetime
    ) -> dict[Flow, dict[datetime, float]]:
        """Return the energies of the hours in [start, end), in kWh or m³, by flow."""
        ids = {flow: self._site.statistics.statistic_id(flow) for flow in flows}
        stored = await async_read(
            self._hass, hourly_amounts, tuple(ids.values()), start, end
        )
        return {flow: stored.get(id_, {}) for flow, id_ in ids.items()}
