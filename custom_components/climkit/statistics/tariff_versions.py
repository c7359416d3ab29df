"""The tariffs that an entry has: its subentries of that type, one per dated version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_DASHBOARD, LOGGER, SUBENTRY_TARIFF
from ..metering.tariff import Tariff


@dataclass(frozen=True, slots=True)
class StoredTariff:
    """One version, as a subentry of an entry."""

    subentry_id: str
    tariff: Tariff
    data: Mapping[str, Any]
    """Of the subentry: the tariff's, and what is no part of it."""

    @property
    def in_dashboard(self) -> bool:
        """Return whether its costs are to be shown in the Energy dashboard."""
        return self.data.get(CONF_DASHBOARD) is True


def stored_tariffs(entry: ConfigEntry) -> tuple[StoredTariff, ...]:
    """Return the versions that an entry has, in the order in which they were added.

    One that can't be read, as of a newer release, is left out.
    """
    tariffs = []
    for subentry in entry.get_subentries_of_type(SUBENTRY_TARIFF):
        try:
            tariff = Tariff.from_dict(subentry.data)
        except ValueError as err:
            LOGGER.warning("The tariff “%s” cannot be read: %s", subentry.title, err)
            continue
        tariffs.append(StoredTariff(subentry.subentry_id, tariff, subentry.data))
    return tuple(tariffs)
