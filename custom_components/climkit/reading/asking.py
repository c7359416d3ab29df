"""Asks one medium, or one meter, for one piece, and remembers who has answered when.

Who has answered lately is a measure for the next: a no, or a reply without anything,
means something else of somebody who was heard a moment ago than of a silent cloud.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from ..api import (
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitRateLimitError,
    ClimkitTimeoutError,
    Resolution,
    Series,
)
from ..metering.spans import Span
from .answers import Question, newest_value, oldest_value
from .limit import EVER
from .limits import INTERVAL, Kind, Limits
from .refusals import FAILURES

RECENT: Final = timedelta(minutes=1)
"""An answer so long ago tells as much as a control."""

TURN: Final = timedelta(days=3)
"""What was measured since is remembered, if it was answered."""

LATELY: Final = timedelta(minutes=5)
"""Who answered so long ago was asked in the same round."""

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """When somebody answered last, in which resolution, and what is known since."""

    at: datetime
    resolution: Resolution
    values_at: datetime | None = None
    """When an answer had a value last."""
    oldest: datetime | None = None
    newest: datetime | None = None
    """Starts of intervals with a value, of the last days, in UTC."""

    @property
    def is_recent(self) -> bool:
        """Return whether that was just now."""
        return dt_util.utcnow() - self.at < RECENT

    @property
    def had_values(self) -> bool:
        """Return whether there was something just now."""
        return self.values_at is not None and dt_util.utcnow() - self.values_at < RECENT

    def then(self, series: Series, now: datetime) -> Heard:
        """Return what is known after another answer."""
        newest = newest_value(series)
        moments = {self.oldest, self.newest, oldest_value(series), newest}
        recent = [at for at in moments if at and now - TURN <= at <= now]
        return Heard(
            now,
            series.resolution,
            now if newest else self.values_at,
            min(recent, default=None),
            max(recent, default=None),
        )


UNHEARD: Final = Heard(EVER, Resolution.HOUR)
"""What is known of somebody who has not answered yet."""


class Asker:
    """Asks through the account's client, for one site."""

    def __init__(self, client: ClimkitClient, site_id: str, limits: Limits) -> None:
        """Note in the limits how many columns a reply has."""
        self._client = client
        self._site_id = site_id
        self.limits = limits
        self._heard: dict[str, Heard] = {}

    async def async_get(
        self,
        kind: Kind,
        question: Question,
        piece: Span,
        *,
        is_open: bool = False,
        earliest: datetime | None = None,
    ) -> Series:
        """Return what the cloud gives of a piece; an open one has no end.

        `earliest` is when the question may begin, if not as what is known of the kind
        has it. Raises ClimkitError.
        """
        ask = (
            self._client.site_series
            if kind.who == question.medium
            else self._client.meter_series
        )
        start, end = piece
        if earliest is None:
            limit = self.limits.of(kind)
            earliest = limit.earliest_about(start, dt_util.utcnow())
        series = await ask(
            self._site_id,
            kind.who,
            kind.resolution,
            start,
            None if is_open else end,
            earliest=earliest,
            priority=question.priority,
        )
        now = dt_util.utcnow()
        self._heard[kind.who] = self.heard(kind.who).then(series, now)
        if series.columns:
            self.limits.columns[kind.who] = len(series.columns)
        return series

    def heard(self, who: str) -> Heard:
        """Return when somebody has answered last, and what."""
        return self._heard.get(who, UNHEARD)

    def known(self, who: str) -> tuple[datetime, ...]:
        """Return starts of intervals of the last days of which a value is known."""
        heard = self.heard(who)
        return tuple(filter(None, (heard.oldest, heard.newest)))

    def has_heard_others(self, who: str) -> bool:
        """Return whether somebody else has answered just now."""
        now = dt_util.utcnow()
        return any(
            now - heard.at < LATELY
            for other, heard in self._heard.items()
            if other != who
        )

    async def async_control(self, who: str, question: Question) -> Series:
        """Ask for the last day, in the resolution that was answered last.

        Raises ClimkitError.
        """
        kind = Kind(who, self.heard(who).resolution)
        now = dt_util.utcnow()
        longest = min(DAY, self.limits.proven(kind, now))
        start = now - max(longest, INTERVAL[kind.resolution])
        return await self.async_get(kind, question, (start, now), is_open=True)

    async def async_answers(self, who: str, question: Question) -> bool:
        """Return whether somebody answers a control.

        Raises ClimkitError for what concerns everybody.
        """
        try:
            await self.async_control(who, question)
        except FAILURES:
            return False
        return True

    async def async_try(
        self,
        kind: Kind,
        question: Question,
        piece: Span,
        earliest: datetime | None = None,
    ) -> Series | None:
        """Return what the cloud gives of a piece; None if it says no to it.

        Raises ClimkitError for what is no answer.
        """
        try:
            return await self.async_get(kind, question, piece, earliest=earliest)
        except ClimkitError as err:
            if is_weather(err):
                raise
            return None


def is_weather(error: ClimkitError) -> bool:
    """Return whether an error says nothing of what was asked, as a log-in that failed."""
    if error.endpoint == "auth":
        return True
    if isinstance(error, ClimkitTimeoutError):
        return False
    return isinstance(error, (ClimkitConnectionError, ClimkitRateLimitError))
