"""Set-up in the user interface: the account, one of its sites, the site's meters."""

from asyncio import Task
from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import callback
import voluptuous as vol

from .api import ClimkitAccessError, ClimkitClient, ClimkitResponseError, Meter, Site
from .const import (
    CONF_HOME,
    CONF_METERS,
    CONF_OFFERED,
    CONF_SITE,
    DOMAIN,
    LOGGER,
    SUBENTRY_TARIFF,
)
from .energy_dashboard.manager import is_available
from .energy_dashboard.setup import async_preselected_home
from .reading.account import async_get_client
from .setup_flow.options import ClimkitOptionsFlow
from .setup_flow.schemas import (
    CREDENTIALS,
    Errors,
    async_home_schema,
    async_meters_schema,
    async_meters_with_series,
    collecting,
    homes,
    preselection,
    site_schema,
    with_home,
)
from .setup_flow.tariff import TariffFlow

NAMES_IN_PASSING: Final = 3
"""So many sites are named while the form waits; more take their time, so say so."""


class ClimkitConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds a site, and keeps the credentials of those that are there in order."""

    VERSION = 1
    MINOR_VERSION = 1

    _client: ClimkitClient
    _site_id: str
    _meters: tuple[Meter, ...]

    def __init__(self) -> None:
        """Start with nothing known."""
        self._credentials: dict[str, str] = {}
        self._visible: tuple[str, ...] = ()
        self._offered: list[str] = []
        self._sites: dict[str, Site] = {}
        self._naming: Task[Errors] | None = None
        self._naming_errors: Errors = {}
        self._chosen: list[str] = []

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

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the credentials, and find the sites that they open."""
        if user_input is None:
            return self._show_user(self._naming_errors)
        if errors := await self._async_log_in(user_input):
            return self._show_user(errors)
        if not self._visible:
            return self.async_abort(reason="no_sites")
        configured = self._async_current_ids(include_ignore=False)
        self._offered = [id_ for id_ in self._visible if id_ not in configured]
        if not self._offered:
            return self.async_abort(reason="already_configured")
        return await self.async_step_names()

    async def async_step_names(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Fetch the sites' names, one request a second; show progress if many."""
        if len(self._offered) <= NAMES_IN_PASSING:
            if errors := await self._async_fetch_names():
                return self._show_user(errors)
            return await self.async_step_site()
        if self._naming is None:
            self._naming = self.hass.async_create_task(
                self._async_fetch_names(), f"{DOMAIN} site names"
            )
        if not self._naming.done():
            return self.async_show_progress(
                step_id="names",
                progress_action="names",
                description_placeholders={"count": str(len(self._offered))},
                progress_task=self._naming,
            )
        self._naming_errors, self._naming = self._naming.result(), None
        return self.async_show_progress_done(
            next_step_id="user" if self._naming_errors else "site"
        )

    async def async_step_site(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the site, unless only one is left, and read its meters."""
        if user_input is not None:
            self._site_id = user_input[CONF_SITE]
        elif len(self._offered) == 1:
            self._site_id = self._offered[0]
        else:
            return self._show_site({})
        await self.async_set_unique_id(self._site_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        errors: Errors = {}
        with collecting(errors):
            self._meters = await async_meters_with_series(self._client, self._site_id)
        if errors:
            wrong_credentials = errors["base"] == "invalid_auth"
            return (self._show_user if wrong_credentials else self._show_site)(errors)
        if not self._meters:
            return await self.async_step_energy()
        return await self.async_step_meters()

    async def async_step_meters(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which meters become devices with history."""
        if user_input is not None:
            self._chosen = user_input[CONF_METERS]
            return await self.async_step_energy()
        return self.async_show_form(
            step_id="meters",
            data_schema=await async_meters_schema(
                self.hass, self._meters, preselection(self._meters)
            ),
            description_placeholders={"site": self._name_of(self._site_id)},
        )

    async def async_step_energy(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what goes into the Energy dashboard, where there is one."""
        if user_input is not None or not is_available(self.hass):
            return self._async_finish(user_input or {})
        return self.async_show_form(
            step_id="energy",
            data_schema=await async_home_schema(
                self.hass,
                homes(self._meters),
                await async_preselected_home(self.hass, None),
            ),
            description_placeholders={"site": self._name_of(self._site_id)},
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Start over with the credentials: Climkit has refused them."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for credentials that work again."""
        return await self._async_step_credentials(
            "reauth_confirm", self._get_reauth_entry(), user_input
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for other credentials for the same site."""
        return await self._async_step_credentials(
            "reconfigure", self._get_reconfigure_entry(), user_input
        )

    async def _async_step_credentials(
        self, step_id: str, entry: ConfigEntry, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Replace an entry's credentials by ones that see its site."""
        errors: Errors = {}
        if user_input is not None:
            errors = await self._async_log_in(user_input)
            if not errors and entry.data[CONF_SITE] not in self._visible:
                errors["base"] = "site_not_visible"
            if not errors:
                self._async_update_siblings(entry)
                return self.async_update_reload_and_abort(
                    entry, data_updates=self._credentials
                )
        return self.async_show_form(
            step_id=step_id,
            data_schema=self._credentials_schema(self._credentials or entry.data),
            description_placeholders={"site": entry.title},
            errors=errors,
        )

    @callback
    def _async_update_siblings(self, entry: ConfigEntry) -> None:
        """Give the new credentials to the other sites that had the same old ones."""
        for other in self.hass.config_entries.async_entries(DOMAIN):
            if (
                other.entry_id != entry.entry_id
                and all(other.data.get(k) == entry.data[k] for k in self._credentials)
                and other.data[CONF_SITE] in self._visible
                and self.hass.config_entries.async_update_entry(
                    other, data={**other.data, **self._credentials}
                )
            ):
                self.hass.config_entries.async_schedule_reload(other.entry_id)

    async def _async_log_in(self, user_input: Mapping[str, Any]) -> Errors:
        """Check what was typed, and note the sites that it opens."""
        self._credentials = {
            CONF_USERNAME: user_input[CONF_USERNAME].strip(),
            CONF_PASSWORD: user_input[CONF_PASSWORD],
        }
        self._client = async_get_client(self.hass, *self._credentials.values())
        errors: Errors = {}
        with collecting(errors):
            await self._client.authenticate()
            self._visible = await self._client.site_ids()
        return errors

    async def _async_fetch_names(self) -> Errors:
        """Fetch the names not known yet; one site's fault does not hide the others."""
        errors: Errors = {}
        with collecting(errors):
            for number, site_id in enumerate(self._offered):
                self.async_update_progress(number / len(self._offered))
                if site_id in self._sites:
                    continue
                try:
                    self._sites[site_id] = await self._client.site(site_id)
                except (ClimkitAccessError, ClimkitResponseError) as err:
                    if (err.status or 0) >= 500:
                        raise
                    LOGGER.debug("A site is offered without its name: %s", err)
        return errors

    def _name_of(self, site_id: str) -> str:
        site = self._sites.get(site_id)
        return site.name if site else site_id

    def _label_of(self, site_id: str) -> str:
        site = self._sites.get(site_id)
        city = f", {site.city}" if site and site.city else ""
        return f"{self._name_of(site_id)}{city}"

    def _show_user(self, errors: Errors) -> ConfigFlowResult:
        return self.async_show_form(
            step_id="user",
            data_schema=self._credentials_schema(self._credentials),
            errors=errors,
        )

    def _credentials_schema(self, known: Mapping[str, Any]) -> vol.Schema:
        """Return the fields for the credentials, the known user name filled in."""
        name = {key: known[key] for key in (CONF_USERNAME,) if key in known}
        return self.add_suggested_values_to_schema(CREDENTIALS, name)

    def _show_site(self, errors: Errors) -> ConfigFlowResult:
        labels = {id_: self._label_of(id_) for id_ in self._offered}
        return self.async_show_form(
            step_id="site",
            data_schema=self.add_suggested_values_to_schema(
                site_schema(labels), {CONF_SITE: self._site_id} if errors else None
            ),
            errors=errors,
        )

    @callback
    def _async_finish(self, choice: Mapping[str, Any]) -> ConfigFlowResult:
        """Create the entry; the only place that does."""
        self._abort_if_unique_id_configured()
        return self.async_create_entry(
            title=self._name_of(self._site_id),
            data={**self._credentials, CONF_SITE: self._site_id},
            options={
                CONF_METERS: with_home(
                    self._chosen, choice.get(CONF_HOME), self._meters
                ),
                CONF_OFFERED: [meter.id for meter in self._meters],
                **choice,
            },
        )
