"""All tariffs of a site: which price and which fee is whose, and when.

A meter's own versions win over the site's from their first day on. A snapshot: when
versions or days off change, a new `Tariffs` is made, and what it prices otherwise is
found by comparing. Only the archive of entities' prices may grow meanwhile.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from .hours import HOUR, hours_between
from .prices import PriceArchive
from .tariff import Component, Tariff
from .timeline import DaysOff, PriceTimeline

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Tariffs:
    """The tariffs of one site.

    Wherever a meter's id is asked for, None is the site itself.
    """

    def __init__(
        self,
        versions: Iterable[Tariff],
        zone: tzinfo,
        archive: PriceArchive,
        days_off: DaysOff | None = None,
    ) -> None:
        """`zone` is the site's; `days_off` has what is known of workday sensors.

        Of two versions of one day the one for fewer meters wins.
        """
        self._zone = zone
        self._archive = archive
        self._days_off: DaysOff = days_off or {}
        self._own: dict[tuple[Component, str | None], list[Tariff]] = {}
        for version in sorted(
            versions, key=lambda each: (each.valid_from, -len(each.meters), each.meters)
        ):
            for meter_id in version.meters or (None,):
                self._own.setdefault((version.component, meter_id), []).append(version)
        self._timelines: dict[tuple[Component, str | None], PriceTimeline] = {}
        self._fees: dict[tuple[str | None, date], float | None] = {}

    @property
    def scopes(self) -> Collection[tuple[Component, str | None]]:
        """Return what has versions of its own: component, and meter or None (site)."""
        return self._own.keys()

    def timeline(self, component: Component, meter_id: str | None) -> PriceTimeline:
        """Return all prices of a component; meters without own versions share it."""
        scope = component, meter_id
        if scope not in self._own:
            scope = component, None
        if scope not in self._timelines:
            self._timelines[scope] = PriceTimeline(
                self._versions(*scope), self._zone, self._archive, self._days_off
            )
        return self._timelines[scope]

    def _versions(self, component: Component, meter_id: str | None) -> list[Tariff]:
        """Return an owner's versions, and the site's until the first of a meter's own."""
        own = self._own.get((component, meter_id), [])
        if meter_id is None:
            return own
        of_site = self._own.get((component, None), [])
        first = own[0].valid_from
        return [version for version in of_site if version.valid_from < first] + own

    def has(self, component: Component, meter_id: str | None) -> bool:
        """Return whether a component has a version, of the meter or of the site."""
        return not self._own.keys().isdisjoint(
            {(component, meter_id), (component, None)}
        )

    def version(
        self, component: Component, meter_id: str | None, day: date
    ) -> Tariff | None:
        """Return the version that is valid on a date of the site's zone."""
        return self.timeline(component, meter_id).version_on(day)

    def entities_on(self, day: date) -> frozenset[str]:
        """Return the entities whose prices are valid on a date of the site's zone."""
        versions = (self.version(*scope, day) for scope in self.scopes)
        return frozenset(each.entity_id for each in versions if each and each.entity_id)

    def price_at(
        self, component: Component, meter_id: str | None, start: datetime
    ) -> float | None:
        """Return the price of the quarter hour at `start`, in CHF per kWh or m³.

        None before the first version, or if an entity's price is not known.
        """
        return self.timeline(component, meter_id).price_at(start)

    def has_fee(self, meter_id: str | None) -> bool:
        """Return whether an owner has a version with a fee."""
        return any(fee is not None for _, _, fee in self._fee_facts(meter_id))

    def fee(self, meter_id: str | None, hour: datetime) -> float | None:
        """Return the share of an hour in its local month's fees, in CHF.

        The fee valid in that hour over all the hours the month really has. Fees of
        all components add up; a meter pays those of its own versions alone. None
        where no valid version has a fee.
        """
        day = hour.astimezone(self._zone).date()
        key = meter_id, day
        if key not in self._fees:
            fee = self._monthly_fee(meter_id, day)
            hours = _hours_of_month(day.replace(day=1), self._zone)
            self._fees[key] = None if fee is None else fee / hours
        return self._fees[key]

    def fees(
        self, meter_id: str | None, start: datetime, end: datetime
    ) -> dict[datetime, float]:
        """Return the fees of the hours that begin in [start, end), as `fee` does."""
        if not (facts := self._fee_facts(meter_id)):
            return {}
        first = min(valid_from for _, valid_from, _ in facts)
        if (
            first > start.astimezone(self._zone).date()
        ):  # years have none: not looked at
            start = datetime.combine(first, time.min, self._zone).astimezone(UTC)
        return {
            hour: fee
            for hour in hours_between(start + HOUR - timedelta.resolution, end)
            if (fee := self.fee(meter_id, hour)) is not None
        }

    def same_fees(self, other: Tariffs, meter_id: str | None) -> bool:
        """Return whether the versions of an owner tell the same fees."""
        facts, others = self._fee_facts(meter_id), other._fee_facts(meter_id)
        return self._zone == other._zone and facts == others

    def _monthly_fee(self, meter_id: str | None, day: date) -> float | None:
        valid = {
            component: fee
            for component, valid_from, fee in self._fee_facts(meter_id)
            if valid_from <= day
        }
        fees = [fee for fee in valid.values() if fee is not None]
        return sum(fees) if fees else None

    def _fee_facts(self, meter_id: str | None) -> list[tuple[str, date, float | None]]:
        """Return component, first day and fee of an owner's own versions, in order."""
        return [
            (component.value, version.valid_from, version.monthly_fee)
            for component in Component
            for version in self._own.get((component, meter_id), [])
        ]


def first_fee_difference(
    old: Tariffs,
    new: Tariffs,
    meter_id: str | None,
    *,
    since: datetime,
    until: datetime,
) -> datetime | None:
    """Return the first hour in [since, until), in UTC, with another fee, if any."""
    if old.same_fees(new, meter_id):
        return None
    were = old.fees(meter_id, since, until)
    are = new.fees(meter_id, since, until)
    return min((hour for hour, _ in were.items() ^ are.items()), default=None)


def _hours_of_month(first: date, zone: tzinfo) -> int:
    """Return how many hours begin in a local month: 743 in March, 745 in October."""
    after = (first + timedelta(days=31)).replace(day=1)
    return _first_hour(after, zone) - _first_hour(first, zone)


def _first_hour(day: date, zone: tzinfo) -> int:
    """Return the number of the first hour (of UTC) that begins on a local day."""
    midnight = datetime.combine(day, time.min, zone)
    return -((_EPOCH - midnight) // HOUR)
