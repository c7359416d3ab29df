"""Reads the statistics, in the recorder's pool of readers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from homeassistant.components.recorder.statistics import (
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant

from ..metering.flows import Flow
from ..metering.reconcile import TAIL, StatisticRow, amounts_between
from .metadata import statistic_id


def newest_rows(
    hass: HomeAssistant, flows: Sequence[Flow]
) -> dict[Flow, tuple[StatisticRow, ...]]:
    """Return the newest rows of each flow's statistic, TAIL at most, oldest first."""
    tails = {}
    for flow in flows:
        id_ = statistic_id(flow)
        rows = get_last_statistics(hass, TAIL, id_, False, {"state", "sum"})
        tails[flow] = tuple(map(_hour_row, reversed(rows.get(id_, []))))
    return tails


def amounts_during(
    hass: HomeAssistant, id_: str, bounds: Sequence[datetime]
) -> dict[datetime, float]:
    """Return what is stored for each of the periods that `bounds` delimits, in UTC."""
    found = statistics_during_period(
        hass, bounds[0], bounds[-1], {id_}, "hour", None, {"state", "sum"}
    )
    return amounts_between(map(_hour_row, found.get(id_, [])), bounds)


def _hour_row(row: Mapping[str, Any]) -> StatisticRow:
    return StatisticRow(
        datetime.fromtimestamp(row["start"], UTC),
        row["state"] or 0.0,
        row["sum"] or 0.0,
    )


def stored_names(hass: HomeAssistant, ids: set[str]) -> dict[str, str | None]:
    """Return under which name each statistic is known; none of those unknown."""
    return {
        id_: metadata["name"]
        for id_, (_, metadata) in get_metadata(hass, statistic_ids=ids).items()
    }
