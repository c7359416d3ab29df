"""Sites that an account sees and nobody has set up: Home Assistant offers them.

They are discovered as devices in the network are: shown on the integrations page, added
by two clicks, or ignored for good. Whoever has dozens of them is left in peace.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY, ConfigFlowContext
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.discovery_flow import async_create_flow
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN
from ..reading.account import MOST_NAMED, SIGNAL_SITES, ClimkitAccount
from .schemas import site_label

MOST: Final = MOST_NAMED
"""So many sites of an account are offered; of more, none."""


@dataclass(frozen=True, slots=True)
class DiscoveredSite:
    """A site that can be set up with the credentials of an account that is known."""

    account: str
    """The account's name."""
    id: str
    label: str
    """Name and place."""


@callback
def async_offer_sites(hass: HomeAssistant) -> None:
    """Offer sites from now on, those of every account."""
    async_dispatcher_connect(hass, SIGNAL_SITES, partial(_offer, hass))


@callback
def _offer(hass: HomeAssistant, account: ClimkitAccount) -> None:
    """Offer what has no entry; take back what is set up, out of sight or renamed."""
    offers = _offers(account)
    hass.config_entries.flow.async_dismiss_discovery_flows(
        DiscoveredSite,
        lambda site: site.account == account.name and site not in offers,
    )
    for site in offers:
        context = ConfigFlowContext(source=SOURCE_INTEGRATION_DISCOVERY)
        async_create_flow(hass, DOMAIN, context, site)


@callback
def _offers(account: ClimkitAccount) -> list[DiscoveredSite]:
    """Return what can be offered of an account that is used: of too many, nothing."""
    left = account.without_entry()
    if not account.is_used or len(left) > MOST:
        return []
    return [
        DiscoveredSite(account.name, id_, site_label(id_, account.sites.get(id_)))
        for id_ in left
    ]
