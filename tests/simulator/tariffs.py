"""What each site pays, as it stands on its bills: the truth about prices.

Prices are of the size that Swiss bills have, in CHF per kWh or m³, VAT included. They
change on 1 January, as those of all grid operators do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from .site import SimulatedSite

HIGH_HOURS: Final = (*range(7, 12), *range(17, 23))
"""Every day, by the clock: the hours that cost more, since noon is for the sun."""
PRESET: Final = "daily_07_12_17_23"
"""What the form calls them."""

type Prices = tuple[float, ...]
"""One, or a low and a high one."""


@dataclass(frozen=True, kw_only=True)
class SimulatedTariff:
    """One version: a price, or two, from a day on."""

    component: str
    valid_from: date
    """In the time zone of the site."""
    prices: Prices
    monthly_fee: float | None = None
    """In CHF."""

    def price_in(self, hour: datetime) -> float:
        """Return the price in an hour, given by its start in local time."""
        return self.prices[-1] if hour.hour in HIGH_HOURS else self.prices[0]

    @property
    def answers(self) -> dict[str, Any]:
        """Return what is typed into the forms of a first version."""
        typed: dict[str, Any] = {
            "component": self.component,
            "valid_from": self.valid_from.isoformat(),
            "pricing": "fixed",
            "price": self.prices[0],
        }
        if len(self.prices) > 1:
            typed |= {"pricing": "times", "high_price": self.prices[1]}
            typed |= {"preset": PRESET}
        if self.monthly_fee:
            typed |= {"monthly_fee": self.monthly_fee}
        return typed


@dataclass(frozen=True)
class _Change:
    """What something cost, and what it costs since the last 1 January."""

    before: Prices
    now: Prices
    monthly_fee: float | None = None


_TARIFFS: Final[Mapping[str, _Change]] = {
    "grid": _Change((0.1972, 0.3065), (0.1834, 0.2921), monthly_fee=12.40),
    "solar": _Change((0.18,), (0.17,)),
    "feed_in": _Change((0.104,), (0.06,)),
    "heating": _Change((0.14,), (0.15,)),
    "cooling": _Change((0.09,), (0.10,)),
    "cold_water": _Change((4.10,), (4.35,)),
    "hot_water": _Change((14.20,), (14.90,)),
}


def tariffs_of(
    site: SimulatedSite, *, changed: date | None = None
) -> list[SimulatedTariff]:
    """Return the versions of a site's tariffs, each component's oldest first.

    The newest begin on the day `changed`: if none is given, on the last 1 January.
    """
    zone = ZoneInfo(site.time_zone)
    created = site.created.astimezone(zone).date()
    newest = changed or datetime.now(zone).date().replace(month=1, day=1)
    found = []
    for component in _components(site):
        change = _TARIFFS[component]
        prices = {created: change.before} if created < newest else {}
        prices |= {max(created, newest): change.now}
        found += [
            SimulatedTariff(
                component=component,
                valid_from=day,
                prices=each,
                monthly_fee=change.monthly_fee,
            )
            for day, each in prices.items()
        ]
    return found


def price_of(
    tariffs: list[SimulatedTariff], component: str, at: datetime, time_zone: str
) -> float:
    """Return what a component costs in the hour that begins at an aware moment."""
    local = at.astimezone(UTC).astimezone(ZoneInfo(time_zone))
    valid = [
        each
        for each in tariffs
        if each.component == component and each.valid_from <= local.date()
    ]
    return max(valid, key=lambda each: each.valid_from).price_in(local)


def _components(site: SimulatedSite) -> Iterator[str]:
    """Yield what a site has to pay for, or is paid for."""
    if "electricity" in site.meter_types:
        yield "grid"
    if any(meter.mode == "production" for meter in site.meters):
        yield from ("solar", "feed_in")
    yield from (type_ for type_ in site.meter_types if type_ in _TARIFFS)
