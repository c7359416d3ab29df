"""When the newest readings are fetched, and what is kept of them: the present."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched
from operator import attrgetter
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import ClimkitAccessError, ClimkitError, Resolution
from ..const import LOGGER
from ..metering.flows import Flow, Medium
from ..metering.hours import HOUR, LIVE_WINDOW, QUARTER, hour_of
from ..metering.present import LiveData, is_news, merged_quarters, starts_of
from ..metering.quarters import SharedStarts
from ..metering.site import SiteInfo
from ..statistics.site_statistics import SiteStatistics
from .answers import Answer, Question
from .outage import QUIET
from .pace import Pace
from .reader import SeriesReader
from .refusals import FAILURES, patience
from .site_coordinator import SiteCoordinator

AT_ONCE: Final = 100
"""After so many flows others have a turn: each has two days of quarter hours."""


class LiveCoordinator(DataUpdateCoordinator[LiveData]):
    """Fetches the newest quarter hours of some media, and hands them over."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        reader: SeriesReader,
        statistics: SiteStatistics,
        *,
        pace: Pace,
    ) -> None:
        """Follow the media that are read at this pace."""
        self.site = site
        self._pace = pace
        super().__init__(
            hass,
            QUIET,
            config_entry=entry,
            name=f"{entry.title} ({pace.what})",
            update_interval=pace.first,
        )
        if self.media:
            site.outage.lead(self)
        self.data = LiveData()
        self.failing: frozenset[Medium] = frozenset()
        """Media that the cloud does not give, though it gives others."""
        self.missing: frozenset[str] = frozenset()
        """Meters that are asked by themselves and did not answer the last poll."""
        self._asked_of: SiteInfo | None = None
        self._denials = 0
        self._reader = reader
        self.statistics = statistics

    @property
    def media(self) -> tuple[Medium, ...]:
        """Return the media that are followed and that the site has."""
        return tuple(filter(self._pace.has, self.site.data.media))

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Return the flows of these media: the site's first, then the chosen meters'."""
        return self.site.data.flows_in(*self.media)

    @property
    def last_reading(self) -> datetime | None:
        """Return the end of the newest reading, in UTC, however long ago it was."""
        rows = filter(None, map(self.statistics.newest, self.flows))
        return self.data.newest or max((row + HOUR for row in rows), default=None)

    @property
    def publication_delay(self) -> timedelta | None:
        """Return how late the cloud was seen to publish a quarter hour."""
        return self._pace.delay

    @callback
    def async_start(self) -> None:
        """Look at once, from now on, when the site or the statistics have news.

        Whoever was not asked yet is asked now, behind; until then the totals are those
        that are stored.
        """

        @callback
        def look() -> None:
            if not self._is_asked_of():
                self.config_entry.async_create_background_task(
                    self.hass, self.async_request_refresh(), self.name
                )

        self.config_entry.async_on_unload(self.site.async_add_listener(look))
        self.config_entry.async_on_unload(
            self.statistics.async_listen(self._async_show_totals)
        )
        if self._asked_of is None and self.last_update_success:
            self._async_show_totals()
            self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), self.name
            )

    @override
    async def _async_update_data(self) -> LiveData:
        self.update_interval = self._pace.retry
        asked = dt_util.utcnow()
        since = hour_of(asked - LIVE_WINDOW)
        info = self.site.data
        with self.site.outage.told_once(self):
            answers = await self._async_read(info, since)
        self._asked_of = info
        self._note_missing(answers)
        self.site.async_saw(
            frozenset().union(*map(attrgetter("seen"), answers.values()))
        )
        quarters = await self._async_merged(answers, since)
        starts = starts_of(quarters)
        newest = max(starts) + QUARTER if starts else self.data.newest
        self.update_interval = self._pace.after(newest, dt_util.utcnow())
        self.statistics.async_follow(self.site.data)
        self.statistics.async_write_quarters(
            quarters, asked=asked, known_since=self._known_since(answers, since)
        )
        return LiveData(quarters, self.statistics.totals(quarters), newest)

    async def _async_read(
        self, info: SiteInfo, since: datetime
    ) -> dict[Medium, Answer]:
        """Read each medium; one that the cloud does not give costs the others nothing.

        Raises ClimkitError if the cloud is away, or gives none.
        """
        answers: dict[Medium, Answer] = {}
        errors: dict[Medium, ClimkitError] = {}
        for medium in self.media:
            flows = info.flows_in(medium)
            question = Question(medium, flows, Resolution.QUARTER_HOUR, since)
            try:
                answers[medium] = await self._reader.async_read(question)
            except FAILURES as err:
                errors[medium] = err
        if errors and not answers:
            error = next(iter(errors.values()))
            self._refused(error)
            raise error
        self._denials = 0
        self._note_failing(answers, errors)
        return answers

    def _refused(self, error: ClimkitError) -> None:
        """Ask a site that may not be read less and less often; others pay for it, too."""
        if isinstance(error, ClimkitAccessError):
            self._denials += 1
            self.update_interval = patience(self._denials)

    def _note_failing(
        self,
        answers: Mapping[Medium, Answer],
        errors: Mapping[Medium, ClimkitError],
    ) -> None:
        for medium in errors.keys() - self.failing:
            LOGGER.warning("%s: no %s: %s", self.name, medium, errors[medium])
        for medium in self.failing - errors.keys():
            back = "back" if medium in answers else "no longer metered"
            LOGGER.info("%s: %s is %s", self.name, medium, back)
        self.failing = frozenset(errors)

    def _note_missing(self, answers: Mapping[Medium, Answer]) -> None:
        unknown: dict[Flow, ClimkitError] = {}
        for answer in answers.values():
            unknown |= answer.unknown
        self.missing = frozenset(filter(None, map(attrgetter("meter_id"), unknown)))
        error = next(iter(unknown.values()), None)
        self.site.outage.heard(f"{self.name}, in part", error)

    async def _async_merged(
        self, answers: Mapping[Medium, Answer], since: datetime
    ) -> dict[Flow, Mapping[datetime, float]]:
        """Return the quarter hours that are known now of each flow.

        Others have a turn between the flows of a large site; polls do not overlap, so
        what was known stays the same meanwhile.
        """
        now, shared = dt_util.utcnow(), SharedStarts()
        merged: dict[Flow, Mapping[datetime, float]] = {}
        for flows in batched(self.flows, AT_ONCE, strict=False):
            came = {flow: _came(answers, flow) for flow in flows}
            merged |= merged_quarters(self.data.quarters, came, since, now, shared)
            await asyncio.sleep(0)
        return merged

    def _known_since(
        self, answers: Mapping[Medium, Answer], since: datetime
    ) -> dict[Flow, datetime]:
        """Return the flows of which this poll has told all there is since then.

        An answer without any row says less than what is known, if something is.
        """
        silent = {medium for medium, answer in answers.items() if not answer.newest}
        return {
            flow: since
            for flow in self.site.data.flows_in(*answers)
            if flow not in answers[flow.medium].unknown
            and not (flow.medium in silent and self.data.quarters.get(flow))
        }

    def _is_asked_of(self) -> bool:
        """Return whether nothing but what the values prove has changed at the site."""
        known, info = self._asked_of, self.site.data
        return known is not None and known == replace(info, seen=known.seen)

    @callback
    def _async_show_totals(self) -> None:
        """Show the totals anew: rows were written, or the history of a flow is in."""
        totals = self.statistics.totals(self.data.quarters)
        if is_news(totals, self.data.totals):
            # Not by `async_set_updated_data`, which would put off the next poll.
            self.data = replace(self.data, totals=totals)
            self.async_update_listeners()


def _came(answers: Mapping[Medium, Answer], flow: Flow) -> dict[datetime, float]:
    """Return what came of a flow; nothing if its medium has no answer."""
    return answers[flow.medium].of(flow) if flow.medium in answers else {}
