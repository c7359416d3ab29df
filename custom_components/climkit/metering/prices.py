"""Where the price of a tariff's version comes from: one small class per source.

An official tariff file or the price interface of a grid operator would be one more.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from .tariff import SUNDAY, Pricing, Tariff, Zone

_CURRENCIES: Final = {
    "CHF": 1.0,
    "Rp": 0.01,
    "Rp.": 0.01,
    "Rappen": 0.01,
    "ct": 0.01,
    "ct.": 0.01,
    "cts": 0.01,
}
_ENERGIES: Final = {"kWh": 1.0, "MWh": 1000.0}


def chf_per_kwh(price: float, unit: str | None) -> float:
    """Return a price in CHF/kWh; ValueError if `unit` is no price that it can be."""
    currency, _, energy = (unit or "").partition("/")
    try:
        return price * _CURRENCIES[currency.strip()] / _ENERGIES[energy.strip()]
    except KeyError as error:
        raise ValueError(f"{unit!r} is not a price in CHF, Rp. or ct.") from error


class PriceArchive(Protocol):
    """What the price entities said, by quarter hour."""

    def price(self, entity_id: str, start: datetime) -> float | None:
        """Return the price in CHF/kWh of the quarter hour at `start` (UTC), if known."""


class PriceSource(Protocol):
    """What tells the prices of one version."""

    @property
    def may_lack(self) -> bool:
        """Return whether it may know no price of some quarter hour."""

    def kind_of(self, day: date) -> Hashable | None:
        """Return what sort of local day it is.

        Days of one sort have the same price at the same local time. None if no two
        days are alike or a price may still come: then nothing is remembered.
        """

    def price(self, start: datetime, local: datetime) -> float | None:
        """Return the price of the quarter hour at `start` (UTC), which is `local`."""


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """One price at all times; None before the first version."""

    value: float | None

    @property
    def may_lack(self) -> bool:
        """Return whether there is none."""
        return self.value is None

    def kind_of(self, day: date) -> Hashable | None:
        """Return the one sort of day there is."""
        return "any"

    def price(self, start: datetime, local: datetime) -> float | None:
        """Return the price."""
        return self.value


@dataclass(frozen=True, slots=True)
class TimesPrice:
    """Prices by month, day of the week and time of day."""

    zones: tuple[Zone, ...]
    default: float | None
    days_off: frozenset[date]
    """The days that count as Sundays."""

    @property
    def may_lack(self) -> bool:
        """Return False: zones that leave a hole are not taken without a default."""
        return False

    def kind_of(self, day: date) -> tuple[int, int]:
        """Return the day of the week that it counts as, and the month if it matters."""
        weekday = SUNDAY if day in self.days_off else day.weekday()
        return weekday, day.month if any(zone.months for zone in self.zones) else 1

    def price(self, start: datetime, local: datetime) -> float | None:
        """Return the price of the last zone that holds, or else the default."""
        weekday, month = self.kind_of(local.date())
        for zone in reversed(self.zones):
            if zone.holds(weekday, month, local.time()):
                return zone.price
        return self.default


@dataclass(frozen=True, slots=True)
class EntityPrice:
    """The archived price of an entity, and what comes on top."""

    entity_id: str
    surcharge: float
    vat: float
    archive: PriceArchive

    @property
    def may_lack(self) -> bool:
        """Return True: nobody may have been there to hear a price."""
        return True

    def kind_of(self, day: date) -> Hashable | None:
        """Return None: every quarter hour has its own price."""

    def price(self, start: datetime, local: datetime) -> float | None:
        """Return (price + surcharge), VAT on both, if the price is known."""
        price = self.archive.price(self.entity_id, start)
        if price is None:
            return None
        return (price + self.surcharge) * (1 + self.vat / 100)


def price_source(
    tariff: Tariff, archive: PriceArchive, days_off: frozenset[date]
) -> PriceSource:
    """Return what tells the prices of a version."""
    return _SOURCES[tariff.pricing](tariff, archive, days_off)


def _fixed(
    tariff: Tariff, archive: PriceArchive, days_off: frozenset[date]
) -> PriceSource:
    return FixedPrice(tariff.price)


def _times(
    tariff: Tariff, archive: PriceArchive, days_off: frozenset[date]
) -> PriceSource:
    return TimesPrice(tariff.zones, tariff.price, days_off)


def _entity(
    tariff: Tariff, archive: PriceArchive, days_off: frozenset[date]
) -> PriceSource:
    return EntityPrice(tariff.entity_id or "", tariff.surcharge, tariff.vat, archive)


_SOURCES: Final[
    dict[Pricing, Callable[[Tariff, PriceArchive, frozenset[date]], PriceSource]]
] = {Pricing.FIXED: _fixed, Pricing.TIMES: _times, Pricing.ENTITY: _entity}
