"""What the forms of a tariff are filled with: the version's own data, or the last one's."""

from collections.abc import Iterable, Mapping
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
    given,
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


def scope_of_version(tariff: Tariff) -> Scope:
    """Return what a version is for."""
    return Component(tariff.component).value, tariff.meters


def versions_for(scope: Scope, stored: Iterable[StoredTariff]) -> list[StoredTariff]:
    """Return those of the versions that are for the same."""
    return [each for each in stored if scope_of_version(each.tariff) == scope]


def newest_of(versions: Iterable[StoredTariff]) -> StoredTariff | None:
    """Return the version that begins last."""
    return max(versions, key=lambda each: each.tariff.valid_from, default=None)


def tariff_of(typed: Data) -> Tariff:
    """Return the version that was typed; a monthly fee of 0 is none."""
    fee = typed.get(CONF_MONTHLY_FEE) or None
    return Tariff.from_dict({**typed, CONF_MONTHLY_FEE: fee})


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
        return offered | given(self.last(scope), _CHOICES)

    def offer_instead(self, offered: Data, typed: Data) -> Data | None:
        """Return what the form is to be filled with when its component was changed.

        None if the rest was typed for this one. The fee of another component would
        be paid twice, and the day on which its next version begins would leave the
        past without costs; nobody would see either.
        """
        scope = scope_of(typed)
        if self.own or scope == scope_of(offered):
            return None
        kept = self._typed_for(scope, _differing(typed, offered))
        offer = self.offer(scope)
        instead = given(offer, offer.keys() - kept) | given(typed, kept)
        return instead if _differing(typed, instead) else None

    def _typed_for(self, scope: Scope, chosen: set[str]) -> set[str]:
        """Return the fields that were typed for a component: `chosen` have changed."""
        kept = chosen & {CONF_VALID_FROM}
        if not chosen.isdisjoint(_CHOICES):
            kept.update(_CHOICES)
        if self._newest(scope) is None:
            kept.add(CONF_PRICING)
        return kept

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
        versions = versions_for(scope, self.others)
        return any(each.tariff.valid_from == first for each in versions)

    def _newest(self, scope: Scope) -> StoredTariff | None:
        return newest_of(versions_for(scope, self.others))

    def _due(self) -> Scope:
        """Return what a further version is probably for: whose newest one is oldest."""
        newest: dict[Scope, date] = {}
        for each in self.others:
            scope = scope_of_version(each.tariff)
            newest[scope] = max(newest.get(scope, date.min), each.tariff.valid_from)
        component = site_components(self.info)[0]
        return min(newest, key=lambda scope: newest[scope], default=(component, ()))
