"""Writes what came to the long-term statistics, by the better way that there is.

Every flow has one external statistic. Nothing is ever just appended: what came is
reconciled with what is stored, and each transaction leaves the chain of sums exact for
whoever reads it at whatever moment.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.recorder import get_instance
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..metering.reconcile import EXACT, StatisticRow
from ..metering.spans import Span
from .metadata import is_as_wanted
from .official import OfficialBackend, async_barrier
from .queries import async_read, newest_rows, stored_metadata
from .turn import RecorderTurn, check_recorder
from .updates import Derived, RecorderError, SeriesUpdate, WriteResult


class Backend(Protocol):
    """A way of writing statistics: all of it by ids of statistics."""

    name: str

    async def async_write(
        self,
        turn: RecorderTurn,
        updates: Mapping[str, SeriesUpdate],
        tolerance: float,
    ) -> dict[str, WriteResult]:
        """Bring statistics in line with the updates; return when the database has it."""

    async def async_derive(
        self, turn: RecorderTurn, derived: Derived, spans: Sequence[Span]
    ) -> int:
        """Make the rows of a derived statistic in some spans new; return how many."""

    def amounts(
        self, hass: HomeAssistant, ids: Sequence[str], bounds: Sequence[datetime]
    ) -> dict[str, dict[datetime, float]]:
        """Return what is stored for the periods that `bounds` delimits."""


_BACKEND: Final[HassKey[Backend]] = HassKey(f"{DOMAIN}_statistics_backend")


async def async_choose(hass: HomeAssistant) -> Backend:
    """Return the way of writing that this Home Assistant's recorder allows.

    Found out once. Where anything private has moved, all goes on by the public call.
    """
    if _BACKEND in hass.data:
        return hass.data[_BACKEND]
    found, moved = await _async_possible(hass)
    chosen = hass.data.setdefault(_BACKEND, found)
    if moved and chosen is found:  # not if another site was quicker
        LOGGER.warning(
            "The recorder of this Home Assistant is not as expected (%s):"
            " statistics are written by its import function instead, which"
            " takes longer",
            moved,
        )
    return chosen


async def _async_possible(hass: HomeAssistant) -> tuple[Backend, object]:
    """Return the best way of writing that is possible, and what forbids a better one."""
    try:
        table = await async_import_module(hass, f"{__package__}.transactions")
        moved = table.what_has_moved()
        if not moved:
            return table.TableBackend(hass), None
    except Exception as err:  # noqa: BLE001
        moved = err
    return OfficialBackend(hass), moved


@callback
def backend_name(hass: HomeAssistant) -> str | None:
    """Return which way is in use, or None while nothing was written yet."""
    backend = hass.data.get(_BACKEND)
    return backend.name if backend else None


class StatisticsWriter:
    """The statistics of one site. Raises RecorderError when the recorder can't serve."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Write for one site, one thing after the other."""
        self._hass = hass
        self._turn = RecorderTurn(hass)

    async def async_newest_rows(
        self, ids: Sequence[str]
    ) -> dict[str, tuple[StatisticRow, ...]]:
        """Return the newest rows of each statistic, TAIL at most, oldest first."""
        return await self._async_read(newest_rows, tuple(ids))

    async def async_amounts(
        self, ids: Sequence[str], bounds: Sequence[datetime]
    ) -> dict[str, dict[datetime, float]]:
        """Return what is stored for each of the periods that `bounds` delimits."""
        backend = await async_choose(self._hass)
        return await self._async_read(backend.amounts, tuple(ids), tuple(bounds))

    async def async_announce(self, wanted: Sequence[StatisticMetaData]) -> None:
        """Let each statistic be there under its name and unit, be it still empty."""
        known = await self._async_read(stored_metadata, _ids_of(wanted))
        check_recorder(self._hass)
        for metadata in wanted:
            if not is_as_wanted(known.get(metadata["statistic_id"]), metadata):
                async_add_external_statistics(self._hass, metadata, [])

    async def async_ensure(self, wanted: Sequence[StatisticMetaData]) -> None:
        """Announce, and return when the database has it: then ids may be used."""
        if not wanted:
            return
        self._check_running()
        await self.async_announce(wanted)
        await async_barrier(self._hass, self._turn, wanted[0]["statistic_id"])
        ids = _ids_of(wanted)
        if len(await self._async_read(stored_metadata, ids)) < len(set(ids)):
            raise RecorderError

    async def async_clear(self, id_: str) -> None:
        """Delete all rows of a statistic, its name and unit; return when it is done."""
        check_recorder(self._hass)
        get_instance(self._hass).async_clear_statistics([id_])
        await async_barrier(self._hass, self._turn, id_)

    async def async_write(
        self, updates: Mapping[str, SeriesUpdate], tolerance: float = EXACT
    ) -> dict[str, WriteResult]:
        """Bring statistics in line with the updates; see `metering.reconcile`.

        Returns when the database has it. An interruption at any point leaves each
        statistic as it was before or as it should be.
        """
        self._check_running()
        if not updates:
            return {}
        backend = await async_choose(self._hass)
        return await backend.async_write(self._turn, updates, tolerance)

    async def async_derive(self, derived: Derived, spans: Sequence[Span]) -> int | None:
        """Make the rows of a derived statistic in some spans new; return how many.

        Spans of whole hours, oldest first. None if it does not exist: it was cleared,
        and more than these spans is missing. Other writes come in between.
        """
        self._check_running()
        if not spans:
            return 0
        backend = await async_choose(self._hass)
        if not await self._async_read(stored_metadata, (derived.id,)):
            return None
        return await backend.async_derive(self._turn, derived, spans)

    async def _async_read[*Ts, T](
        self, read: Callable[[HomeAssistant, *Ts], T], *args: *Ts
    ) -> T:
        return await async_read(self._hass, read, *args)

    def _check_running(self) -> None:
        """Raise RecorderError before Home Assistant has started.

        The recorder begins to work off its queue then, which waits for those who set up
        now: waiting for it would be for ever.
        """
        if self._hass.state is not CoreState.running:
            raise RecorderError


def _ids_of(wanted: Sequence[StatisticMetaData]) -> tuple[str, ...]:
    return tuple(metadata["statistic_id"] for metadata in wanted)
