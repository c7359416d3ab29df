"""Reads the statistics by the recorder's public functions, in its pool of readers."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.components.recorder.statistics import (
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from sqlalchemy.exc import SQLAlchemyError

from ..metering.reconcile import (
    TAIL,
    StatisticRow,
    StoredWindow,
    amounts_between,
    stored_row,
)
from .turn import check_recorder
from .updates import RecorderError, newest_of

BEHIND: Final = 10
"""Seconds that a recorder may need to write what happened until now."""


async def async_read[*Ts, T](
    hass: HomeAssistant, read: Callable[[HomeAssistant, *Ts], T], *args: *Ts
) -> T:
    """Read in the recorder's pool. Raises RecorderError when it can't serve."""
    check_recorder(hass)
    try:
        return await get_instance(hass).async_add_executor_job(read, hass, *args)
    except SQLAlchemyError as err:  # locked, full, or the server is gone
        raise RecorderError from err
    except RuntimeError as err:
        if _is_connected(hass):
            raise
        raise RecorderError from err  # it has stopped meanwhile


def _is_connected(hass: HomeAssistant) -> bool:
    """Return whether the recorder has its database: it closes that before it ends."""
    recorder = get_instance(hass)
    try:
        recorder.get_session().close()
    except RuntimeError:
        return False
    return recorder.is_alive()


async def async_caught_up(hass: HomeAssistant) -> None:
    """Wait until all that happened until now is in the database.

    Raises RecorderError if the recorder is busy with something else, a backup say.
    """
    check_recorder(hass)
    try:
        async with asyncio.timeout(BEHIND):
            await get_instance(hass).async_block_till_done()
    except TimeoutError as err:
        raise RecorderError from err


def newest_rows(
    hass: HomeAssistant, ids: Sequence[str]
) -> dict[str, tuple[StatisticRow, ...]]:
    """Return the newest rows of each statistic, TAIL at most, oldest first."""
    tails: dict[str, tuple[StatisticRow, ...]] = dict.fromkeys(ids, ())
    for id_ in stored_metadata(hass, ids):  # a new site has none of its hundreds
        rows = get_last_statistics(hass, TAIL, id_, False, {"state", "sum"})
        tails[id_] = tuple(map(_hour_row, reversed(rows.get(id_, []))))
    return tails


def rows_from(
    hass: HomeAssistant, id_: str, start: datetime, end: datetime | None = None
) -> StoredWindow:
    """Return the rows that begin in [start, end), and the sum before the first of them."""
    found = statistics_during_period(
        hass, start, end, {id_}, "hour", None, {"state", "sum", "change"}
    ).get(id_, [])
    rows = list(map(_hour_row, found))
    if rows:
        return StoredWindow(rows[0].sum - (found[0].get("change") or 0.0), rows)
    return StoredWindow(_newest_sum(hass, id_, start), rows)


def _newest_sum(hass: HomeAssistant, id_: str, before: datetime) -> float:
    """Return the sum of the newest row if that is older than a moment, or else 0."""
    newest = newest_of(newest_rows(hass, [id_])[id_])
    return newest.sum if newest and newest.start < before else 0.0


def amounts_during(
    hass: HomeAssistant, ids: Sequence[str], bounds: Sequence[datetime]
) -> dict[str, dict[datetime, float]]:
    """Return what is stored for each of the periods that `bounds` delimits, in UTC."""
    return {
        id_: amounts_between(rows_from(hass, id_, bounds[0], bounds[-1]).rows, bounds)
        for id_ in ids
    }


def hourly_amounts(
    hass: HomeAssistant, ids: Sequence[str], start: datetime, end: datetime
) -> dict[str, dict[datetime, float]]:
    """Return what is stored by the hour, in [start, end), by statistic."""
    if not ids:
        return {}
    found = statistics_during_period(
        hass, start, end, set(ids), "hour", None, {"state"}
    )
    return {id_: _by_hour(rows) for id_, rows in found.items()}


def _by_hour(rows: Iterable[Mapping[str, Any]]) -> dict[datetime, float]:
    return {
        datetime.fromtimestamp(row["start"], UTC): row["state"] or 0.0 for row in rows
    }


def stored_metadata(
    hass: HomeAssistant, ids: Sequence[str]
) -> dict[str, StatisticMetaData]:
    """Return what each statistic is called and measured in; none of those unknown."""
    found = get_metadata(hass, statistic_ids=set(ids))
    return {id_: metadata for id_, (_, metadata) in found.items()}


def _hour_row(row: Mapping[str, Any]) -> StatisticRow:
    return stored_row(row["start"], row["state"], row["sum"])
