"""Set-up in the user interface, as Home Assistant calls it: the ways into the dialog.

What it asks is in `setup_flow`: credentials, sites, meters and the Energy dashboard.
"""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.core import callback

from .const import CONF_SITE, DOMAIN, SUBENTRY_TARIFF
from .setup_flow.credentials import CredentialsFlow
from .setup_flow.discovery import DiscoveredSite
from .setup_flow.options import ClimkitOptionsFlow
from .setup_flow.others import NewSite
from .setup_flow.tariff import TariffFlow


class ClimkitConfigFlow(CredentialsFlow, domain=DOMAIN):
    """Adds sites, and keeps the credentials of those that are there in order."""

    VERSION = 1
    MINOR_VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> ClimkitOptionsFlow:
        """Return the flow that changes the choices made at set-up."""
        return ClimkitOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to a site: tariffs."""
        return {SUBENTRY_TARIFF: TariffFlow}

    # Home Assistant's own type of what is discovered is a plain dictionary.
    @override
    async def async_step_integration_discovery(  # type: ignore[override]
        self, discovery_info: DiscoveredSite
    ) -> ConfigFlowResult:
        """Begin with a site that an account sees and nobody has set up."""
        await self.async_set_unique_id(discovery_info.id)
        self._abort_if_unique_id_configured()
        self.context["title_placeholders"] = {"name": discovery_info.label}
        self._discovered, self._way_in = discovery_info, "discovered"
        return await self.async_step_discovered()

    async def async_step_system(self, site: NewSite) -> ConfigFlowResult:
        """Add a site that was chosen beside another one, without a question."""
        await self.async_set_unique_id(site.data[CONF_SITE], raise_on_progress=False)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(
            title=site.title, data=site.data, options=site.options
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin with the credentials of an entry: Climkit has refused them."""
        return await self.async_step_reauth_confirm()
