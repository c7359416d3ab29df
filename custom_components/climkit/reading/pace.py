"""When a site's media are read: the present as it is published, the rest by the hour."""

from datetime import datetime, timedelta
from random import uniform
from typing import Final

from ..metering.flows import LIVE_MEDIA, Medium
from ..metering.hours import QUARTER
from ..metering.publication import RETRY, PublicationSchedule
from .site_coordinator import HOURLY

JITTER: Final = 15.0
"""Seconds over which the polls of many homes are spread, so as not to come at once."""


class AsPublished:
    """The pace of what is metered by quarter hour: read soon after it is published."""

    what: Final = "live readings"
    first: Final = QUARTER
    """How long until the first poll."""
    retry: Final = RETRY
    """How long to wait after a poll that failed."""

    def __init__(self) -> None:
        """Begin without knowing when the cloud publishes."""
        self._schedule = PublicationSchedule()

    @property
    def delay(self) -> timedelta | None:
        """Return how late the cloud was seen to publish a quarter hour."""
        return self._schedule.delay

    def has(self, medium: Medium) -> bool:
        """Return whether a medium is read at this pace."""
        return medium in LIVE_MEDIA

    def after(self, newest_end: datetime | None, now: datetime) -> timedelta:
        """Return how long to wait after a poll at `now` (UTC) that went well.

        `newest_end` is the end of the newest quarter hour, in UTC.
        """
        self._schedule.polled(newest_end, now)
        wait = self._schedule.next_poll(now) - now
        return wait + timedelta(seconds=uniform(0, JITTER))  # noqa: S311


class ByHour:
    """The pace of what comes once a day, as heat, cooling and water do."""

    what: Final = "daily readings"
    first: Final = HOURLY
    retry: Final = HOURLY
    delay: Final = None

    def has(self, medium: Medium) -> bool:
        """Return whether a medium is read at this pace."""
        return medium not in LIVE_MEDIA

    def after(self, newest_end: datetime | None, now: datetime) -> timedelta:
        """Return how long to wait after a poll, whatever it brought."""
        return HOURLY


type Pace = AsPublished | ByHour
