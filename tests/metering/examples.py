"""Tariffs and energies that the tests of pricing share."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.climkit.metering.changed_prices import changed_spans
from custom_components.climkit.metering.hours import HOUR, QUARTER
from custom_components.climkit.metering.tariff import Component, Tariff
from custom_components.climkit.metering.tariffs import Tariffs

ZURICH = ZoneInfo("Europe/Zurich")

WEEK = ["mon", "tue", "wed", "thu", "fri"]
HT, NT = 0.30, 0.20
GRID = Component.GRID


class Archive:
    """What entities said, by quarter hour; nothing by default."""

    def __init__(self, prices: Mapping[datetime, float] | None = None) -> None:
        self.prices = dict(prices or {})

    def price(self, entity_id: str, start: datetime) -> float | None:
        """Return the price of the one entity that the tests have."""
        assert entity_id == "sensor.price"
        return self.prices.get(start)


NOTHING = Archive()


def tariff(component: str = "grid", /, **data: Any) -> Tariff:
    """Return a version, by default of the grid and from long ago on."""
    kind = "entity" if "entity_id" in data else "times" if "zones" in data else "fixed"
    return Tariff.from_dict(
        {"component": component, "valid_from": "2020-01-01", "pricing": kind} | data
    )


def high_low(*blocks: str, days: Iterable[str] = (), **data: Any) -> Tariff:
    """Return HT in the blocks ("07:00-20:00") on those days, and else NT."""
    zones = [
        dict(zip(("from", "to"), block.split("-"), strict=True))
        | {"price": HT, "days": list(days)}
        for block in blocks
    ]
    return tariff(price=NT, zones=zones, **data)


def tariffs(
    *versions: Tariff,
    archive: Archive = NOTHING,
    days_off: Mapping[str, Mapping[date, bool]] | None = None,
    zone: ZoneInfo = ZURICH,
) -> Tariffs:
    """Return the tariffs of a site in Zurich."""
    return Tariffs(versions, zone, archive, days_off)


def utc(text: str) -> datetime:
    """Return a time of UTC: "2026-03-31 22:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    """Return a time of Zurich, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH).astimezone(UTC)


def hours_of(day: str) -> list[datetime]:
    """Return the hours of a local day of Zurich."""
    start = local(f"{day} 00:00")
    after = str(date.fromisoformat(day) + timedelta(days=1))
    return [start + i * HOUR for i in range((local(f"{after} 00:00") - start) // HOUR)]


def quarters(start: datetime, *amounts: float | None) -> dict[datetime, float]:
    """Return quarter hours one after the other, without those that are None."""
    return {
        start + i * QUARTER: amount
        for i, amount in enumerate(amounts)
        if amount is not None
    }


def first_changed(
    old: Tariffs,
    new: Tariffs,
    component: Component,
    meter_id: str | None,
    *,
    since: datetime,
    until: datetime,
) -> datetime | None:
    """Return the first hour that is priced anew, None if none is."""
    lines = old.timeline(component, meter_id), new.timeline(component, meter_id)
    spans = changed_spans([lines], since, until)
    return spans[0][0] if spans else None


def hours(start: datetime, *amounts: float) -> dict[datetime, float]:
    """Return hours one after the other."""
    return {start + i * HOUR: amount for i, amount in enumerate(amounts)}


YEARS = {"since": utc("2021-11-26 00:00"), "until": utc("2026-11-26 00:00")}
