"""Amounts on paper, and statistics as every reader sees them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest

from custom_components.climkit.api import Column
from custom_components.climkit.metering.flows import Flow, FlowKind
from custom_components.climkit.metering.hours import HOUR, HourlyAmounts
from custom_components.climkit.metering.reconcile import StatisticRow
from custom_components.climkit.statistics.metadata import (
    statistic_id,
    statistic_metadata,
)
from custom_components.climkit.statistics.updates import SeriesUpdate, WriteResult
from custom_components.climkit.statistics.writer import StatisticsWriter

T0: Final = datetime(2024, 3, 1, tzinfo=UTC)
FLOW: Final = Flow(
    "63ce", FlowKind.GRID_IMPORT, "electricity", Column(None, "from_ext")
)
OTHER: Final = Flow("63ce", FlowKind.GRID_EXPORT, "electricity", Column(None, "to_ext"))
WATER: Final = Flow("77aa", FlowKind.CONSUMPTION, "cold_water", Column("77aa", "total"))
FLOWS: Final = (FLOW, OTHER, WATER)
GRID: Final = "climkit:63ce_grid_import"
EXPORT: Final = "climkit:63ce_grid_export"
COLD: Final = "climkit:77aa_consumption"


def metadata(flow: Flow, name: str) -> StatisticMetaData:
    """Return the metadata of a flow's statistic."""
    return statistic_metadata(flow, statistic_id(flow), name)


def hours(amounts: Mapping[int, float], start: datetime = T0) -> HourlyAmounts:
    """Return complete hours by their number since `start`."""
    return HourlyAmounts(
        {start + n * HOUR: amount for n, amount in amounts.items()}, {}
    )


async def write(
    writer: StatisticsWriter, amounts: Mapping[int, float], **more: Any
) -> WriteResult:
    """Write complete hours of the grid."""
    update = SeriesUpdate(hours(amounts), **more)
    return (await writer.async_write({GRID: update}))[GRID]


async def stored(hass: HomeAssistant, id_: str = GRID) -> list[tuple[int, Any, Any]]:
    """Return hour, state and sum as every reader of statistics sees them."""
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2000, 1, 1, tzinfo=UTC),
        None,
        {id_},
        "hour",
        None,
        {"state", "sum"},
    )
    return [
        (int((row["start"] - T0.timestamp()) // 3600), row["state"], row["sum"])
        for row in rows.get(id_, [])
    ]


def as_stored(rows: Iterable[StatisticRow]) -> list[tuple[int, Any, Any]]:
    """Return rows in the way of `stored`."""
    return [((row.start - T0) // HOUR, row.state, row.sum) for row in rows]


def chain(amounts: Mapping[int, float]) -> list[tuple[int, Any, Any]]:
    """Return the rows that the amounts must have, added up on paper's way."""
    total = 0.0
    rows: list[tuple[int, Any, Any]] = []
    for hour in sorted(amounts):
        total += amounts[hour]
        rows.append(
            (hour, pytest.approx(amounts[hour]), pytest.approx(total, abs=1e-6))
        )
    return rows
