"""The subentries of type tariff in the user interface: one for each dated version.

What, for whom and from when; then the prices; then what the last month would have cost.
Nothing is kept before that was seen. A further version begins with the data of the last.
"""

from datetime import date
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.core import callback
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import CONF_DASHBOARD, CONF_METERS, LOGGER
from ..metering.site import SiteInfo
from ..metering.tariff import Component, Pricing, Tariff
from ..runtime import ClimkitConfigEntry
from ..statistics.tariff_versions import stored_tariffs
from ..statistics.updates import RecorderError
from .tariff_drafts import Drafts, scope_of, tariff_of
from .tariff_forms import (
    CONF_COMPONENT,
    CONF_CONFIRMED,
    CONF_ENTITY_ID,
    CONF_PRICE,
    CONF_PRICING,
    CONF_SURCHARGE,
    CONF_VALID_FROM,
    CONF_VAT,
    Data,
    Fields,
    confirmation_field,
    dashboard_field,
    entity_fields,
    fixed_fields,
    given,
    must_be_seen,
    times_fields,
    user_fields,
    with_zones_of_preset,
    zones_as_stored,
    zones_as_typed,
)
from .tariff_preview import Preview, async_preview
from .tariff_refusals import (
    Errors,
    is_doubtful,
    refused_choice,
    refused_entity,
    refused_times,
)
from .tariff_texts import (
    async_month,
    async_priced_labels,
    async_title,
    price_text,
    site_components,
)

UNKNOWN: Final = dict.fromkeys(("month", "energy", "cost", "unpriced_hours"), "?")
"""What a preview tells when the recorder does not."""


class TariffFlow(ConfigSubentryFlow):
    """Adds a version of a tariff, or changes one."""

    _entry: ClimkitConfigEntry
    _info: SiteInfo
    _drafts: Drafts
    _tariff: Tariff
    """The version as it is to be."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._offered: Data = {}
        """What the first form was filled with."""
        self._what: dict[str, Any] = {}
        """What was typed there."""
        self._doubtful = False
        """Whether a price is so high that it must be confirmed."""

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Go through the same forms, filled with what there is."""
        return await self.async_step_user(user_input)

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what the tariff is for, from when on, and how it tells its price."""
        if user_input is None:
            return await self._async_begin()
        if instead := self._drafts.offer_instead(self._offered, user_input):
            self._offered = instead
            return await self._async_show_user(instead, {"base": "filled_anew"})
        if errors := self._refused(user_input):
            return await self._async_show_user(user_input, errors)
        self._what = {
            **user_input,
            CONF_METERS: sorted(user_input.get(CONF_METERS, ())),
        }
        self._doubtful = False
        return await self._async_ask_prices()

    async def _async_begin(self) -> SubentryFlowResult:
        """Show the first form, unless there is nothing that could have a price."""
        self._entry = self._get_entry()
        if self._entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        self._info = self._entry.runtime_data.site.data
        if not site_components(self._info):
            return self.async_abort(reason="nothing_to_price")
        self._drafts = self._async_drafts()
        self._offered = self._drafts.first()
        return await self._async_show_user(self._offered, {})

    async def _async_ask_prices(self) -> SubentryFlowResult:
        """Show the form for the chosen kind of pricing."""
        steps = {
            Pricing.FIXED: self.async_step_fixed,
            Pricing.TIMES: self.async_step_times,
            Pricing.ENTITY: self.async_step_entity,
        }
        return await steps[Pricing(self._what[CONF_PRICING])]()

    async def async_step_fixed(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the one price."""
        fields = fixed_fields(self._unit)
        if user_input is None:
            return self._show("fixed", fields, self._last_prices())
        prices = {CONF_PRICE: user_input[CONF_PRICE]}
        return await self._async_confirm("fixed", fields, user_input, prices)

    async def async_step_times(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the prices by time; a preset fills in the hours."""
        fields = times_fields(self._unit)
        if user_input is None:
            return self._show("times", fields, zones_as_typed(self._last_prices()))
        typed = with_zones_of_preset(user_input)
        if must_be_seen(user_input):
            return self._show("times", fields, typed)
        prices = zones_as_stored(typed)
        if errors := refused_times(prices):
            return self._show("times", fields, typed, errors)
        return await self._async_confirm("times", fields, typed, prices)

    async def async_step_entity(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the entity that tells the price, and what comes on top."""
        fields = entity_fields()
        if user_input is None:
            return self._show("entity", fields, self._last_prices())
        prices = given(user_input, (CONF_ENTITY_ID, CONF_SURCHARGE, CONF_VAT))
        if error := self._refused_entity(prices[CONF_ENTITY_ID]):
            return self._show("entity", fields, user_input, {CONF_ENTITY_ID: error})
        return await self._async_confirm("entity", fields, user_input, prices)

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what the last month would have cost; then keep the version."""
        title = await async_title(self.hass, self._info, self._tariff)
        if user_input is None:
            return await self._async_show_preview(title)
        self._drafts = self._async_drafts()
        if errors := self._refused(self._what):  # another form was quicker
            return await self._async_show_user(self._what, errors)
        return self._finish(title, user_input)

    async def _async_show_preview(self, title: str) -> SubentryFlowResult:
        """Show what the last month would have cost, if the recorder tells."""
        facts = UNKNOWN
        errors: Errors = {}
        try:
            preview = await async_preview(self.hass, self._entry, self._tariff)
            facts = await self._async_facts(preview)
        except RecorderError as err:
            LOGGER.debug("No preview of a tariff: %s", err)
            errors["base"] = "no_preview"
        last = self._drafts.last(scope_of(self._what))
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema(dashboard_field(last.get(CONF_DASHBOARD, True))),
            description_placeholders={
                "title": title,
                "fee": price_text(self._tariff.monthly_fee or 0.0),
                **facts,
            },
            errors=errors,
        )

    async def _async_facts(self, preview: Preview) -> dict[str, str]:
        """Return what a preview has found out, in words."""
        return {
            "month": await async_month(self.hass, preview.month),
            "energy": f"{preview.energy:.1f} {self._unit}",
            "cost": f"{preview.cost:.2f}",
            "unpriced_hours": str(preview.unpriced_hours),
        }

    def _finish(self, title: str, choice: Data) -> SubentryFlowResult:
        """Keep the version; the only place that does."""
        data = self._tariff.as_dict() | {CONF_DASHBOARD: choice[CONF_DASHBOARD]}
        if self.source == SOURCE_RECONFIGURE:
            # Prices are changed in place: nothing is read from Climkit anew for them.
            return self.async_update_and_abort(
                self._entry, self._get_reconfigure_subentry(), title=title, data=data
            )
        return self.async_create_entry(title=title, data=data)

    # --- What the forms are filled with ---------------------------------------------

    @property
    def _unit(self) -> str:
        return Component(self._what[CONF_COMPONENT]).unit

    @callback
    def _async_drafts(self) -> Drafts:
        """Return what the version can begin with."""
        own: Data = {}
        others = {each.subentry_id: each for each in stored_tariffs(self._entry)}
        if self.source == SOURCE_RECONFIGURE:
            own = self._get_reconfigure_subentry().data
            others.pop(self._reconfigure_subentry_id, None)
        today = dt_util.now(self._info.zone).date()
        return Drafts(self._info, tuple(others.values()), own, today)

    def _last_prices(self) -> Data:
        """Return the prices that the form of the chosen kind is filled with."""
        return self._drafts.last_prices(scope_of(self._what), self._what[CONF_PRICING])

    # --- What is refused ------------------------------------------------------------

    def _refused(self, typed: Data) -> Errors:
        """Return what is wrong with the first form."""
        errors = refused_choice(self._info, typed)
        first = date.fromisoformat(str(typed[CONF_VALID_FROM]))
        if self._drafts.same_day(scope_of(typed), first):
            errors[CONF_VALID_FROM] = "same_day"
        return errors

    def _refused_entity(self, entity_id: str) -> str | None:
        """Return what is wrong with an entity."""
        is_known = self._last_prices().get(CONF_ENTITY_ID) == entity_id
        return refused_entity(self.hass, entity_id, is_known=is_known)

    # --- Forms ----------------------------------------------------------------------

    async def _async_show_user(
        self, filled: Data, errors: Errors
    ) -> SubentryFlowResult:
        also = tuple(self._drafts.own.get(CONF_METERS, ()))
        meters = await async_priced_labels(self.hass, self._info, also)
        fields = user_fields(site_components(self._info), meters)
        return self._show("user", fields, filled, errors)

    async def _async_confirm(
        self, step_id: str, fields: Fields, typed: Data, prices: Data
    ) -> SubentryFlowResult:
        """Go on to the preview; unless a price must be confirmed before."""
        self._tariff = tariff_of({**self._what, **prices})
        self._doubtful = is_doubtful(self.hass, self._tariff)
        if self._doubtful and not typed.get(CONF_CONFIRMED):
            return self._show(step_id, fields, typed, {"base": "in_rappen"})
        return await self.async_step_confirm()

    def _show(
        self, step_id: str, fields: Fields, filled: Data, errors: Errors | None = None
    ) -> SubentryFlowResult:
        if self._doubtful:
            fields = fields | confirmation_field()
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), filled),
            description_placeholders={"site": self._info.site.name},
            errors=errors,
        )
