"""Steps about the site that is set up: found or chosen, and its meters."""

from typing import Any, Literal

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_USERNAME

from ..const import CONF_SITE
from ..reading.account import async_known_credentials
from .discovery import DiscoveredSite
from .others import OthersFlow
from .schemas import Errors, preselection, site_schema


class SitesFlow(OthersFlow):
    """Sets up a site, once it is known with which credentials."""

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._way_in: Literal["user", "account", "discovered"] = "account"
        """The form that led to the credentials, which shows what is wrong with them."""
        self._discovered: DiscoveredSite | None = None

    async def async_step_discovered(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to set up a site that an account sees."""
        site = self._discovered
        assert site is not None
        known = async_known_credentials(self.hass).get(site.account)
        if known is None:  # the account's last entry was removed meanwhile
            self._way_in = "account"
            return await self.async_step_user()
        if user_input is None:
            return self.async_show_form(
                step_id="discovered",
                description_placeholders={
                    "site": site.label,
                    "account": known[CONF_USERNAME],
                },
                errors=self._errors,
            )
        self._use(known)
        return await self._async_offer_only(site)

    async def _async_offer_only(self, site: DiscoveredSite) -> ConfigFlowResult:
        """Go on with the site that was discovered."""
        self._offered = [site.id]
        return await self.async_step_names()

    async def async_step_names(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Fetch the sites' names."""
        shown = await self._async_for_each(
            "names", self._offered, self._async_fetch_name, then="site"
        )
        return shown or await self.async_step_site()

    async def async_step_site(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the site, unless only one is left."""
        if user_input is not None:
            return await self._async_take(user_input[CONF_SITE])
        if self._errors:
            return await self.async_step_user()
        if len(self._offered) > 1:
            return self._show_site({})
        (only,) = self._offered
        return await self._async_take(only)

    async def _async_take(self, site_id: str) -> ConfigFlowResult:
        """Go on with a site: read its meters."""
        self._site_id = site_id
        await self.async_set_unique_id(site_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        if errors := await self._async_read_meters(self._client, site_id):
            return await self._async_show_meters_error(errors)
        if not self._meters:
            return await self.async_step_energy()
        return await self.async_step_meters()

    async def async_step_meters(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which meters become devices with history."""
        if user_input is not None:
            return await self._async_choose(user_input)
        return await self._async_show_meters("meters", preselection(self._meters), {})

    async def _async_fetch_name(self, site_id: str) -> None:
        """Fetch a name, once; a site whose description is refused is shown by its id."""
        if site_id not in self._sites:
            site = await self._account.async_describe(self._client, site_id)
            self._sites[site_id] = site

    async def _async_show_meters_error(self, errors: Errors) -> ConfigFlowResult:
        """Show what is wrong where it can be corrected."""
        if errors["base"] == "invalid_auth" or self._discovered:
            self._errors = errors
            return await self.async_step_user()
        return self._show_site(errors)

    def _show_site(self, errors: Errors) -> ConfigFlowResult:
        chosen = {CONF_SITE: self._site_id} if errors else None
        return self._show(
            "site", site_schema(self._labels(self._offered)), chosen, errors
        )
