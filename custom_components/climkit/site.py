"""What is known of a site: its description, its meters, which of them are wanted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from homeassistant.util import dt as dt_util

from .api import Meter, MeterType, Site
from .flows import LIVE_MEDIA, Medium
from .metering import start_of_day

MEMORY: Final = timedelta(days=5 * 365)
"""How far back a site is thought to go that does not tell its age."""


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What the cloud tells of a site and its meters."""

    site: Site
    meters: tuple[Meter, ...]
    chosen: tuple[Meter, ...]
    """The meters that the user wants as devices with history."""
    zone: tzinfo
    """The site's time zone: its days and months begin by it."""

    @property
    def media(self) -> tuple[Medium, ...]:
        """Return what is metered at the site, electricity first."""
        media = {meter.type for meter in self.meters} or {MeterType.ELECTRICITY}
        return tuple(
            sorted(media, key=lambda medium: (medium not in LIVE_MEDIA, medium))
        )

    @property
    def first_hour(self) -> datetime:
        """Return the hour, in UTC, before which nothing can have been metered."""
        created = self.site.created or _birth_of(self.site.id)
        return start_of_day(created, self.zone)


def _birth_of(object_id: str) -> datetime:
    """Return when an id was made: its first eight hex digits are seconds since 1970.

    So it is with the ids of MongoDB, and with those that were seen of Climkit. An id
    that says something impossible stands for five years ago.
    """
    now = dt_util.utcnow()
    try:
        born = datetime.fromtimestamp(int(object_id[:8], 16), UTC)
    except ValueError:
        born = now
    return born if datetime(2012, 1, 1, tzinfo=UTC) < born < now else now - MEMORY
