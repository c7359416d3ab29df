"""Writes statistics in transactions of our own: read, compared and written in one.

So a correction moves all later sums at once, and what is derived with them, for whoever
reads at whatever moment. `writer` imports this module late, as `table` relies on what is
private of the recorder.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.core import HomeAssistant

from ..metering.hours import HOUR
from ..metering.spans import Span
from .table import Tables, amounts_by_sums, probe, queue
from .turn import RecorderTurn
from .updates import Derived, SeriesUpdate, WriteResult, hours_within

ROWS_AT_ONCE: Final = 5000
"""Rows compared in one transaction, in which the recorder does nothing else."""


def what_has_moved() -> str | None:
    """Return what of the recorder is not as it is used here, or None if all is."""
    return probe()


class TableBackend:
    """Reads, compares and writes in one transaction each."""

    name = "table"

    def __init__(self, hass: HomeAssistant) -> None:
        """Use the recorder of this Home Assistant."""
        self._hass = hass

    async def async_write(
        self,
        turn: RecorderTurn,
        updates: Mapping[str, SeriesUpdate],
        tolerance: float,
    ) -> dict[str, WriteResult]:
        """Bring statistics in line with the updates, by id."""
        written: dict[str, WriteResult] = {}
        for batch in _batches(updates):
            written |= await self._async_run(
                turn, partial(Tables.write, updates=batch, tolerance=tolerance)
            )
        return written

    async def async_derive(
        self, turn: RecorderTurn, derived: Derived, spans: Sequence[Span]
    ) -> int:
        """Make the rows of a derived statistic in some spans new, oldest first.

        After each transaction its sums are exact, and later rows are still there.
        """
        written = 0
        start, end = spans[0][0], spans[-1][1]
        if derived.sources:  # of years without a row there is nothing to look at
            ids = (derived.id, *derived.sources)
            oldest = partial(Tables.oldest, ids=ids, span=(start, end))
            start = await self._async_run(turn, oldest)
        while start < end:
            stop = min(start + ROWS_AT_ONCE * HOUR, end)
            hours = hours_within(spans, start, stop)
            work = partial(Tables.derive, derived=derived, hours=hours)
            written += await self._async_run(turn, work)
            start = stop
        return written

    def amounts(
        self, hass: HomeAssistant, ids: Sequence[str], bounds: Sequence[datetime]
    ) -> dict[str, dict[datetime, float]]:
        """Return what is stored for the periods that `bounds` delimits, by statistic."""
        return amounts_by_sums(hass, ids, bounds)

    async def _async_run[T](self, turn: RecorderTurn, work: Callable[[Tables], T]) -> T:
        return await turn.async_run(partial(queue, self._hass, work))


def _batches(
    updates: Mapping[str, SeriesUpdate],
) -> Iterator[dict[str, SeriesUpdate]]:
    """Divide updates so that a transaction compares about ROWS_AT_ONCE rows at most.

    There is one update at least.
    """
    batch: dict[str, SeriesUpdate] = {}
    size = 0
    for id_, some in updates.items():
        rows = len(some.hours)
        if batch and size + rows > ROWS_AT_ONCE:
            yield batch
            batch, size = {}, 0
        batch[id_] = some
        size += rows
    yield batch
