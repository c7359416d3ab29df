"""When to ask: learns how late the cloud publishes a quarter hour. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import floor
from typing import Final

from .hours import BEFORE_ALL, QUARTER, quarter_of

RETRY: Final = timedelta(minutes=5)
"""How long to wait after a poll that brought nothing new."""
RETRIES: Final = 2

MARGIN: Final = timedelta(seconds=20)
"""How far behind the earliest known publication to ask, so that a poll rarely misses."""
PRECISION: Final = timedelta(seconds=30)
"""How exactly the delay is learned: finer would cost requests and gain little."""
FORGETTING: Final = timedelta(milliseconds=500)
"""How much of the lower bound each success forgets, so that a cloud that has become
faster is found out, at the price of one early poll in half a day or so."""

_UNKNOWN: Final = timedelta.max
"""While no quarter hour was seen to appear, it may take as long as can be."""


@dataclass(slots=True)
class PublicationSchedule:
    """Knows between which ages a quarter hour appears, and so when to ask next.

    Age is the time since the end of the newest published quarter hour. Seen at an
    age of 20 minutes, a quarter was published at most 20 minutes after its end, and
    more than 5 (or its successor would have been there).
    """

    _at_most: timedelta = field(default=_UNKNOWN)
    _more_than: timedelta = field(default=timedelta())
    _newest: datetime = field(default=BEFORE_ALL)
    _misses: int = field(default=0)

    @property
    def delay(self) -> timedelta | None:
        """Return how late the cloud publishes, at most, as far as is known."""
        return None if self._at_most == _UNKNOWN else self._at_most

    def polled(self, newest_end: datetime | None, now: datetime) -> None:
        """Learn from a poll at `now` whose newest quarter hour ended at `newest_end`."""
        if newest_end is None or newest_end > now:
            self._misses += 1
            return
        age = now - newest_end
        if newest_end <= self._newest:
            self._miss(age)
            return
        self._misses = 0
        self._newest = newest_end
        self._hit(age)

    def _hit(self, age: timedelta) -> None:
        """Learn from a poll that brought a new quarter hour, of this age."""
        self._at_most = min(self._at_most, age)
        self._more_than = max(self._more_than - FORGETTING, age - QUARTER)
        if self._more_than >= self._at_most:
            # It came later than ever, or earlier: what was learned holds no more.
            self._at_most, self._more_than = age, age - QUARTER

    def _miss(self, age: timedelta) -> None:
        """Learn from a poll that brought nothing new: the next quarter comes later."""
        self._misses += 1
        waited = age - QUARTER
        self._more_than = max(self._more_than, waited)
        self._at_most = max(self._at_most, self._more_than + PRECISION)

    def next_poll(self, now: datetime) -> datetime:
        """Return when to ask next, in UTC, always after `now`."""
        if 0 < self._misses <= RETRIES:
            return now + RETRY
        if self.delay is None:
            return quarter_of(now) + QUARTER + MARGIN
        due = self._newest + QUARTER + self._target()
        # Missed for good, or long stopped: ask at the same offset of a later quarter.
        earliest = now + RETRY if self._misses else now
        return due + QUARTER * max(0, floor((earliest - due) / QUARTER) + 1)

    def _target(self) -> timedelta:
        """Return the age at which to ask: halfway while learning, then just behind."""
        if self._at_most - self._more_than > 2 * PRECISION:
            return (self._at_most + self._more_than) / 2
        return self._at_most + MARGIN
