"""What is known of a site: its description, its meters, which flows it has."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from itertools import chain
from typing import Final

from ..api import Meter, Site
from .calendar import start_of_day
from .flows import (
    LIVE_MEDIA,
    Flow,
    FlowKind,
    Medium,
    has_series,
    media_of,
    meter_flows,
    site_flows,
)

MEMORY: Final = 5
"""So many years back, at least, is looked for readings, whatever a site says of its age:
it may have been taken over, or set up anew, long after its meters began."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Which meters the user wants as devices with history, by their ids."""

    chosen: Collection[str] | None = None
    """None while nobody was asked: all of them."""
    offered: Collection[str] | None = None
    """The meters that were there to be chosen or left out; None if that is unknown."""

    def of(self, meters: Iterable[Meter]) -> Iterator[Meter]:
        """Return the wanted ones of the meters; one that was never offered is new."""
        return filter(self._wants, filter(has_series, meters))

    def _wants(self, meter: Meter) -> bool:
        if self.chosen is None or meter.id in self.chosen:
            return True
        return self.offered is not None and meter.id not in self.offered


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What the cloud tells of a site and its meters, and what follows from it."""

    site: Site
    meters: tuple[Meter, ...]
    chosen: tuple[Meter, ...]
    """The meters that the user wants as devices with history."""
    zone: tzinfo
    """The site's time zone: its days and months begin by it."""
    beginning: datetime
    """The hour, in UTC, before which no readings are looked for."""
    seen: frozenset[FlowKind] = frozenset()
    """Kinds that proved to exist by their values, though no meter shows them."""
    media: tuple[Medium, ...] = field(init=False, compare=False)
    """What is metered at the site, electricity first."""
    flows: tuple[Flow, ...] = field(init=False, compare=False)
    """Every flow that has a statistic: the site's, then the chosen meters'."""
    _of_owners: dict[str, tuple[Flow, ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Work out once what so many ask for so often."""
        ordered = sorted(
            media_of(self.meters), key=lambda medium: (medium not in LIVE_MEDIA, medium)
        )
        of_owners = {
            self.site.id: tuple(site_flows(self.site.id, self.meters, self.seen)),
            **{meter.id: tuple(meter_flows(meter)) for meter in self.chosen},
        }
        flows = tuple(chain.from_iterable(of_owners.values()))
        object.__setattr__(self, "media", tuple(ordered))
        object.__setattr__(self, "flows", flows)
        object.__setattr__(self, "_of_owners", of_owners)

    def flows_of(self, owner_id: str) -> tuple[Flow, ...]:
        """Return the flows of the site, or of one of its meters, by its id."""
        return self._of_owners.get(owner_id, ())

    def flows_in(self, *media: Medium) -> tuple[Flow, ...]:
        """Return the flows of some media."""
        return tuple(flow for flow in self.flows if flow.medium in media)

    def having_seen(self, kinds: frozenset[FlowKind]) -> SiteInfo:
        """Return the same site, which has proved to have flows of these kinds too."""
        return replace(self, seen=self.seen | kinds)


def beginning_of(site: Site, zone: tzinfo, now: datetime) -> datetime:
    """Return the hour, in UTC, before which no readings are looked for.

    It moves once a year: what had moved out of sight by the day would be forgotten bit by
    bit.
    """
    year = now.astimezone(zone).year - MEMORY
    earliest = datetime(year, 1, 1, tzinfo=zone).astimezone(UTC)
    return min(earliest, start_of_day(site.created or now, zone))
