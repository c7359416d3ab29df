"""Tariffs of a real entry, and what energy costs by the model and by prices on paper."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import history_done, set_up
from tests.ledger import hours_of
from tests.simulator import SimulatedSite, Simulator

CREATED = datetime(2026, 6, 1, 22, tzinfo=UTC)

ROUNDING = 0.002
"""CHF: an hour's energy is off by 0.0025 kWh at most, at half a franc or less."""


def flat(site: SimulatedSite) -> str:
    return site.meter("Appartement 1.1").id


def subentry(component: str, **data: Any) -> ConfigSubentry:
    known = {"component": component, "meters": [], "valid_from": "2026-01-01"}
    return ConfigSubentry(
        data=MappingProxyType(known | {"pricing": "fixed"} | data),
        subentry_type="tariff",
        title=component,
        unique_id=None,
    )


async def add(
    hass: HomeAssistant, entry: MockConfigEntry, component: str, **data: Any
) -> ConfigSubentry:
    """Add a version, and let everything follow from it."""
    version = subentry(component, **data)
    hass.config_entries.async_add_subentry(entry, version)
    await hass.async_block_till_done(wait_background_tasks=True)
    return version


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, version: ConfigSubentry, **data: Any
) -> None:
    """Change a version, and let everything follow from it."""
    known = entry.subentries[version.subentry_id].data
    hass.config_entries.async_update_subentry(entry, version, data=dict(known) | data)
    await hass.async_block_till_done(wait_background_tasks=True)


async def remove(
    hass: HomeAssistant, entry: MockConfigEntry, version: ConfigSubentry
) -> None:
    """Delete a version, and let everything follow from it."""
    hass.config_entries.async_remove_subentry(entry, version.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def started(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config.async_set_time_zone("Europe/Zurich")
    await set_up(hass, entry)
    await history_done(entry)
    await hass.async_block_till_done(wait_background_tasks=True)


def model_costs(
    site: SimulatedSite,
    price: Callable[[datetime], float],
    column: str = "from_ext",
    medium: str = "electricity",
    since: datetime | None = None,
) -> dict[datetime, float]:
    """Return what each hour costs by the model; `price` is asked by local time."""
    now = dt_util.utcnow()
    quarters = site.model(medium, "15T", site.created, now, at=now)[column]
    zone = dt_util.get_time_zone("Europe/Zurich")
    costs = {at: some * price(at.astimezone(zone)) for at, some in quarters.items()}
    return {h: c for h, c in hours_of(costs).items() if since is None or h >= since}


def assert_costs(
    rows: Mapping[datetime, tuple[float, float]],
    model: Mapping[datetime, float],
    rounding: float = ROUNDING,
) -> None:
    missing, invented = model.keys() - rows.keys(), rows.keys() - model.keys()
    assert not missing, (len(missing), str(min(missing)), str(max(missing)))
    assert not invented, (len(invented), str(min(invented)), str(max(invented)))
    wrong = {
        hour: (rows[hour][0], cost)
        for hour, cost in model.items()
        if abs(rows[hour][0] - cost) > rounding
    }
    assert not wrong, {str(hour): both for hour, both in wrong.items()}


def in_halves(local: datetime) -> float:
    """Return 0.30 from 06:30 to 20:30, or else 0.20."""
    clock = local.hour + local.minute / 60
    return 0.30 if 6.5 <= clock < 20.5 else 0.20


HALVES: dict[str, Any] = {
    "pricing": "times",
    "price": 0.20,
    "zones": [{"price": 0.30, "from": "06:30:00", "to": "20:30:00"}],
}


def quarter_questions(cloud: Simulator, since: int) -> int:
    return sum(
        (request.json or {}).get("sampling_frequency") == "15T"
        for request in cloud.requests[since:]
        if request.endpoint == "site_data"
    )
