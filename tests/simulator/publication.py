"""When the cloud shows what was measured."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from .hashing import seed_of, seeds_of, uniform
from .local_time import QUARTER, local_start

USUAL_DELAY: Final = timedelta(minutes=17)


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A quarter hour is shown `delay` after its end, or with its day's others."""

    delay: timedelta = USUAL_DELAY
    jitter: timedelta = timedelta(0)
    """Up to so much later, by chance; less than a quarter hour."""
    daily_at: time | None = None
    """Local time at which all of yesterday is shown; then `delay` says nothing."""

    def horizon(self, at: datetime, zone: str) -> int:
        """Return the first quarter that is not shown yet at this aware moment."""
        if self.daily_at is not None:
            return self._horizon_of_days(at, zone, self.daily_at)
        shown = at.timestamp() - self.delay.total_seconds()
        quarter = int(shown // QUARTER)
        spread = self.jitter.total_seconds()
        if spread and shown - quarter * QUARTER < spread * _chance(quarter):
            quarter -= 1
        return quarter

    def shown_at(self, end: datetime) -> datetime:
        """Return when the quarter hour that ends then is shown, unless by the day."""
        return end + self.delay + self.jitter * _chance(int(end.timestamp()) // QUARTER)

    @staticmethod
    def _horizon_of_days(at: datetime, zone: str, daily_at: time) -> int:
        local = at.astimezone(ZoneInfo(zone))
        day = local.date()
        if local.time() < daily_at:
            day -= timedelta(days=1)
        return local_start(day, zone) // QUARTER


def _chance(quarter: int) -> float:
    seeds = seeds_of([seed_of("publication")])
    return float(uniform(seeds, np.array([quarter]), 1)[0, 0])
