"""What may be written of the polls, and when: the newest poll of each flow, kept ready.

A poll holds all of the last two days, so the newest one is all that has to be kept while
the recorder is busy, or while a flow's history is not yet in: until then its sums can't
be known. Pure, apart from what it keeps.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from ..metering.flows import Flow
from ..metering.hours import (
    GRACE,
    HOUR,
    LIVE_WINDOW,
    HourlyAmounts,
    hour_of,
    hours_of_quarters,
)

AT_ONCE: Final = 100
"""So many flows, or a few more, are worked on in one go: their 48 hours are about what
one transaction compares, and nobody waits for long while they are made of quarters."""

type Quarters = Mapping[datetime, float]


@dataclass(slots=True)
class Poll:
    """The newest quarter hours of one flow."""

    quarters: Quarters
    asked: datetime
    known_since: datetime | None
    """From when on all is known that the cloud has; None if it did not give it."""
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """Hours that were written, and when the cloud was asked for them."""

    at: datetime
    hours: HourlyAmounts


_NEVER: Final = _Asked(datetime.min.replace(tzinfo=UTC), HourlyAmounts({}, {}))


class LiveWrites:
    """Keeps the newest poll of each flow until it is written, and what was written."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._polls: dict[Flow, Poll] = {}
        self._of_polls: dict[Flow, _Asked] = {}
        self._of_history: dict[Flow, _Asked] = {}

    def take(
        self,
        quarters: Mapping[Flow, Quarters],
        asked: datetime,
        known_since: Mapping[Flow, datetime],
    ) -> None:
        """Keep a poll, unless a newer one is there."""
        for flow, some in quarters.items():
            known = self._polls.get(flow)
            if known is None or known.asked <= asked:
                self._polls[flow] = Poll(some, asked, known_since.get(flow))

    def keep_only(self, flows: frozenset[Flow]) -> None:
        """Forget all other flows."""
        for kept in (self._polls, self._of_polls, self._of_history):
            for flow in kept.keys() - flows:
                del kept[flow]

    def due(
        self, now: datetime, is_complete: Callable[[Flow, datetime], bool]
    ) -> dict[Flow, Poll]:
        """Return polls that are to be written: of flows whose history is in.

        No more than may be worked on in one go, but all of an owner: what they cost
        follows from several of them.
        """
        start = hour_of(now - LIVE_WINDOW)
        due = (
            flow
            for flow, poll in self._polls.items()
            if not poll.is_written and is_complete(flow, start)
        )
        some: list[Flow] = []
        for _, flows in groupby(due, attrgetter("owner_id")):
            some += flows
            if len(some) >= AT_ONCE:
                break
        return {flow: self._polls[flow] for flow in some}

    def hours(self, flow: Flow, poll: Poll, now: datetime) -> HourlyAmounts:
        """Return the hours of a poll that may be written at `now`.

        None that was written from an answer of the cloud that is newer than the poll.
        """
        start = hour_of(now - LIVE_WINDOW)
        hours = hours_of_quarters(poll.quarters, now).since(start)
        return _without_older(hours, poll.asked, self._of_history.get(flow, _NEVER))

    def written(self, flow: Flow, poll: Poll, hours: HourlyAmounts) -> None:
        """Note that a poll has been written: others come before the flow's next one."""
        poll.is_written = True
        if flow in self._polls:
            self._polls[flow] = self._polls.pop(flow)
        self._of_polls[flow] = _Asked(poll.asked, hours)

    def of_history(
        self, flow: Flow, hours: HourlyAmounts, asked: datetime | None
    ) -> HourlyAmounts:
        """Return the hours of an older answer that no poll has written since."""
        if asked is None:
            return hours
        return _without_older(hours, asked, self._of_polls.get(flow, _NEVER))

    def history_written(
        self, flow: Flow, hours: HourlyAmounts, asked: datetime | None, now: datetime
    ) -> None:
        """Note that hours of the polls' window were written from another answer."""
        recent = hours.since(hour_of(now - LIVE_WINDOW))
        known = self._of_history.get(flow, _NEVER)
        if asked and recent and known.at <= asked:
            self._of_history[flow] = _Asked(asked, recent)


def known_until(poll: Poll, hours: HourlyAmounts, until: datetime) -> datetime:
    """Return up to when a flow is known, which was so up to `until`, after a poll.

    Hours that leave the polls' window empty are known to be empty.
    """
    if poll.known_since is None or poll.known_since > until:
        return until  # not given this time, or what lies between is not known
    last = hours.span[1] + HOUR if hours else until
    return max(until, last, poll.known_since + GRACE)


def _without_older(
    hours: HourlyAmounts, asked: datetime, newer: _Asked
) -> HourlyAmounts:
    if newer.at <= asked:
        return hours
    taken = newer.hours.complete
    return HourlyAmounts(_beside(hours.complete, taken), _beside(hours.partial, taken))


def _beside(
    amounts: Mapping[datetime, float], taken: Container[datetime]
) -> dict[datetime, float]:
    return {hour: amount for hour, amount in amounts.items() if hour not in taken}
