"""What the forms of a tariff are filled with: the version's own data, or the last one's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ..const import CONF_METERS
from ..metering.site import SiteInfo
from ..metering.tariff import Component, Pricing, Tariff
from ..statistics.tariff_versions import StoredTariff
from .tariff_forms import (
    CONF_COMPONENT,
    CONF_MONTHLY_FEE,
    CONF_PRICING,
    CONF_VALID_FROM,
    Data,
)
from .tariff_texts import first_day, site_components

type Scope = tuple[str, tuple[str, ...]]
"""What a version is for: its component, and the ids of its meters, in order."""

_CHOICES: Final = (CONF_PRICING, CONF_MONTHLY_FEE)
"""What the first form is filled with that depends on what the version is for."""
_OFFERED: Final = (*_CHOICES, CONF_VALID_FROM)


def scope_of(data: Mapping[str, Any]) -> Scope:
    """Return what a version is for, by its data or by what was typed."""
    return data[CONF_COMPONENT], tuple(sorted(data.get(CONF_METERS) or ()))


def _differing(typed: Data, offered: Data) -> set[str]:
    """Return what was typed otherwise than it was offered."""
    return {key for key in _OFFERED if typed.get(key) != offered.get(key)}


@dataclass(frozen=True, slots=True)
class Drafts:
    """What a version can begin with."""

    info: SiteInfo
    others: tuple[StoredTariff, ...]
    """All other versions of the site."""
    own: Data
    """What the version has, if it is not a new one."""
    today: date
    """In the zone of the site."""

    def first(self) -> Data:
        """Return what the first form is filled with at first."""
        return self.own or self.offer(self._due())

    def offer(self, scope: Scope) -> dict[str, Any]:
        """Return what the first form is filled with for a component and meters."""
        component, meters = scope
        newest = self._newest(scope)
        offered = {
            CONF_COMPONENT: component,
            CONF_METERS: list(meters),
            CONF_PRICING: Pricing.FIXED.value,
            CONF_VALID_FROM: first_day(
                self.info, newest.tariff if newest else None, self.today
            ).isoformat(),
        }
        last = newest.data if newest else {}
        return offered | {key: last[key] for key in _CHOICES if key in last}

    def offer_instead(self, offered: Data, typed: Data) -> Data | None:
        """Return what the form is to be filled with when its component was changed.

        None if the rest was typed for this one. The fee of another component would
        be paid twice, and the day on which its next version begins would leave the
        past without costs; nobody would see either.
        """
        scope = scope_of(typed)
        if self.own or scope == scope_of(offered):
            return None
        chosen = _differing(typed, offered)
        offer = self.offer(scope)
        if self._newest(scope) is None:
            offer[CONF_PRICING] = typed[CONF_PRICING]
        if not chosen.isdisjoint(_CHOICES):  # then they were typed for it
            offer |= {key: typed.get(key) for key in _CHOICES}
        if CONF_VALID_FROM in chosen:
            offer[CONF_VALID_FROM] = typed[CONF_VALID_FROM]
        if not _differing(typed, offer):
            return None
        return {key: value for key, value in offer.items() if value is not None}

    def last(self, scope: Scope) -> Data:
        """Return the data that a version begins with, or none if it is the first."""
        if self.own:
            return self.own
        newest = self._newest(scope)
        return newest.data if newest else {}

    def last_prices(self, scope: Scope, pricing: str) -> Data:
        """Return these data if they are of this kind of pricing, or else none."""
        last = self.last(scope)
        return last if last.get(CONF_PRICING) == pricing else {}

    def same_day(self, scope: Scope, first: date) -> bool:
        """Return whether another version for the same begins on that day."""
        return any(each.tariff.valid_from == first for each in self._versions(scope))

    def _versions(self, scope: Scope) -> Iterator[StoredTariff]:
        return (each for each in self.others if _scope(each.tariff) == scope)

    def _newest(self, scope: Scope) -> StoredTariff | None:
        return max(
            self._versions(scope),
            key=lambda each: each.tariff.valid_from,
            default=None,
        )

    def _due(self) -> Scope:
        """Return what a further version is probably for: whose newest one is oldest."""
        newest: dict[Scope, date] = {}
        for each in self.others:
            scope = _scope(each.tariff)
            newest[scope] = max(newest.get(scope, date.min), each.tariff.valid_from)
        component = site_components(self.info)[0]
        return min(newest, key=lambda scope: newest[scope], default=(component, ()))


def _scope(tariff: Tariff) -> Scope:
    return Component(tariff.component).value, tariff.meters
