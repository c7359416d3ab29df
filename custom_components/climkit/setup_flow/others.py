"""Several sites at once: the last step of set-up, and what comes of it."""

from asyncio import Task
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_SYSTEM,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.const import CONF_USERNAME
from homeassistant.core import callback
import voluptuous as vol

from ..api import ClimkitAccessError, ClimkitClient, Site
from ..const import CONF_HOME, CONF_SITE, CONF_SITES, DOMAIN, HOME_NONE
from ..reading.account import ClimkitAccount, async_get_account
from .choices import ChoicesFlow, options_of
from .schemas import (
    Errors,
    async_meters_with_series,
    collecting,
    others_schema,
    preselection,
    site_label,
)

IN_PASSING: Final = 3
"""Of so many sites something is fetched while the form waits; more take their time, so
say so."""


@dataclass(frozen=True, slots=True)
class NewSite:
    """An entry to be, with nothing left to ask."""

    title: str
    data: Mapping[str, str]
    options: Mapping[str, Any]


def without(ids: Sequence[str], some: Container[str | None]) -> list[str]:
    """Return all of the ids but some, in the same order."""
    return [id_ for id_ in ids if id_ not in some]


class OthersFlow(ChoicesFlow, ConfigFlow):
    """Creates the entry of a site, and those of others of the account with it."""

    _account: ClimkitAccount
    _client: ClimkitClient
    _site_id: str

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._credentials: dict[str, str] = {}
        self._errors: Errors = {}
        """What is to be shown in the next form."""
        self._offered: list[str] = []
        self._sites: dict[str, Site | None] = {}
        self._task: Task[Errors] | None = None
        self._options: dict[str, Any] = {}
        self._others: list[str] = []
        self._options_of_others: dict[str, dict[str, Any]] = {}
        self._denied: list[str] = []
        self._to_add: list[NewSite] = []

    async def async_step_others(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which other sites of the account are to be added as they are."""
        if user_input is None:
            return self._show_others()
        self._others = user_input[CONF_SITES]
        self._denied = []
        self._client.try_again()  # who sends the form again may have put things right
        return await self.async_step_adding()

    async def async_step_adding(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read the meters of the others."""
        shown = await self._async_for_each(
            "adding", self._others, self._async_prepare, then="added"
        )
        return shown or await self.async_step_added()

    async def async_step_added(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create the entries, unless some site is not what it seemed."""
        if self._denied and not self._errors:
            self._errors = {"base": "others_denied"}
            self._others = without(self._others, self._denied)
        return self._show_others() if self._errors else self._create()

    # --- The end ----------------------------------------------------------------------

    @override
    async def _async_finish(self, choice: Mapping[str, Any]) -> ConfigFlowResult:
        self._options = self._options_with(choice)
        return await self.async_step_others() if self._left() else self._create()

    @callback
    def _create(self) -> ConfigFlowResult:
        """Create the entry; the others follow once it is set up."""
        self._abort_if_unique_id_configured()
        self._account.async_expect(self._others)
        self._to_add = [
            NewSite(
                self._name_of(id_), self._data_of(id_), self._options_of_others[id_]
            )
            for id_ in self._others
        ]
        return self.async_create_entry(
            title=self._name_of(self._site_id),
            data=self._data_of(self._site_id),
            options=self._options,
        )

    @callback
    @override
    def async_remove(self) -> None:
        """Add the others, now that the dialog is over and waits for nobody."""
        for site in self._to_add:
            self.hass.async_create_task(
                self.hass.config_entries.flow.async_init(
                    DOMAIN, context=ConfigFlowContext(source=SOURCE_SYSTEM), data=site
                ),
                f"{DOMAIN} {site.title}",
            )

    # --- What the steps share ---------------------------------------------------------

    @callback
    def _use(self, credentials: dict[str, str]) -> None:
        """Go on with credentials that are thought to be right."""
        self._credentials = credentials
        self._account = async_get_account(self.hass, credentials[CONF_USERNAME])
        self._client = self._account.client(*credentials.values())

    async def _async_for_each(
        self,
        step_id: str,
        site_ids: Sequence[str],
        fetch: Callable[[str], Awaitable[None]],
        *,
        then: str,
    ) -> ConfigFlowResult | None:
        """Fetch something of each site, one request a second; show progress if many.

        Returns None when all is there already; otherwise the progress, which leads to
        the step `then`. What went wrong is then in `_errors`.
        """
        if len(site_ids) <= IN_PASSING:
            self._errors = await self._async_fetch(site_ids, fetch)
            return None
        if self._task is None:
            self._task = self.hass.async_create_task(
                self._async_fetch(site_ids, fetch), f"{DOMAIN} {step_id}"
            )
        if not self._task.done():
            return self.async_show_progress(
                step_id=step_id,
                progress_action=step_id,
                description_placeholders={"count": str(len(site_ids))},
                progress_task=self._task,
            )
        self._errors, self._task = self._task.result(), None
        return self.async_show_progress_done(next_step_id=then)

    async def _async_fetch(
        self, site_ids: Sequence[str], fetch: Callable[[str], Awaitable[None]]
    ) -> Errors:
        errors: Errors = {}
        with collecting(errors):
            for number, site_id in enumerate(site_ids):
                self.async_update_progress(number / len(site_ids))
                await fetch(site_id)
        return errors

    async def _async_prepare(self, site_id: str) -> None:
        """Preselect a site's meters as a form would; note a site that is denied."""
        if site_id in self._options_of_others:
            return
        try:
            meters = await async_meters_with_series(self._client, site_id)
        except ClimkitAccessError:
            self._denied.append(site_id)
            return
        self._options_of_others[site_id] = options_of(
            meters, preselection(meters), {CONF_HOME: HOME_NONE}
        )

    def _left(self) -> list[str]:
        """Return the sites that could be added too: not those that are ignored."""
        known = self._async_current_ids() | {self._site_id}
        return without(self._offered, known)

    @override
    def _site_name(self) -> str:
        return self._name_of(self._site_id)

    @override
    def _entry(self) -> ConfigEntry | None:
        return None

    def _name_of(self, site_id: str) -> str:
        site = self._sites[site_id]
        return site.name if site else site_id

    def _data_of(self, site_id: str) -> dict[str, str]:
        return {**self._credentials, CONF_SITE: site_id}

    def _labels(self, site_ids: Sequence[str]) -> dict[str, str]:
        return {id_: site_label(id_, self._sites[id_]) for id_ in site_ids}

    # --- Forms ------------------------------------------------------------------------

    def _show_others(self) -> ConfigFlowResult:
        return self._show(
            "others",
            others_schema(self._labels(self._left())),
            {CONF_SITES: self._others} if self._errors else None,
            self._errors,
        )

    def _show(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any] | None,
        errors: Errors,
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            description_placeholders={
                "denied": ", ".join(self._labels(self._denied).values())
            },
            errors=errors,
        )
