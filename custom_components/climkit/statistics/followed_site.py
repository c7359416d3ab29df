"""Which statistics a site has: whose they are, what they are called, that they exist."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, filterfalse

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.core import HomeAssistant, callback

from ..const import LOGGER
from ..metering.flows import Flow, has_series
from ..metering.reconcile import StatisticRow
from ..metering.site import SiteInfo
from .metadata import statistic_metadata
from .naming import async_statistic_names, labels_of
from .ownership import async_owners
from .progress import HistoryProgress
from .updates import newest_of
from .writer import StatisticsWriter


class FollowedSite:
    """Keeps the statistics of a site's flows under their names, and opens new ones."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        writer: StatisticsWriter,
        progress: HistoryProgress,
        changed: Callable[[], None],
    ) -> None:
        """Follow the site of an entry; `changed` is called when there is work to do."""
        self.newest_rows: dict[Flow, tuple[StatisticRow, ...]] = {}
        """Of each open flow, TAIL at most, oldest first."""
        self.flows: frozenset[Flow] = frozenset()
        """Flows whose statistics this entry writes."""
        self._hass = hass
        self._entry_id = entry_id
        self._writer = writer
        self._progress = progress
        self._changed = changed
        self._owners = async_owners(hass)
        self._info: SiteInfo | None = None
        self._wanted = self._prepared = 0

    @callback
    def join(self) -> None:
        """Begin to share what there is with other entries."""
        self._owners.join(self._entry_id, self._progress.second, self._claim)

    @callback
    def leave(self) -> None:
        """Let other entries write what was this one's."""
        self._owners.leave(self._entry_id)

    @callback
    def follow(self, info: SiteInfo) -> None:
        """Follow what a site has now."""
        if self._info != info:
            self._info = info
            self._claim()

    @property
    def is_prepared(self) -> bool:
        """Return whether all that is followed has been announced and opened."""
        return self._prepared == self._wanted

    def owns(self, flow: Flow) -> bool:
        """Return whether this entry writes a flow."""
        return flow.owner_id not in self._progress.foreign

    def statistic_id(self, flow: Flow) -> str:
        """Return the id of a flow's statistic."""
        return self._owners.statistic_id(flow)

    def statistic_ids(self, flows: Iterable[Flow]) -> dict[Flow, str]:
        """Return the ids of the statistics of flows, in their order."""
        return {flow: self.statistic_id(flow) for flow in flows}

    @callback
    def _claim(self) -> None:
        """Claim what is to be written, and have it prepared again."""
        if self._info is None:
            return
        self._wanted += 1
        before = self._progress.foreign
        foreign = self._owners.claim(
            self._entry_id, _owners_of(self._info), labels_of(self._info), before
        )
        for owner in foreign.keys() - before.keys():
            LOGGER.warning(
                "%s is in another site of this Home Assistant as well, which has its"
                " statistics: it is left alone in %s",
                owner,
                self._info.site.name,
            )
        self._progress.note_owners(foreign, self._second_owners(self._info))
        self.flows = frozenset(filter(self.owns, self._info.flows))
        self._changed()

    def _second_owners(self, info: SiteInfo) -> frozenset[str]:
        """Return the owners whose ids have an addition: of two, who has no rows yet."""
        rows_first = sorted(info.flows, key=self._progress.had_rows, reverse=True)
        return self._owners.settle(flow.owner_id for flow in rows_first)

    async def async_prepare(self) -> None:
        """Announce the flows, and find out how far those that are new have come.

        Raises RecorderError.
        """
        wanted, info = self._wanted, self._info
        assert info  # nothing is wanted before
        own = self.flows
        self._close_all_but(own)
        new = own.difference(self._progress.flows)
        tails = await self._async_tails([flow for flow in info.flows if flow in new])
        await self.async_announce(own)
        for flow, tail in tails.items():
            self._progress.open(flow, info.beginning, newest_of(tail))
        self.newest_rows |= tails
        self._prepared = wanted

    async def _async_tails(
        self, flows: Sequence[Flow]
    ) -> dict[Flow, tuple[StatisticRow, ...]]:
        """Return the newest rows of flows; none of what was measured in another unit."""
        ids = self.statistic_ids(flows)
        tails = await self._writer.async_newest_rows(tuple(ids.values()))
        for flow in filter(self._progress.is_other_unit, flows):
            await self._async_begin_anew(flow)
            tails[ids[flow]] = ()
        return {flow: tails[id_] for flow, id_ in ids.items()}

    def _close_all_but(self, flows: frozenset[Flow]) -> None:
        for flow in set(self._progress.flows) - flows:
            self._progress.close(flow)
            self.newest_rows.pop(flow, None)

    async def _async_begin_anew(self, flow: Flow) -> None:
        """Clear what was measured in another unit: nothing converts m³ into kWh."""
        if self._progress.had_rows(flow):
            LOGGER.warning(
                "%s is measured in %s now: its statistic begins anew",
                self.statistic_id(flow),
                flow.unit,
            )
        await self._writer.async_clear(self.statistic_id(flow))

    async def async_announce(self, flows: Iterable[Flow]) -> None:
        """Let flows have statistics under their names of today.

        But those whose medium the cloud has just left out: they keep name and unit.
        """
        assert self._info  # whose flows they are
        told = [f for f in flows if f.unit or not self._progress.unit(f)]
        wanted = await self.async_metadata(self._info, told)
        await self._writer.async_announce(wanted)

    async def async_metadata(
        self, info: SiteInfo, flows: Iterable[Flow]
    ) -> list[StatisticMetaData]:
        """Return what the statistics of flows are called and measured in."""
        names = await async_statistic_names(self._hass, info, flows)
        return [
            statistic_metadata(flow, self.statistic_id(flow), name)
            for flow, name in names.items()
        ]


def _owners_of(info: SiteInfo) -> set[str]:
    """Return the site and all its meters that have a device, or registers."""
    meters = chain(info.chosen, filterfalse(has_series, info.meters))
    return {info.site.id, *(meter.id for meter in meters)}
