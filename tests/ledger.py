"""Reads the statistics as everybody does, and compares them with the model."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
import threading
from typing import Any

from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import numpy as np
from sqlalchemy import event

from .simulator import SimulatedSite
from .simulator.local_time import moment_of

HOUR = timedelta(hours=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

WIRE = {
    "consumption": "conso_total",
    "production": "prod_total",
    "self_consumption": "self",
    "grid_import": "from_ext",
    "grid_export": "to_ext",
    "battery_charge": "storage_charging_total",
    "battery_discharge": "storage_discharging_total",
}
"""Flows of a site and the cloud's names for them, from the documentation."""

HOURLY_ROUNDING = 0.0026
"""Hours are made of four quarters or come as one row, all rounded to 0.001."""

CHAIN = 1e-5
"""What floats may lose in adding up years."""


async def rows_of(
    hass: HomeAssistant, statistic: str
) -> dict[datetime, tuple[float, float]]:
    """Return state and sum by hour, and make sure that the chain of sums is exact."""
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        BEGINNING,
        None,
        {statistic},
        "hour",
        None,
        {"state", "sum"},
    )
    rows = {
        moment_of(row["start"]): (row["state"] or 0.0, row["sum"] or 0.0)
        for row in found.get(statistic, [])
    }
    total = 0.0
    for start, (state, row_sum) in sorted(rows.items()):
        total += state
        assert abs(row_sum - total) <= CHAIN, f"chain broken at {start}"
    return rows


@contextmanager
def chains_at_every_commit(hass: HomeAssistant) -> Iterator[list[tuple[int, float]]]:
    """Look at the sums of all statistics of ours whenever the recorder commits.

    Yields a list of what anybody who reads then would find broken: the number of the
    statistic, and the start of the hour.
    """
    engine = get_instance(hass).engine
    assert engine is not None
    broken: list[tuple[int, float]] = []
    here = threading.local()

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        words = statement.upper().split(maxsplit=3)[:3]
        if "STATISTICS" in words and words[0] != "SELECT":
            here.has_changed = True

    def look(connection: Any) -> None:
        if not getattr(here, "has_changed", False):
            return
        here.has_changed = False
        rows = connection.exec_driver_sql(
            "SELECT metadata_id, start_ts, state, sum FROM statistics"
            " WHERE metadata_id IN"
            " (SELECT id FROM statistics_meta WHERE source = 'climkit')"
            " ORDER BY metadata_id, start_ts"
        ).all()
        totals: dict[int, float] = {}
        for number, start, state, row_sum in rows:
            if abs(totals.get(number, 0.0) + state - row_sum) > CHAIN:
                broken.append((number, start))
            totals[number] = row_sum

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", look)
    try:
        yield broken
    finally:
        event.remove(engine, "commit", look)
        event.remove(engine, "before_cursor_execute", note)


@lru_cache(maxsize=100_000)
def _hour_of(quarter: datetime) -> datetime:
    """Return its hour; kept, since the same months are added up again and again."""
    return quarter.replace(minute=0)


def hours_of(quarters: Mapping[datetime, float]) -> dict[datetime, float]:
    """Add up the model's quarters by the hour, for hours that have all four."""
    parts: dict[datetime, list[float]] = {}
    for start, amount in quarters.items():
        parts.setdefault(_hour_of(start), []).append(amount)
    return {hour: sum(some) for hour, some in parts.items() if len(some) == 4}


def model_hours(
    site: SimulatedSite,
    column: str,
    start: datetime,
    end: datetime,
    *,
    medium: str = "electricity",
    at: datetime | None = None,
) -> dict[datetime, float]:
    """Return the truth: what the model says of each hour that has all four quarters."""
    table = site.frame(medium, "15T", start, end, at)
    row = table.only((column,)).values[0]
    known = ~np.isnan(row)
    hours = table.starts[known] // 3600
    begins = np.flatnonzero(np.diff(hours, prepend=-1))
    counts = np.diff(begins, append=len(hours))
    sums = np.add.reduceat(row[known], begins) if len(begins) else row[:0]
    return {
        moment_of(hour * 3600): amount
        for hour, count, amount in zip(
            hours[begins].tolist(), counts.tolist(), sums.tolist(), strict=True
        )
        if count == 4
    }


def assert_equal(
    rows: Mapping[datetime, tuple[float, float]],
    model: Mapping[datetime, float],
    tolerance: float = HOURLY_ROUNDING,
) -> None:
    """Compare every single hour with the model, both ways."""
    assert rows.keys() == model.keys(), (
        f"missing {sorted(model.keys() - rows.keys())[:5]},"
        f" invented {sorted(rows.keys() - model.keys())[:5]}"
    )
    wrong = {
        hour: (rows[hour][0], amount)
        for hour, amount in model.items()
        if abs(rows[hour][0] - amount) > tolerance
    }
    assert not wrong
