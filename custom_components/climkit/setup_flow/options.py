"""Options in the user interface: other meters, more in the Energy dashboard."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME

from ..api import Meter
from ..const import CONF_HOME, CONF_METERS, CONF_OFFERED, CONF_SITE, HOME_NONE
from ..energy_dashboard.manager import is_available
from ..energy_dashboard.setup import async_forget, async_preselected_home
from ..reading.account import async_get_client
from ..reading.site_coordinator import choices_of
from .schemas import (
    Errors,
    async_home_schema,
    async_meters_schema,
    async_meters_with_series,
    collecting,
    homes,
    with_home,
)


class ClimkitOptionsFlow(OptionsFlowWithReload):
    """Changes which meters become devices, and adds to the Energy dashboard."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._meters: tuple[Meter, ...] = ()
        self._chosen: list[str] = []

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the meters again; an error leads to a form that tries once more."""
        entry = self.config_entry
        if user_input and CONF_METERS in user_input:
            self._chosen = user_input[CONF_METERS]
            return await self.async_step_energy()
        client = async_get_client(
            self.hass, entry.data[CONF_USERNAME], entry.data[CONF_PASSWORD]
        )
        errors: Errors = {}
        with collecting(errors):
            self._meters = await async_meters_with_series(client, entry.data[CONF_SITE])
        if not errors and not self._meters:
            if is_available(self.hass):
                return await self.async_step_energy()
            return self.async_abort(reason="no_meters")
        return self.async_show_form(
            step_id="init",
            data_schema=await async_meters_schema(
                self.hass,
                self._meters,
                [meter.id for meter in choices_of(entry.options).of(self._meters)],
            ),
            description_placeholders={"site": entry.title},
            errors=errors,
        )

    async def async_step_energy(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what to add to the Energy dashboard, where there is one."""
        entry = self.config_entry
        if user_input is not None or not is_available(self.hass):
            return await self._async_finish(user_input or {})
        return self.async_show_form(
            step_id="energy",
            data_schema=await async_home_schema(
                self.hass,
                homes(self._meters),
                await async_preselected_home(self.hass, entry),
            ),
            description_placeholders={"site": entry.title},
        )

    async def _async_finish(self, choice: Mapping[str, Any]) -> ConfigFlowResult:
        """Keep the choices; what is chosen for the dashboard is to be done, and now."""
        entry = self.config_entry
        options = {
            **entry.options,
            CONF_METERS: with_home(self._chosen, choice.get(CONF_HOME), self._meters),
            CONF_OFFERED: [meter.id for meter in self._meters],
            **choice,
        }
        if choice.get(CONF_HOME, HOME_NONE) != HOME_NONE:
            await async_forget(self.hass, entry)
            if options == entry.options:  # or else the flow reloads the entry
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data=options)
