"""Who does not answer, since when, and when to ask again. Pure, but for what it remembers.

A refusal is weather until it lasts: whoever was refused is asked again after 1, 5, 15
and then every 60 minutes. Only what was refused over a day, several times, while the
cloud answered otherwise, counts as withdrawn.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ..api import (
    ClimkitAccessError,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitResponseError,
)

FAILURES: Final = (ClimkitAccessError, ClimkitConnectionError, ClimkitResponseError)
"""What says something of who was asked. All other errors, that credentials are refused
or that too much was asked, concern everybody, whoever was asked."""

PATIENCE: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""How long to wait before each further attempt; the last is for all that follow."""

POLLS: Final = timedelta(minutes=15, seconds=30)
"""Polls are hardly ever farther apart: with what is due only a moment after one of them,
the next one would be late."""

LASTING: Final = timedelta(days=1)
SEVERAL: Final = 4
"""So many refusals, over so long, are more than a passing trouble."""

DESCRIPTION: Final = "description"
"""The name of the one who asks for the site itself."""


def patience(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row, the first being 1."""
    return PATIENCE[min(max(failures, 1), len(PATIENCE)) - 1]


def _until_due(failures: int) -> timedelta:
    """Return how long somebody is not asked: less than the patience, for polls are rare.

    So whoever is asked in polls only is asked again within the hour.
    """
    wait = patience(failures)
    return wait - POLLS if wait > POLLS else wait * 0.9


def together(medium: str) -> str:
    """Return the name of all meters of a medium that are asked by themselves."""
    return f"meters of {medium}"


@dataclass(slots=True)
class Refusal:
    """What is known of somebody who does not answer."""

    error: ClimkitError
    since: datetime
    times: int
    again: datetime
    """When to ask again."""


@dataclass(slots=True)
class Refusals:
    """Who of a site does not answer: media, meters by their ids, the site itself.

    Where nobody does, all meters of a medium together are one of them.
    """

    refused: dict[str, Refusal] = field(default_factory=dict)
    resting: dict[str, datetime] = field(default_factory=dict)
    """Meters that had nothing to say when they were asked for the present, and when to
    ask them again."""

    def failed(self, who: str, error: ClimkitError, now: datetime) -> None:
        """Note that somebody did not answer, though others did."""
        known = self.refused.get(who)
        since, times = (known.since, known.times + 1) if known else (now, 1)
        self.refused[who] = Refusal(error, since, times, now + _until_due(times))

    def worked(self, who: str, *, is_silent: bool = False) -> None:
        """Note that somebody has answered; whoever had nothing to say rests on."""
        self.refused.pop(who, None)
        if not is_silent:
            self.resting.pop(who, None)

    def rest(self, who: str, now: datetime) -> None:
        """Leave somebody alone for a day who had nothing to say."""
        self.resting[who] = now + LASTING

    def may_ask(self, who: str, now: datetime) -> bool:
        """Return whether it is time to ask somebody."""
        known = self.refused.get(who)
        return known is None or now >= known.again

    def still(self, who: str, now: datetime) -> ClimkitError | None:
        """Return why somebody is not asked yet, or None if it is time to."""
        return None if self.may_ask(who, now) else self.error(who)

    def is_resting(self, who: str, now: datetime) -> bool:
        """Return whether somebody is left alone because there was nothing to say."""
        return now < self.resting.get(who, now)

    def error(self, who: str) -> ClimkitError | None:
        """Return why somebody did not answer the last time."""
        known = self.refused.get(who)
        return known.error if known else None

    def is_withdrawn(self, who: str, now: datetime) -> bool:
        """Return whether access was refused for longer than any weather lasts."""
        known = self.refused.get(who)
        return (
            known is not None
            and isinstance(known.error, ClimkitAccessError)
            and known.times >= SEVERAL
            and now - known.since >= LASTING
        )

    def keep(self, known: set[str]) -> None:
        """Forget whoever is no longer there to be asked."""
        for book in (self.refused, self.resting):
            for who in book.keys() - known:
                del book[who]
