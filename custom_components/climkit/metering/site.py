"""What is known of a site: its description, its meters, which flows it has."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
import re
from typing import Final

from ..api import Meter, MeterType, Site
from .calendar import start_of_day
from .flows import (
    LIVE_MEDIA,
    Flow,
    FlowKind,
    Medium,
    has_series,
    meter_flows,
    site_flows,
)

MEMORY: Final = timedelta(days=5 * 365)
"""How far back a site is thought to go that does not tell its age."""

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}", re.IGNORECASE)
"""An id of MongoDB: its first eight digits are the seconds since 1970 at its birth."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Which meters the user wants as devices with history, by their ids."""

    chosen: Collection[str] | None = None
    """None while nobody was asked: all of them."""
    offered: Collection[str] | None = None
    """The meters that were there to be chosen or left out; None if that is unknown."""

    def of(self, meters: Iterable[Meter]) -> Iterator[Meter]:
        """Yield the wanted ones of the meters; one that was never offered is new."""
        for meter in meters:
            if has_series(meter) and (
                self.chosen is None
                or meter.id in self.chosen
                or (self.offered is not None and meter.id not in self.offered)
            ):
                yield meter


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What the cloud tells of a site and its meters, and what follows from it."""

    site: Site
    meters: tuple[Meter, ...]
    chosen: tuple[Meter, ...]
    """The meters that the user wants as devices with history."""
    zone: tzinfo
    """The site's time zone: its days and months begin by it."""
    first_hour: datetime
    """The hour, in UTC, before which nothing can have been metered."""
    seen: frozenset[FlowKind] = frozenset()
    """Kinds that proved to exist by their values, though no meter shows them."""
    media: tuple[Medium, ...] = field(init=False, compare=False)
    """What is metered at the site, electricity first."""
    flows: tuple[Flow, ...] = field(init=False, compare=False)
    """Every flow that has a statistic: the site's, then the chosen meters'."""

    def __post_init__(self) -> None:
        """Work out once what so many ask for so often."""
        media = {meter.type for meter in self.meters} or {MeterType.ELECTRICITY}
        ordered = sorted(media, key=lambda medium: (medium not in LIVE_MEDIA, medium))
        flows = [
            *site_flows(self.site.id, self.meters, self.seen),
            *(flow for meter in self.chosen for flow in meter_flows(meter)),
        ]
        object.__setattr__(self, "media", tuple(ordered))
        object.__setattr__(self, "flows", tuple(flows))

    def flows_of(self, owner_id: str) -> tuple[Flow, ...]:
        """Return the flows of the site, or of one of its meters, by its id."""
        return tuple(flow for flow in self.flows if flow.owner_id == owner_id)

    def flows_in(self, *media: Medium) -> tuple[Flow, ...]:
        """Return the flows of some media."""
        return tuple(flow for flow in self.flows if flow.medium in media)

    def having_seen(self, kinds: frozenset[FlowKind]) -> SiteInfo:
        """Return the same site, which has proved to have flows of these kinds too."""
        return replace(self, seen=self.seen | kinds)


def beginning_of(site: Site, zone: tzinfo, now: datetime) -> datetime:
    """Return the hour, in UTC, before which nothing can have been metered."""
    return start_of_day(site.created or _birth_of(site.id, now), zone)


def _birth_of(object_id: str, now: datetime) -> datetime:
    """Return when an id was made; one that does not tell stands for five years ago."""
    if not _OBJECT_ID.fullmatch(object_id):
        return now - MEMORY
    born = datetime.fromtimestamp(int(object_id[:8], 16), UTC)
    return born if datetime(2012, 1, 1, tzinfo=UTC) < born < now else now - MEMORY
