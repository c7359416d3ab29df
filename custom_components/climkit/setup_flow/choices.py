"""The last questions of set-up and of the options: which meters, which dashboard."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryBaseFlow,
    ConfigFlowResult,
)

from ..api import ClimkitClient, Meter
from ..const import CONF_HOME, CONF_METERS, CONF_OFFERED
from ..energy_dashboard.manager import is_available
from ..energy_dashboard.setup import async_preselected_home
from .schemas import (
    Errors,
    async_home_schema,
    async_meters_schema,
    async_meters_with_series,
    collecting,
    homes,
    with_home,
)


class ChoicesFlow(ConfigEntryBaseFlow):
    """Asks what of a site is wanted, be it new or not."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._meters: tuple[Meter, ...] = ()
        self._chosen: list[str] = []

    @abstractmethod
    def _site_name(self) -> str:
        """Return the name of the site that the questions are about."""

    @abstractmethod
    def _entry(self) -> ConfigEntry | None:
        """Return the site's entry, if there is one already."""

    @abstractmethod
    async def _async_finish(self, choice: Mapping[str, Any]) -> ConfigFlowResult:
        """Go on with what was chosen for the dashboard; empty if nobody was asked."""

    async def _async_read_meters(self, client: ClimkitClient, site_id: str) -> Errors:
        """Read the meters that can be chosen; return what went wrong."""
        errors: Errors = {}
        with collecting(errors):
            self._meters = await async_meters_with_series(client, site_id)
        return errors

    async def _async_choose(self, user_input: Mapping[str, Any]) -> ConfigFlowResult:
        """Take the chosen meters and go on."""
        self._chosen = user_input[CONF_METERS]
        return await self.async_step_energy()

    async def _async_show_meters(
        self, step_id: str, preselected: Collection[str], errors: Errors
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=await async_meters_schema(self.hass, self._meters, preselected),
            description_placeholders={"site": self._site_name()},
            errors=errors,
        )

    async def async_step_energy(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what goes into the Energy dashboard, where there is one."""
        if user_input is not None or not is_available(self.hass):
            return await self._async_finish(user_input or {})
        return self.async_show_form(
            step_id="energy",
            data_schema=await async_home_schema(
                self.hass,
                homes(self._meters),
                await async_preselected_home(self.hass, self._entry()),
            ),
            description_placeholders={"site": self._site_name()},
        )

    def _options_with(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the site's entry."""
        return options_of(self._meters, self._chosen, choice)


def options_of(
    meters: Sequence[Meter], chosen: Collection[str], choice: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options of an entry; `choice` is what goes into the dashboard."""
    return {
        CONF_METERS: with_home(chosen, choice.get(CONF_HOME), meters),
        CONF_OFFERED: [meter.id for meter in meters],
        **choice,
    }
