"""The statistics of one site, and how far the history of each has come.

Whoever has amounts comes here: the polls, the import, the nightly audit. Polls never
wait: what they bring is written behind them, as soon as the recorder serves. It may be
busy for long, or not yet be working at all while Home Assistant starts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..metering.flows import Flow
from ..metering.hours import LIVE_WINDOW, HourlyAmounts, hour_of
from ..metering.reconcile import EXACT, StatisticRow, total_at_live_edge
from ..metering.site import SiteInfo
from .live_writes import LiveWrites, Poll, Quarters, known_until
from .metadata import statistic_metadata
from .naming import async_statistic_names, labels_of
from .ownership import async_owners
from .progress import HistoryProgress
from .updates import Derived, RecorderError, SeriesUpdate, WriteResult
from .writer import StatisticsWriter, backend_name

RETRIES: Final = (5, 15, 60, 300)
"""Seconds between attempts while the recorder can't serve."""

type Derivations = Callable[[Flow, Quarters], tuple[Derived, ...]]
"""Gives what is derived from a flow, and from the quarter hours of it that are at hand."""


class SiteStatistics:
    """Writes amounts, and remembers."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Keep the statistics of the site of one config entry."""
        self.newest_rows: dict[Flow, tuple[StatisticRow, ...]] = {}
        self.derived_missing: set[str] = set()
        """Derived statistics, by id, that somebody has cleared."""
        self._hass = hass
        self._entry_id = entry_id
        self._writer = StatisticsWriter(hass)
        self._progress = HistoryProgress(hass, entry_id)
        self._owners = async_owners(hass)
        self._live = LiveWrites()
        self._derivations: Derivations | None = None
        self._info: SiteInfo | None = None
        self._flows: frozenset[Flow] = frozenset()
        self._asked = self._prepared = 0
        self._listeners: set[Callable[[], None]] = set()
        self._telling = False
        self._under_way = 0
        self._working = False
        self._failures = 0
        self._retry: CALLBACK_TYPE | None = None
        self._at_started: CALLBACK_TYPE | None = None
        self._closed = False
        self._cancel: CALLBACK_TYPE | None = None

    async def async_load(self) -> None:
        """Remember how far the histories had come when Home Assistant last ran."""
        await self._progress.async_load()
        self._owners.join(self._entry_id, self._progress.second, self._others_changed)

        @callback
        def started(_: HomeAssistant) -> None:
            self._wake()

        self._at_started = async_at_started(self._hass, started)

    @callback
    def async_stop(self) -> None:
        """Write nothing any more; other entries may write what was this one's."""
        self._closed = True
        self._owners.leave(self._entry_id)
        for cancel in (self._retry, self._at_started, self._cancel):
            if cancel:
                cancel()
        self._retry = self._at_started = self._cancel = None

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
        if self._info is not info and self._info != info:
            self._info = info
            self._others_changed()

    def owns(self, flow: Flow) -> bool:
        """Return whether this entry writes a flow: another one may do, of that meter."""
        return flow.owner_id not in self._progress.foreign

    @property
    def foreign(self) -> frozenset[str]:
        """Return the meters that are another entry's, by their ids."""
        return frozenset(self._progress.foreign)

    def statistic_id(self, flow: Flow) -> str:
        """Return the id of a flow's statistic."""
        return self._owners.statistic_id(flow)

    @property
    def backend(self) -> str:
        """Return which way of writing is in use: "table", "official", or "" if none yet."""
        return backend_name(self._hass) or ""

    @callback
    def async_set_derivations(self, derivations: Derivations | None) -> None:
        """Let statistics be derived from what is written from now on."""
        self._derivations = derivations

    @callback
    def _others_changed(self) -> None:
        """Claim what is to be written, and have it prepared again."""
        if self._info is None or self._closed:
            return
        self._asked += 1
        before = self._progress.foreign
        foreign = self._owners.claim(self._entry_id, labels_of(self._info), before)
        for owner in foreign.keys() - before.keys():
            LOGGER.warning(
                "%s is in another site of this Home Assistant as well, which has its"
                " statistics: they are left alone here",
                owner,
            )
        self._progress.note_owners(foreign, self._second_owners(self._info))
        self._flows = frozenset(filter(self.owns, self._info.flows))
        self._live.keep_only(self._flows)
        self._wake()

    def _second_owners(self, info: SiteInfo) -> frozenset[str]:
        """Return the owners whose ids have an addition: of two, who has no rows yet."""
        had_rows = {
            flow.owner_id for flow in info.flows if self._progress.had_rows(flow)
        }
        owners = dict.fromkeys(flow.owner_id for flow in info.flows)
        return self._owners.settle(sorted(owners, key=lambda one: one not in had_rows))

    # --- Behind the polls ---------------------------------------------------------

    @callback
    def _wake(self) -> None:
        """Work off what there is to do, unless that is under way or was put off."""
        if self._closed or self._working or self._retry or not self._has_work():
            return
        self._working = True
        task = self._hass.async_create_background_task(
            self._async_work(), f"Climkit statistics ({self._entry_id})"
        )
        self._cancel = task.cancel

    def _has_work(self) -> bool:
        return self._prepared != self._asked or bool(self._due())

    def _due(self) -> dict[Flow, Poll]:
        """Return the polls that can be written now.

        The recorder works off its queue when Home Assistant has started.
        """
        if self._hass.state is not CoreState.running:
            return {}
        return self._live.due(dt_util.utcnow(), self._progress.is_complete)

    async def _async_work(self) -> None:
        """Do all that there is to do; what can't be done now is tried again later."""
        try:
            while self._has_work():
                if self._prepared != self._asked:
                    await self._async_prepare()
                if due := self._due():
                    await self._async_write_polls(due)
        except RecorderError as err:
            LOGGER.debug("Statistics of %s: %s", self._entry_id, err)
            self._async_put_off()
        except Exception:  # noqa: BLE001
            LOGGER.exception("Statistics of %s", self._entry_id)
            self._async_put_off()
        else:
            self._failures = 0
        finally:
            self._working = False
            self._tell()

    @callback
    def _async_put_off(self) -> None:
        @callback
        def again(_: datetime) -> None:
            self._retry = None
            self._wake()

        pause = RETRIES[min(self._failures, len(RETRIES) - 1)]
        self._failures += 1
        if not self._closed:
            self._retry = async_call_later(self._hass, pause, again)

    async def _async_prepare(self) -> None:
        """Announce the flows, and find out how far those that are new have come."""
        asked, info = self._asked, self._info
        if info is None:
            return
        flows = tuple(flow for flow in info.flows if flow in self._flows)
        new = [flow for flow in flows if not self.is_open(flow)]
        tails = await self._writer.async_newest_rows(list(map(self.statistic_id, new)))
        for flow in new:
            if self._progress.is_other_unit(flow):
                await self._async_begin_anew(flow)
                tails[self.statistic_id(flow)] = ()
        await self._async_announce(info, flows)
        for flow in set(self._progress.flows) - self._flows:
            self._progress.close(flow)
            self.newest_rows.pop(flow, None)
        for flow in new:
            tail = tails[self.statistic_id(flow)]
            self._progress.open(flow, info.beginning, tail[-1] if tail else None)
            self.newest_rows[flow] = tail
        self._prepared = asked
        self._tell()

    async def _async_begin_anew(self, flow: Flow) -> None:
        """Clear what was measured in another unit: nothing converts m³ into kWh."""
        if self._progress.had_rows(flow):
            LOGGER.warning(
                "%s is measured in %s now: its statistic begins anew",
                self.statistic_id(flow),
                flow.unit,
            )
        await self._writer.async_clear(self.statistic_id(flow))

    async def _async_announce(self, info: SiteInfo, flows: Iterable[Flow]) -> None:
        await self._writer.async_announce(await self._async_metadata(info, flows))

    async def _async_metadata(
        self, info: SiteInfo, flows: Iterable[Flow]
    ) -> list[StatisticMetaData]:
        names = await async_statistic_names(self._hass, info, flows)
        return [
            statistic_metadata(flow, self.statistic_id(flow), name)
            for flow, name in names.items()
        ]

    async def _async_write_polls(self, due: Mapping[Flow, Poll]) -> None:
        """Write the hours of polls that can be written now."""
        now = dt_util.utcnow()
        hours = {flow: self._live.hours(flow, poll, now) for flow, poll in due.items()}
        quarters = {flow: poll.quarters for flow, poll in due.items()}
        written = await self._async_update(hours, EXACT, quarters)
        for flow, result in written.items():
            if not result.rows_missing:
                poll, some = due[flow], hours[flow]
                self._live.written(flow, poll, some)
                until = known_until(poll, some, self._progress.until(flow))
                self._progress.advance(flow, until)

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
        own = {flow: some for flow, some in quarters.items() if flow in self._flows}
        self._live.take(own, asked, known_since)
        self._wake()

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
        for flow, result in written.items():
            if not result.rows_missing:
                now = dt_util.utcnow()
                self._live.history_written(flow, own[flow], asked, now)
        return {flow: written.get(flow, WriteResult(())) for flow in hours}

    async def _async_update(
        self,
        hours: Mapping[Flow, HourlyAmounts],
        tolerance: float,
        quarters: Mapping[Flow, Quarters],
    ) -> dict[Flow, WriteResult]:
        """Write, and note what the newest rows are then, or that rows are missing."""
        derive = self._derivations
        updates = {
            self.statistic_id(flow): SeriesUpdate(
                some,
                self._progress.newest(flow),
                derive(flow, quarters.get(flow, {})) if derive else (),
            )
            for flow, some in hours.items()
        }
        with self._busy():
            by_id = await self._writer.async_write(updates, tolerance)
        written = {flow: by_id[self.statistic_id(flow)] for flow in hours}
        for flow, result in written.items():
            self.newest_rows[flow] = result.newest_rows
            self.derived_missing |= result.derived_missing
            if result.rows_missing:
                self._progress.rewind(flow, result.newest)
            else:
                self._progress.note(flow, result.newest)
        if self._info and any(result.rows_missing for result in written.values()):
            # Who clears a statistic deletes its name and unit as well.
            await self._async_announce(self._info, hours)
        self._tell()
        return written

    async def async_rederive(
        self, derived: Derived, start: datetime, end: datetime | None = None
    ) -> int:
        """Make all rows of a derived statistic from `start` on new; return how many.

        Up to `end`, or to the present hour. Oldest first, in transactions of bounded
        size between which polls have their turn. Raises RecorderError.
        """
        end = end or hour_of(dt_util.utcnow())
        with self._busy():
            written = await self._writer.async_derive(derived, start, end)
        self.derived_missing.discard(derived.id)
        return written

    async def async_ensure(self, info: SiteInfo, flows: Iterable[Flow]) -> None:
        """Announce the flows, and return when the database has their statistics."""
        own = tuple(filter(self.owns, flows))
        with self._busy():
            await self._writer.async_ensure(await self._async_metadata(info, own))

    # --- What is stored -----------------------------------------------------------

    async def async_existing(self, flows: Iterable[Flow]) -> frozenset[Flow]:
        """Return the flows that have rows. Raises RecorderError."""
        ids = {flow: self.statistic_id(flow) for flow in flows}
        tails = await self._writer.async_newest_rows(tuple(ids.values()))
        return frozenset(flow for flow, id_ in ids.items() if tails[id_])

    async def async_amounts(
        self, flows: Iterable[Flow], bounds: Sequence[datetime]
    ) -> dict[Flow, dict[datetime, float]]:
        """Return what is stored for each of the periods that `bounds` delimits.

        By the start of the period, in kWh or m³. Raises RecorderError.
        """
        ids = {flow: self.statistic_id(flow) for flow in flows}
        amounts = await self._writer.async_amounts(tuple(ids.values()), bounds)
        return {flow: amounts[id_] for flow, id_ in ids.items()}

    def totals(self, quarters: Mapping[Flow, Quarters]) -> dict[Flow, float]:
        """Return the running totals of the flows whose history is in.

        That is the newest sum, and the quarter hours that no row has.
        """
        start = hour_of(dt_util.utcnow() - LIVE_WINDOW)
        totals = {
            flow: total_at_live_edge(self.newest_rows.get(flow, ()), some)
            for flow, some in quarters.items()
            if self.is_complete(flow, start)
        }
        return {flow: total for flow, total in totals.items() if total is not None}

    # --- How far it has come ------------------------------------------------------

    def is_open(self, flow: Flow) -> bool:
        """Return whether it is known how far a flow has come; never of a foreign one."""
        return self._progress.is_open(flow)

    def until(self, flow: Flow) -> datetime:
        """Return the hour from which on the flow's history is not known, in UTC."""
        return self._progress.until(flow)

    def is_complete(self, flow: Flow, until: datetime) -> bool:
        """Return whether the history of a flow is known up to `until`."""
        return self._progress.is_complete(flow, until)

    def newest(self, flow: Flow) -> datetime | None:
        """Return the hour of the newest row, in UTC."""
        return self._progress.newest(flow)

    @callback
    def advance(self, flow: Flow, until: datetime) -> None:
        """Note that the history of a flow is known before `until`."""
        self._progress.advance(flow, until)
        self._wake()  # its poll may be written now
        self._tell()

    @callback
    def rewind(self, flow: Flow) -> None:
        """Let the history of a flow begin anew."""
        self._progress.rewind(flow)
        self._tell()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a function whenever rows have been written, or marks have moved."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def _tell(self) -> None:
        """Tell the listeners, once for all that happens at a time."""

        @callback
        def tell() -> None:
            self._telling = False
            for listener in tuple(self._listeners):
                listener()

        if not self._telling and not self._closed:
            self._telling = True
            self._hass.loop.call_soon(tell)

    @property
    def pending(self) -> int:
        """Return how many writes are under way."""
        return self._under_way + self._working

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._tell()
