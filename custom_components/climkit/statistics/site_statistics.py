"""The statistics of one site, and how far the history of each has come.

Whoever has amounts comes here: the polls, the import, the nightly audit. Polls never
wait: what they bring is written behind them, as soon as the recorder serves. It may be
busy for long, or not yet be working at all while Home Assistant starts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..metering.flows import Flow
from ..metering.hours import LIVE_WINDOW, HourlyAmounts, hour_of
from ..metering.reconcile import EXACT, totals_at_live_edge
from ..metering.site import SiteInfo
from ..metering.spans import Span
from .background import BackgroundWork
from .followed_site import FollowedSite
from .live_writes import LiveWrites, Poll, Quarters, known_until
from .progress import HistoryProgress
from .updates import Derived, SeriesUpdate, WriteResult
from .writer import StatisticsWriter, backend_name

type Derivations = Callable[[Flow, Quarters], tuple[Derived, ...]]
"""Gives what is derived from a flow, and from the quarter hours of it that are at hand."""


def _no_derivations(_: Flow, __: Quarters) -> tuple[Derived, ...]:
    return ()


class SiteStatistics:
    """Writes amounts, and remembers."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Keep the statistics of the site of one config entry."""
        self.derived_missing: set[str] = set()
        """Derived statistics, by id, that somebody has cleared."""
        self._hass = hass
        self._writer = StatisticsWriter(hass)
        self._progress = HistoryProgress(hass, entry_id)
        self._site = FollowedSite(
            hass, entry_id, self._writer, self._progress, self._site_changed
        )
        self._live = LiveWrites()
        self._background = BackgroundWork(
            hass,
            f"Climkit statistics ({entry_id})",
            self._has_work,
            self._async_work,
            self._tell,
        )
        self._derivations: Derivations = _no_derivations
        self._listeners: dict[object, Callable[[], None]] = {}
        self._telling = False
        self._under_way = 0
        self._closed = False

    async def async_load(self) -> None:
        """Remember how far the histories had come when Home Assistant last ran."""
        await self._progress.async_load()
        self._site.join()

    @callback
    def async_stop(self) -> None:
        """Write nothing any more; other entries may write what was this one's."""
        self._closed = True
        self._background.stop()
        self._site.leave()

    async def async_close(self) -> None:
        """Stop, and save how far all have come, for the last time."""
        self.async_stop()
        await self._progress.async_close()

    # --- What the statistics are --------------------------------------------------

    @callback
    def async_follow(self, info: SiteInfo) -> None:
        """Let the flows of a site have statistics, from now on.

        In the background they get their names and units, and it is found out how far
        those that are new have come; as often as it takes the recorder to serve.
        """
        self._site.follow(info)

    def owns(self, flow: Flow) -> bool:
        """Return whether this entry writes a flow: another one may do, of that meter."""
        return self._site.owns(flow)

    @property
    def foreign(self) -> frozenset[str]:
        """Return the meters that are another entry's, by their ids."""
        return frozenset(self._progress.foreign)

    def statistic_id(self, flow: Flow) -> str:
        """Return the id of a flow's statistic."""
        return self._site.statistic_id(flow)

    @property
    def backend(self) -> str:
        """Return which way of writing is in use: "table", "official", or "" if none yet."""
        return backend_name(self._hass) or ""

    @callback
    def async_set_derivations(self, derivations: Derivations | None) -> None:
        """Let statistics be derived from what is written from now on."""
        self._derivations = derivations or _no_derivations

    # --- Behind the polls ---------------------------------------------------------

    @callback
    def _site_changed(self) -> None:
        self._live.keep_only(self._site.flows)
        self._background.wake()

    def _has_work(self) -> bool:
        return not self._site.is_prepared or bool(self._due())

    async def _async_work(self) -> None:
        if not self._site.is_prepared:
            await self._site.async_prepare()
            self._tell()
        if due := self._due():
            await self._async_write_polls(due)

    def _due(self) -> dict[Flow, Poll]:
        """Return the polls that can be written now, of a large site a part of them.

        The recorder works off its queue when Home Assistant has started.
        """
        if self._hass.state is not CoreState.running:
            return {}
        return self._live.due(dt_util.utcnow(), self._progress.is_complete)

    async def _async_write_polls(self, due: Mapping[Flow, Poll]) -> None:
        """Write the hours of polls that can be written now."""
        now = dt_util.utcnow()
        hours = {flow: self._live.hours(flow, poll, now) for flow, poll in due.items()}
        quarters = {flow: poll.quarters for flow, poll in due.items()}
        written = await self._async_update(hours, EXACT, quarters)
        for flow in _in_place(written):
            poll, some = due[flow], hours[flow]
            self._live.written(flow, poll, some)
            self._progress.advance(flow, known_until(poll, some, self.until(flow)))

    # --- Writing ------------------------------------------------------------------

    @callback
    def async_write_quarters(
        self,
        quarters: Mapping[Flow, Quarters],
        *,
        asked: datetime,
        known_since: Mapping[Flow, datetime],
    ) -> None:
        """Have the hours of a poll written, as soon as the recorder serves.

        `asked` is when the cloud was asked, in UTC. `known_since` has the flows that
        the cloud gave, and the hour from which on it did: hours that leave the window
        of the polls empty are known to be empty then.
        """
        own = {f: some for f, some in quarters.items() if f in self._site.flows}
        self._live.take(own, asked, known_since)
        self._background.wake()

    async def async_write(
        self,
        hours: Mapping[Flow, HourlyAmounts],
        tolerance: float = EXACT,
        *,
        asked: datetime | None = None,
    ) -> dict[Flow, WriteResult]:
        """Bring statistics in line with `hours`; see `metering.reconcile`.

        Returns when the database has it; raises RecorderError when it can't serve. A
        flow whose rows have disappeared gets none, and its history begins anew. Hours
        that a poll brought which was asked later than `asked` stay.
        """
        own = {
            flow: self._live.of_history(flow, some, asked)
            for flow, some in hours.items()
            if self.is_open(flow)
        }
        written = await self._async_update(own, tolerance, {})
        now = dt_util.utcnow()
        for flow in _in_place(written):
            self._live.history_written(flow, own[flow], asked, now)
        return {flow: written.get(flow, WriteResult(())) for flow in hours}

    async def _async_update(
        self,
        hours: Mapping[Flow, HourlyAmounts],
        tolerance: float,
        quarters: Mapping[Flow, Quarters],
    ) -> dict[Flow, WriteResult]:
        """Write, and note what the newest rows are then, or that rows are missing."""
        updates = {
            self.statistic_id(flow): SeriesUpdate(
                some,
                self._progress.newest(flow),
                self._derivations(flow, quarters.get(flow, {})),
            )
            for flow, some in hours.items()
        }
        with self._busy():
            by_id = await self._writer.async_write(updates, tolerance)
        written = {flow: by_id[self.statistic_id(flow)] for flow in hours}
        for flow, result in written.items():
            self._note(flow, result)
        if written.keys() - _in_place(written):
            # Who clears a statistic deletes its name and unit as well.
            await self._site.async_announce(hours)
        self._tell()
        return written

    def _note(self, flow: Flow, result: WriteResult) -> None:
        self._site.newest_rows[flow] = result.newest_rows
        self.derived_missing |= result.derived_missing
        note = self._progress.rewind if result.rows_missing else self._progress.note
        note(flow, result.newest)

    async def async_rederive(self, derived: Derived, spans: Sequence[Span]) -> int:
        """Make the rows of a derived statistic in some spans new; return how many.

        Spans of whole hours, oldest first; in transactions of bounded size between
        which polls have their turn. What does not exist is told as missing. Raises
        RecorderError.
        """
        with self._busy():
            written = await self._writer.async_derive(derived, spans)
        if written is None:
            self.derived_missing.add(derived.id)
            self._tell()
        return written or 0

    async def async_ensure(self, info: SiteInfo, flows: Iterable[Flow]) -> None:
        """Announce the flows, and return when the database has their statistics."""
        own = tuple(filter(self.owns, flows))
        with self._busy():
            await self._writer.async_ensure(await self._site.async_metadata(info, own))

    # --- What is stored -----------------------------------------------------------

    async def async_existing(self, flows: Iterable[Flow]) -> frozenset[Flow]:
        """Return the flows that have rows. Raises RecorderError."""
        ids = self._site.statistic_ids(flows)
        tails = await self._writer.async_newest_rows(tuple(ids.values()))
        return frozenset(flow for flow, id_ in ids.items() if tails[id_])

    async def async_amounts(
        self, flows: Iterable[Flow], bounds: Sequence[datetime]
    ) -> dict[Flow, dict[datetime, float]]:
        """Return what is stored for each of the periods that `bounds` delimits.

        By the start of the period, in kWh or m³. Raises RecorderError.
        """
        ids = self._site.statistic_ids(flows)
        amounts = await self._writer.async_amounts(tuple(ids.values()), bounds)
        return {flow: amounts[id_] for flow, id_ in ids.items()}

    def totals(self, quarters: Mapping[Flow, Quarters]) -> dict[Flow, float]:
        """Return the running totals of the flows whose history is in.

        That is the newest sum, and the quarter hours that no row has.
        """
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        complete = {
            f: some for f, some in quarters.items() if self.is_complete(f, start)
        }
        return totals_at_live_edge(self._site.newest_rows, complete)

    # --- How far it has come ------------------------------------------------------

    def is_open(self, flow: Flow) -> bool:
        """Return whether it is known how far a flow has come; never of a foreign one."""
        return self._progress.is_open(flow)

    def until(self, flow: Flow) -> datetime:
        """Return the hour from which on the flow's history is not known, in UTC.

        That is now of a flow that is not open.
        """
        return self._progress.until(flow)

    def is_complete(self, flow: Flow, until: datetime) -> bool:
        """Return whether the history of a flow is known up to `until`."""
        return self._progress.is_complete(flow, until)

    def newest(self, flow: Flow) -> datetime | None:
        """Return the hour of the newest row, in UTC."""
        return self._progress.newest(flow)

    @callback
    def advance(self, flows: Iterable[Flow], until: datetime) -> None:
        """Note that the history of some flows is known before `until`."""
        for flow in flows:
            self._progress.advance(flow, until)
        self._background.wake()  # their polls may be written now
        self._tell()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a function whenever rows have been written, or marks have moved."""
        self._listeners[key := object()] = listener
        return lambda: self._listeners.pop(key, None) and None

    @callback
    def _tell(self) -> None:
        """Tell the listeners, once for all that happens at a time."""

        @callback
        def tell() -> None:
            self._telling = False
            for listener in tuple(self._listeners.values()):
                listener()

        if not self._telling and not self._closed:
            self._telling = True
            self._hass.loop.call_soon(tell)

    @property
    def pending(self) -> int:
        """Return how many writes are under way."""
        return self._under_way + self._background.is_working

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._tell()


def _in_place(written: Mapping[Flow, WriteResult]) -> list[Flow]:
    """Return the flows of which no rows are missing: the others were not written."""
    return [flow for flow, result in written.items() if not result.rows_missing]
