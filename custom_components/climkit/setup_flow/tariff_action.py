"""The action that sets a tariff: for who has forty houses, and a list of their prices."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.translation import async_get_translations

from ..const import CONF_DASHBOARD, DOMAIN, SUBENTRY_TARIFF
from ..metering.site import SiteInfo
from ..metering.tariff import Pricing, Tariff
from ..runtime import ClimkitConfigEntry
from ..statistics.tariff_versions import StoredTariff, stored_tariffs
from .tariff_drafts import scope_of
from .tariff_forms import CONF_CONFIRMED, CONF_MONTHLY_FEE, CONF_PRICING
from .tariff_refusals import (
    is_doubtful,
    other_meters,
    refused_choice,
    refused_entity,
    refused_times,
)
from .tariff_texts import async_title, site_components

_FORMS: Final = "config_subentries"


async def async_set_tariff(
    hass: HomeAssistant, entry: ClimkitConfigEntry, data: Mapping[str, Any]
) -> None:
    """Add a version, or replace the one of the same day for the same.

    `data` are of one kind of pricing (see `tariff_fields`). Costs show up in the Energy
    dashboard only if that is wanted, or was before. Raises ServiceValidationError, with
    the words of the forms, for what they refuse.
    """
    info = entry.runtime_data.site.data
    texts = await async_get_translations(hass, hass.config.language, _FORMS, {DOMAIN})
    _raise_if(_refused_choice(info, data), entry, data, texts)
    fee = data.get(CONF_MONTHLY_FEE) or None  # as in the form, 0 is no fee
    tariff = Tariff.from_dict({**data, CONF_MONTHLY_FEE: fee})
    title = await async_title(hass, info, tariff)
    # From here on nothing is awaited: of two calls for one day, the later one replaces.
    others = stored_tariffs(entry)
    refused = _refused_price(hass, tariff, others, confirmed=data[CONF_CONFIRMED])
    _raise_if(refused, entry, data, texts)
    _store(hass, entry, tariff, title, data.get(CONF_DASHBOARD))


def _refused_choice(info: SiteInfo, data: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a version as it was written: a key of the forms' texts."""
    component, meters = scope_of(data)
    if not meters and component not in site_components(info):
        return "other_component"
    errors = refused_choice(info, data)
    if data[CONF_PRICING] == Pricing.TIMES:
        errors |= refused_times(data)
    return next(iter(errors.values()), None)


def _refused_price(
    hass: HomeAssistant,
    tariff: Tariff,
    others: tuple[StoredTariff, ...],
    *,
    confirmed: bool,
) -> str | None:
    """Return what is wrong with the price as it is now: a key of the forms' texts."""
    if tariff.entity_id:
        is_known = tariff.entity_id in {each.tariff.entity_id for each in others}
        if error := refused_entity(hass, tariff.entity_id, is_known=is_known):
            return error
    return "in_rappen" if is_doubtful(hass, tariff) and not confirmed else None


def _raise_if(
    refused: str | None,
    entry: ClimkitConfigEntry,
    data: Mapping[str, Any],
    texts: Mapping[str, str],
) -> None:
    if refused is None:
        return
    key = f"component.{DOMAIN}.{_FORMS}.{SUBENTRY_TARIFF}.error.{refused}"
    reason = texts.get(key, refused)
    if refused == "other_meters":
        info = entry.runtime_data.site.data
        names = {meter.id: meter.name for meter in info.meters}
        others = (names.get(id_, id_) for id_ in other_meters(info, data))
        reason += f" ({', '.join(others)})"
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="tariff_refused",
        translation_placeholders={"site": entry.title, "reason": reason},
    )


@callback
def _store(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    tariff: Tariff,
    title: str,
    in_dashboard: bool | None,
) -> None:
    """Keep a version in the place of the one of its day, or beside the others."""
    scope = scope_of(tariff.as_dict())
    same = [
        each
        for each in stored_tariffs(entry)
        if scope_of(each.tariff.as_dict()) == scope
    ]
    if in_dashboard is None:
        newest = max(same, key=lambda each: each.tariff.valid_from, default=None)
        in_dashboard = newest is not None and newest.in_dashboard
    stored = tariff.as_dict() | {CONF_DASHBOARD: in_dashboard}
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
