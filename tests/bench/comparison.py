"""Every hour of the statistics held against the model, and every sum against its rows."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
import sqlite3
from typing import Any

import numpy as np

from custom_components.climkit.metering.flows import Flow
from custom_components.climkit.statistics.metadata import statistic_id
from tests.ledger import CHAIN, HOURLY_ROUNDING, WIRE
from tests.simulator import SimulatedSite


@dataclass(slots=True)
class Compared:
    """What is stored, and what of it is wrong."""

    rows: int = 0
    wrong: int = 0
    """Hours that are missing, invented or not as the model has them."""
    broken: int = 0
    """Rows whose sum is not the sum before and their state."""


@dataclass(frozen=True, slots=True)
class Sure:
    """Between which moments (aware) every hour has to be there; others may be."""

    since: datetime
    until: datetime

    def has(self, hour: float) -> bool:
        """Return whether an hour, in seconds since 1970, has to be there."""
        return self.since.timestamp() <= hour < self.until.timestamp()


def compare(
    path: Path, site: SimulatedSite, flows: Iterable[Flow], now: datetime, sure: Sure
) -> Compared:
    """Compare flows in a database with what the model had measured by `now`."""
    compared = Compared()
    flows = [*flows]
    truths = {
        medium: site.frame(medium, "H", site.created, now)
        for medium in {flow.medium for flow in flows}
    }
    with closing(sqlite3.connect(path)) as database:
        for flow in flows:
            rows = _rows(database, flow)
            steps = np.diff(rows[:, 2], prepend=0.0) - rows[:, 1]
            truth = truths[flow.medium]
            hours = truth.starts.tolist()
            values = truth.values[truth.names.index(_wire(flow))].tolist()
            compared.rows += len(rows)
            compared.broken += int((abs(steps) > CHAIN).sum())
            compared.wrong += _differences(
                dict(zip(rows[:, 0].tolist(), rows[:, 1].tolist(), strict=True)),
                dict(zip(hours, values, strict=True)),
                sure,
            )
    return compared


def _rows(database: sqlite3.Connection, flow: Flow) -> np.ndarray[Any, Any]:
    """Return start, state and sum of the rows of a flow."""
    rows = database.execute(
        "select start_ts, state, sum from statistics join statistics_meta"
        " on statistics_meta.id = metadata_id where statistic_id = ?"
        " order by start_ts",
        (statistic_id(flow),),
    ).fetchall()
    return np.array(rows, float).reshape(-1, 3)


def _differences(
    stored: Mapping[float, float], model: Mapping[float, float], sure: Sure
) -> int:
    """Return how many hours differ; those that are not sure need not be there."""
    missing = [hour for hour in model.keys() - stored.keys() if sure.has(hour)]
    invented = stored.keys() - model.keys()
    wrong = [
        hour
        for hour in stored.keys() & model.keys()
        if abs(stored[hour] - model[hour]) > HOURLY_ROUNDING
    ]
    return len(missing) + len(invented) + len(wrong)


def _wire(flow: Flow) -> str:
    """Return what the cloud calls a flow, by its documentation."""
    if flow.meter_id is None:
        return WIRE.get(flow.kind, "conso_total")
    quantity = {"solar_consumption": "self", "grid_consumption": "ext"}
    return f"{quantity.get(flow.kind, 'total')}_{flow.meter_id}"
