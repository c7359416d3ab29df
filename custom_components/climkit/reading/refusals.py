"""Access to a site that its owner has withdrawn: somebody must know, until it is back.

What the cloud answers is noted by everyone who asks it. The site counts as closed when
its description is refused, or whatever is measured there.
"""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

ACCESS_WITHDRAWN: Final = "access_withdrawn"

DESCRIPTION: Final = "description"
"""The name of the one who asks for the site itself."""

_DENIED: Final[HassKey[dict[str, dict[str, bool]]]] = HassKey(f"{DOMAIN}_denied")


@callback
def async_note_access(
    hass: HomeAssistant, entry: ConfigEntry, asked: str, *, denied: bool
) -> None:
    """Note what became of a question; raise the issue, or remove it."""
    answers = hass.data.setdefault(_DENIED, {}).setdefault(entry.entry_id, {})
    answers[asked] = denied
    data = [no for name, no in answers.items() if name != DESCRIPTION]
    if answers.get(DESCRIPTION) or (data and all(data)):
        ir.async_create_issue(
            hass,
            DOMAIN,
            _issue_id(entry),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=ACCESS_WITHDRAWN,
            translation_placeholders={"site": entry.title},
        )
    else:
        ir.async_delete_issue(hass, DOMAIN, _issue_id(entry))


@callback
def async_forget_access(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget everything, with the config entry."""
    hass.data.get(_DENIED, {}).pop(entry.entry_id, None)
    ir.async_delete_issue(hass, DOMAIN, _issue_id(entry))


def _issue_id(entry: ConfigEntry) -> str:
    return f"{ACCESS_WITHDRAWN}_{entry.entry_id}"
