"""The action that sets a tariff: for who has forty houses, and a list of their prices."""

from collections.abc import Mapping
from datetime import time
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..const import CONF_DASHBOARD, CONF_METERS, DOMAIN, SUBENTRY_TARIFF
from ..metering.tariff import DAYS, MONTHS, Component, Pricing, Tariff
from ..runtime import ClimkitConfigEntry
from ..statistics.tariff_versions import StoredTariff, stored_tariffs
from .tariff_drafts import scope_of
from .tariff_forms import (
    CONF_COMPONENT,
    CONF_CONFIRMED,
    CONF_ENTITY_ID,
    CONF_FROM,
    CONF_MONTHLY_FEE,
    CONF_PRICE,
    CONF_PRICING,
    CONF_SURCHARGE,
    CONF_TO,
    CONF_VALID_FROM,
    CONF_VAT,
    CONF_WORKDAY,
    CONF_ZONES,
)
from .tariff_refusals import is_doubtful, refused_choice, refused_entity, refused_times
from .tariff_texts import async_title, site_components

_DAY: Final = 24 * 60
"""Minutes of a day."""


def _clock(value: Any) -> str:
    """Return a time of day; YAML reads 20:00 as a number, unless it is quoted."""
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value * 60 if value < _DAY else value
        if not 0 <= seconds < _DAY * 60:
            raise vol.Invalid(f"Invalid time specified: {value}")
        return time(seconds // 3600, seconds // 60 % 60).isoformat()
    found: time = cv.time(value)
    return found.isoformat()


_ZONE: Final = vol.Schema(
    {
        vol.Required(CONF_PRICE): vol.Coerce(float),
        vol.Required(CONF_FROM): _clock,
        vol.Required(CONF_TO): _clock,
        vol.Optional("days"): vol.All(cv.ensure_list, [vol.In(DAYS)]),
        vol.Optional("months"): vol.All(cv.ensure_list, [vol.In(MONTHS)]),
    }
)

TARIFF_FIELDS: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_COMPONENT): vol.In([each.value for each in Component]),
    vol.Optional(CONF_METERS, default=list): vol.All(cv.ensure_list, [cv.string]),
    vol.Required(CONF_VALID_FROM): cv.date,
    vol.Optional(CONF_PRICING, default=Pricing.FIXED.value): vol.In(
        [each.value for each in Pricing]
    ),
    vol.Optional(CONF_PRICE): vol.Coerce(float),
    vol.Optional(CONF_ZONES): vol.All(cv.ensure_list, [_ZONE]),
    vol.Optional(CONF_WORKDAY): cv.entity_id,
    vol.Optional(CONF_ENTITY_ID): cv.entity_id,
    vol.Optional(CONF_SURCHARGE): vol.Coerce(float),
    vol.Optional(CONF_VAT): vol.Coerce(float),
    vol.Optional(CONF_MONTHLY_FEE): vol.Coerce(float),
    vol.Optional(CONF_DASHBOARD): cv.boolean,
    vol.Optional(CONF_CONFIRMED, default=False): cv.boolean,
}
"""A tariff's data, and what its forms ask beside them."""


async def async_set_tariff(
    hass: HomeAssistant, entry: ClimkitConfigEntry, data: Mapping[str, Any]
) -> None:
    """Add a version, or replace the one of the same day for the same.

    Its costs show up in the Energy dashboard only if that is wanted, or was before.
    Raises ServiceValidationError, with the words of the forms, for what they refuse.
    """
    info = entry.runtime_data.site.data
    others = stored_tariffs(entry)
    try:
        tariff = Tariff.from_dict(data)
        refused = _refused(hass, entry, data, tariff, others)
    except ValueError as err:
        raise _refusal("tariff_invalid", entry, str(err)) from err
    if refused:
        raise _refusal("tariff_refused", entry, await _async_text(hass, refused))
    same = [each for each in others if _scope(each.tariff) == _scope(tariff)]
    newest = max(same, key=lambda each: each.tariff.valid_from, default=None)
    shown = data.get(CONF_DASHBOARD, newest.in_dashboard if newest else False)
    stored = tariff.as_dict() | {CONF_DASHBOARD: shown}
    title = await async_title(hass, info, tariff)
    for each in same:
        if each.tariff.valid_from == tariff.valid_from:
            subentry = entry.subentries[each.subentry_id]
            hass.config_entries.async_update_subentry(
                entry, subentry, data=stored, title=title
            )
            return
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(stored),
            subentry_type=SUBENTRY_TARIFF,
            title=title,
            unique_id=None,
        ),
    )


def _refused(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    data: Mapping[str, Any],
    tariff: Tariff,
    others: tuple[StoredTariff, ...],
) -> str | None:
    """Return what is wrong with a version that can be read: a key of the forms' texts."""
    info = entry.runtime_data.site.data
    if not tariff.meters and tariff.component not in site_components(info):
        return "other_component"
    errors = refused_choice(info, data)
    if tariff.pricing is Pricing.TIMES:
        errors |= refused_times(data)
    if tariff.entity_id:
        known = {each.tariff.entity_id for each in others}
        is_known = tariff.entity_id in known
        if error := refused_entity(hass, tariff.entity_id, is_known=is_known):
            errors[CONF_ENTITY_ID] = error
    if not errors and is_doubtful(hass, tariff) and not data[CONF_CONFIRMED]:
        return "in_rappen"
    return next(iter(errors.values()), None)


def _scope(tariff: Tariff) -> tuple[str, tuple[str, ...]]:
    return scope_of(tariff.as_dict())


async def _async_text(hass: HomeAssistant, error: str) -> str:
    """Return what the forms say to an error, in the language of the system."""
    texts = await async_get_translations(
        hass, hass.config.language, "config_subentries", {DOMAIN}
    )
    key = f"component.{DOMAIN}.config_subentries.{SUBENTRY_TARIFF}.error.{error}"
    return texts.get(key, error)


def _refusal(
    key: str, entry: ClimkitConfigEntry, reason: str
) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"site": entry.title, "reason": reason},
    )
