"""The action that sets a tariff: for who has forty houses, and a list of their prices."""

from collections.abc import Iterable, Mapping
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
from .tariff_drafts import (
    newest_of,
    scope_of,
    scope_of_version,
    tariff_of,
    versions_for,
)
from .tariff_forms import CONF_CONFIRMED, CONF_PRICING
from .tariff_refusals import (
    is_doubtful,
    other_meters,
    refused_choice,
    refused_entity,
    refused_times,
)
from .tariff_texts import async_title, in_brackets, site_components

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
    tariff = tariff_of(data)
    title = await async_title(hass, info, tariff)
    # From here on nothing is awaited: of two calls for one day, the later one replaces.
    stored = stored_tariffs(entry)
    _raise_if(_refused_entity(hass, tariff, stored), entry, data, texts)
    if is_doubtful(hass, tariff) and not data[CONF_CONFIRMED]:
        _raise_if("in_rappen", entry, data, texts)
    same = versions_for(scope_of_version(tariff), stored)
    in_dashboard = data.get(CONF_DASHBOARD, _is_in_dashboard(same))
    version = tariff.as_dict() | {CONF_DASHBOARD: in_dashboard}
    _store(hass, entry, version, title, _replaced(entry, tariff, same))


def _refused_choice(info: SiteInfo, data: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a version as it was written: a key of the forms' texts."""
    component, meters = scope_of(data)
    if not meters and component not in site_components(info):
        return "other_component"
    errors = refused_choice(info, data)
    if data[CONF_PRICING] == Pricing.TIMES:
        errors |= refused_times(data)
    return next(iter(errors.values()), None)


def _refused_entity(
    hass: HomeAssistant, tariff: Tariff, stored: Iterable[StoredTariff]
) -> str | None:
    """Return what is wrong with the entity of the price: a key of the forms' texts."""
    if tariff.entity_id is None:
        return None
    is_known = tariff.entity_id in {each.tariff.entity_id for each in stored}
    return refused_entity(hass, tariff.entity_id, is_known=is_known)


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
        reason += in_brackets(other_meters(info, data), info.meters)
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="tariff_refused",
        translation_placeholders={"site": entry.title, "reason": reason},
    )


def _is_in_dashboard(versions: Iterable[StoredTariff]) -> bool:
    """Return whether the costs of the newest version are shown."""
    newest = newest_of(versions)
    return newest is not None and newest.in_dashboard


def _replaced(
    entry: ClimkitConfigEntry, tariff: Tariff, versions: Iterable[StoredTariff]
) -> ConfigSubentry | None:
    """Return the version that begins on the same day, if there is one."""
    found = (each for each in versions if each.tariff.valid_from == tariff.valid_from)
    return next((entry.subentries[each.subentry_id] for each in found), None)


@callback
def _store(
    hass: HomeAssistant,
    entry: ClimkitConfigEntry,
    version: dict[str, Any],
    title: str,
    replaced: ConfigSubentry | None,
) -> None:
    """Keep a version in the place of another, or beside all others."""
    if replaced:
        hass.config_entries.async_update_subentry(
            entry, replaced, data=version, title=title
        )
        return
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(version),
            subentry_type=SUBENTRY_TARIFF,
            title=title,
            unique_id=None,
        ),
    )
