"""Options in the user interface: other meters, more in the Energy dashboard."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME

from ..const import CONF_HOME, CONF_METERS, CONF_SITE, HOME_NONE
from ..energy_dashboard.manager import is_available
from ..energy_dashboard.setup import async_forget
from ..reading.account import async_get_client
from ..reading.site_coordinator import choices_of
from .choices import ChoicesFlow


class ClimkitOptionsFlow(ChoicesFlow, OptionsFlowWithReload):
    """Changes which meters become devices, and adds to the Energy dashboard."""

    @override
    def _site_name(self) -> str:
        return self.config_entry.title

    @override
    def _entry(self) -> ConfigEntry:
        return self.config_entry

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the meters again; an error leads to a form that tries once more."""
        if user_input and CONF_METERS in user_input:
            return await self._async_choose(user_input)
        data = self.config_entry.data
        client = async_get_client(self.hass, data[CONF_USERNAME], data[CONF_PASSWORD])
        errors = await self._async_read_meters(client, data[CONF_SITE])
        if errors or self._meters:
            return await self._async_show_meters("init", self._chosen_so_far(), errors)
        return await self._async_go_on_without_meters()

    def _chosen_so_far(self) -> list[str]:
        """Return the ids of the meters that are devices now."""
        choices = choices_of(self.config_entry.options)
        return [meter.id for meter in choices.of(self._meters)]

    async def _async_go_on_without_meters(self) -> ConfigFlowResult:
        """Ask about the dashboard at least, if there is one."""
        if is_available(self.hass):
            return await self.async_step_energy()
        return self.async_abort(reason="no_meters")

    @override
    async def _async_finish(self, choice: Mapping[str, Any]) -> ConfigFlowResult:
        """Keep the choices; what is chosen for the dashboard is to be done, and now."""
        entry = self.config_entry
        options = {**entry.options, **self._options_with(choice)}
        if choice.get(CONF_HOME, HOME_NONE) != HOME_NONE:
            await async_forget(self.hass, entry)
            if options == entry.options:  # or else the flow reloads the entry
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data=options)
