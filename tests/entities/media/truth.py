"""What each flow's sensors should show, from the simulator's model."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tests.ledger import WIRE
from tests.simulator import SimulatedSite

from .kinds import CREATED

MIDNIGHT = datetime(2026, 6, 15, 22, tzinfo=UTC)
FLOW_OF_MEDIUM = {
    "heating": "heating",
    "cooling": "cooling",
    "cold_water": "cold_water",
    "hot_water": "hot_water",
    "charge_point": "charge_points",
}


def series_of(site: SimulatedSite) -> dict[str, tuple[str, str]]:
    """Return medium and wire column of each flow, by unique id, from the contract."""
    found = {f"{site.id}_{kind}": ("electricity", name) for kind, name in WIRE.items()}
    for medium, kind in FLOW_OF_MEDIUM.items():
        found[f"{site.id}_{kind}"] = (medium, "conso_total")
    for meter in site.meters:
        if meter.mode == "production":
            found[f"{meter.id}_production"] = (meter.type, f"total_{meter.id}")
        else:
            found[f"{meter.id}_consumption"] = (meter.type, f"total_{meter.id}")
            found[f"{meter.id}_solar_consumption"] = (meter.type, f"self_{meter.id}")
            found[f"{meter.id}_grid_consumption"] = (meter.type, f"ext_{meter.id}")
    return found


def truth(site: SimulatedSite, now: datetime) -> dict[str, float | None]:
    """Return what each flow's sensors should show now, by unique id; None is unknown."""
    expected: dict[str, float | None] = {}
    models: dict[str, Mapping[str, dict[datetime, float]]] = {}
    for unique_id, (medium, column) in series_of(site).items():
        if medium not in models:
            models[medium] = site.model(medium, "15T", CREATED, now, at=now)
        quarters = models[medium].get(column)
        if not quarters:
            continue
        newest = max(quarters)
        today = [v for start, v in quarters.items() if start >= MIDNIGHT]
        expected[unique_id] = sum(quarters.values())
        expected[f"{unique_id}_today"] = sum(today) if today else None
        if medium in ("electricity", "charge_point"):
            expected[f"{unique_id}_power"] = max(quarters[newest], 0.0) * 4000
    return expected
