"""Steps about credentials: those of an account that is known, or others."""

from collections.abc import Callable, Mapping
from typing import Any, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import callback
import voluptuous as vol

from ..const import ACCOUNT_NEW, CONF_ACCOUNT, CONF_SITE, DOMAIN
from ..reading.account import async_get_account, async_known_credentials
from .discovery import DiscoveredSite
from .others import without
from .schemas import CREDENTIALS, Errors, async_account_schema, collecting
from .sites import SitesFlow


class CredentialsFlow(SitesFlow):
    """Finds credentials that work, for a new site or for those that are there."""

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._visible: tuple[str, ...] = ()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the credentials; without input, show whatever form asks for them."""
        if user_input is None:
            return await self._async_show_way_in()
        self._errors = await self._async_log_in(_typed(user_input))
        if self._errors:
            return await self._async_show_user()
        self._async_renew(self._lacks_what_was_typed)
        return await self._async_look_for_sites()

    async def async_step_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for one of the accounts that are known; its password is known, too."""
        if user_input is None:
            return await self._async_show_way_in()
        known = async_known_credentials(self.hass).get(
            user_input[CONF_ACCOUNT].casefold()
        )
        if user_input[CONF_ACCOUNT] == ACCOUNT_NEW or known is None:
            self._way_in, self._errors = "user", {}
            return await self._async_show_user()
        self._errors = await self._async_log_in(known, known=True)
        if self._errors:
            return await self._async_show_way_in()
        return await self._async_look_for_sites()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for credentials that work again."""
        return await self._async_step_renew(
            "reauth_confirm", self._get_reauth_entry(), user_input
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for other credentials for the same site."""
        return await self._async_step_renew(
            "reconfigure", self._get_reconfigure_entry(), user_input
        )

    async def _async_step_renew(
        self, step_id: str, entry: ConfigEntry, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Replace an entry's credentials by ones that see its site."""
        errors: Errors = {}
        if user_input is not None:
            errors = await self._async_log_in_for(entry, user_input)
            if not errors:
                return self._renew_all(entry)
        return self._show_credentials(
            step_id, {**entry.data, **self._credentials}, entry.title, errors
        )

    async def _async_log_in_for(
        self, entry: ConfigEntry, user_input: Mapping[str, str]
    ) -> Errors:
        """Check credentials that were typed: they must see the site of an entry."""
        errors = await self._async_log_in(_typed(user_input))
        if errors or self._sees(entry):
            return errors
        return {"base": "site_not_visible"}

    def _renew_all(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Keep new credentials for an entry, and for the others of either account."""
        accounts = {_account_of(entry.data), _account_of(self._credentials)}
        self._async_renew(lambda other: _account_of(other.data) in accounts, but=entry)
        return self.async_update_reload_and_abort(entry, data_updates=self._credentials)

    def _sees(self, entry: ConfigEntry) -> bool:
        """Return whether the new credentials open the site of an entry."""
        return entry.data[CONF_SITE] in self._visible

    def _lacks_what_was_typed(self, entry: ConfigEntry) -> bool:
        """Return whether an entry of the account has another password, or waits for one.

        A name that is only spelled otherwise works as it is.
        """
        typed = self._credentials
        if _account_of(entry.data) != _account_of(typed):
            return False
        is_spelled_so: bool = entry.data[CONF_USERNAME] == typed[CONF_USERNAME]
        has_another: bool = entry.data[CONF_PASSWORD] != typed[CONF_PASSWORD]
        return is_spelled_so or has_another

    @callback
    def _async_renew(
        self,
        is_meant: Callable[[ConfigEntry], bool],
        but: ConfigEntry | None = None,
    ) -> None:
        """Give the new credentials to the entries that are meant, if they see their site.

        Each is loaded again if that changes something, or if the account has waited for
        it; `but` is left to who calls.
        """
        entries = self.hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        meant = [*filter(is_meant, entries)]
        # One of them asks the user for all: see the account.
        waits = any(map(self._is_waiting, meant))
        for entry in filter(self._sees, meant):
            if entry is not but:
                self._async_give_credentials(entry, waits=waits)

    def _is_waiting(self, entry: ConfigEntry) -> bool:
        """Return whether an entry asks for a new password."""
        return any(entry.async_get_active_flows(self.hass, {SOURCE_REAUTH}))

    @callback
    def _async_give_credentials(self, entry: ConfigEntry, *, waits: bool) -> None:
        """Change an entry's credentials, and load it again: if they are new, or it waits."""
        entries = self.hass.config_entries
        data = {**entry.data, **self._credentials}
        if entries.async_update_entry(entry, data=data) or waits:
            entries.async_schedule_reload(entry.entry_id)

    async def _async_log_in(
        self, credentials: dict[str, str], *, known: bool = False
    ) -> Errors:
        """Check credentials, and note the sites that they open.

        Wrong ones are forgotten at once. Those that are `known` need no log-in of their
        own: the account's token is as good.
        """
        account = async_get_account(self.hass, credentials[CONF_USERNAME])
        client = account.client(*credentials.values())
        errors: Errors = {}
        with collecting(errors):
            if not known:
                await client.authenticate()
            self._visible = await account.async_look(client)
        if errors:
            self._credentials = {CONF_USERNAME: credentials[CONF_USERNAME]}
        else:
            self._use(credentials)
        return errors

    async def _async_look_for_sites(self) -> ConfigFlowResult:
        """Offer the sites that are not set up; of a discovered one, only that one."""
        if not self._visible:
            return self.async_abort(reason="no_sites")
        configured = self._async_current_ids(include_ignore=False)
        self._offered = without(self._visible, configured)
        if not self._offered:
            return self.async_abort(reason="already_configured")
        if self._discovered:
            return await self._async_look_for(self._discovered)
        return await self.async_step_names()

    async def _async_look_for(self, site: DiscoveredSite) -> ConfigFlowResult:
        """Go on with the discovered site, if the credentials open it."""
        if site.id in self._visible:
            return await self._async_offer_only(site)
        self._errors = {"base": "site_not_visible"}
        return await self._async_show_user()

    async def _async_show_way_in(self) -> ConfigFlowResult:
        """Show the form that asks for credentials, or for a site that has them."""
        known = async_known_credentials(self.hass)
        if self._errors.get("base") == "invalid_auth" or not known:
            self._way_in = "user"
        forms = {
            "user": self._async_show_user,
            "account": self._async_show_account,
            "discovered": self.async_step_discovered,
        }
        return await forms[self._way_in]()

    async def _async_show_account(self) -> ConfigFlowResult:
        known = async_known_credentials(self.hass).values()
        return self.async_show_form(
            step_id="account",
            data_schema=await async_account_schema(
                self.hass, [credentials[CONF_USERNAME] for credentials in known]
            ),
            errors=self._errors,
        )

    async def _async_show_user(self) -> ConfigFlowResult:
        site = self._discovered.label if self._discovered else ""
        return self._show_credentials("user", self._credentials, site, self._errors)

    def _show_credentials(
        self, step_id: str, known: Mapping[str, Any], site: str, errors: Errors
    ) -> ConfigFlowResult:
        """Show the fields for the credentials, the known user name filled in."""
        name = {key: known[key] for key in known.keys() & {CONF_USERNAME}}
        schema: vol.Schema = self.add_suggested_values_to_schema(CREDENTIALS, name)
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema,
            description_placeholders={"site": site},
            errors=errors,
        )


def _typed(user_input: Mapping[str, str]) -> dict[str, str]:
    """Return the credentials that were typed; blanks around a name do not matter."""
    return {
        CONF_USERNAME: user_input[CONF_USERNAME].strip(),
        CONF_PASSWORD: user_input[CONF_PASSWORD],
    }


def _account_of(data: Mapping[str, Any]) -> str:
    name: str = data[CONF_USERNAME].casefold()
    return name
