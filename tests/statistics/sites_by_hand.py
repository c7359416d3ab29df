"""Sites and meters by hand, as the cloud might describe them."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import Meter, Site
from custom_components.climkit.const import DOMAIN
from custom_components.climkit.metering.site import SiteInfo
from custom_components.climkit.statistics.site_statistics import SiteStatistics

BEGINNING: Final = datetime(2026, 6, 10, 22, tzinfo=UTC)


def meter(
    id_: str, name: str, *, medium: str = "electricity", address: int | None = None
) -> Meter:
    """Return a meter of consumption."""
    return Meter(id_, medium, name, "consumption", address)


def site_info(*meters: Meter, id_: str = "51", name: str = "House") -> SiteInfo:
    """Return a site with these meters, all chosen."""
    zone = ZoneInfo("Europe/Zurich")
    return SiteInfo(Site(id_, name), meters, meters, zone, BEGINNING)


async def statistics_of(hass: HomeAssistant, entry_id: str) -> SiteStatistics:
    """Return the statistics of an entry, loaded as at its set-up."""
    if not hass.config_entries.async_get_entry(entry_id):
        MockConfigEntry(domain=DOMAIN, entry_id=entry_id).add_to_hass(hass)
    statistics = SiteStatistics(hass, entry_id)
    await statistics.async_load()
    return statistics


async def settled(hass: HomeAssistant, *some: SiteStatistics) -> None:
    """Wait until all that is behind has been done."""
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not any(statistics.pending for statistics in some)
