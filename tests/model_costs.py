"""What was used, and what it cost, by the simulator's model and prices from paper."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from homeassistant.util import dt as dt_util

from .simulator import SimulatedSite

ZURICH = ZoneInfo("Europe/Zurich")


def quarters(
    site: SimulatedSite, column: str, start: str, end: str, medium: str = "electricity"
) -> dict[datetime, float]:
    """Return what was measured between two local times, by quarter hour."""
    span = (datetime.fromisoformat(at).replace(tzinfo=ZURICH) for at in (start, end))
    begin, stop = (at.astimezone(UTC) for at in span)
    now = dt_util.utcnow()
    stop = min(stop, now)
    return dict(
        site.model(medium, "15T", begin, stop, at=now, columns=[column])[column]
    )


def cost(
    used: Mapping[datetime, float], price: float | Callable[[datetime], float]
) -> float:
    """Return what it cost; a price may depend on the local time."""
    if isinstance(price, float):
        return sum(used.values()) * price
    return sum(some * price(at.astimezone(ZURICH)) for at, some in used.items())
