"""What the recorder still knows of the prices that an entity told.

States for as long as it keeps them (ten days, unless set otherwise), hourly means for
ever of entities that have a state class. All of it is read in the recorder's pool.
"""

from datetime import UTC, datetime, timedelta
from math import isfinite

from homeassistant.components.recorder.history import state_changes_during_period
from homeassistant.components.recorder.statistics import (
    get_metadata,
    statistics_during_period,
)
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.recorder import get_instance

from ..metering.prices import chf_per_kwh
from .queries import async_caught_up, async_read


def price_of(state: State | None) -> float | None:
    """Return the price that a state tells, in CHF/kWh; None if it tells none."""
    if state is None:
        return None
    try:
        price = float(state.state)
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        return chf_per_kwh(price, unit) if isfinite(price) else None
    except ValueError:
        return None


async def async_price_changes(
    hass: HomeAssistant, entity_id: str, start: datetime, end: datetime
) -> list[tuple[datetime, float | None]]:
    """Return when an entity told another price, up to `end`, oldest first.

    The first one is what it told at `start`, if that is still known. Raises
    RecorderError, also if the recorder is behind: an entity that vanished meanwhile
    would seem to have told its last price until `end`.
    """
    await async_caught_up(hass)
    changes = await async_read(hass, _price_changes, entity_id, start, end)
    if state := hass.states.get(entity_id):
        # That may be older than what the recorder keeps, or not be recorded at all.
        changes = sorted({*changes, (state.last_updated, price_of(state))}, key=_moment)
    return changes


async def async_hourly_prices(
    hass: HomeAssistant, entity_id: str, start: datetime, end: datetime
) -> dict[datetime, float]:
    """Return the mean price of the hours in [start, end), in CHF/kWh.

    Empty of an entity without long-term statistics. Raises RecorderError.
    """
    return await async_read(hass, _hourly_prices, entity_id, start, end)


def states_since(hass: HomeAssistant, now: datetime) -> datetime:
    """Return before when the recorder has no states any longer."""
    return now - timedelta(days=get_instance(hass).keep_days + 1)


def _moment(change: tuple[datetime, float | None]) -> datetime:
    return change[0]


def _price_changes(
    hass: HomeAssistant, entity_id: str, start: datetime, end: datetime
) -> list[tuple[datetime, float | None]]:
    states = state_changes_during_period(hass, start, end, entity_id)
    return [
        (state.last_updated, price_of(state)) for state in states.get(entity_id, ())
    ]


def _hourly_prices(
    hass: HomeAssistant, entity_id: str, start: datetime, end: datetime
) -> dict[datetime, float]:
    known = get_metadata(hass, statistic_ids={entity_id})
    if entity_id not in known:
        return {}
    _, metadata = known[entity_id]
    rows = statistics_during_period(
        hass, start, end, {entity_id}, "hour", None, {"mean"}
    )
    try:
        per_unit = chf_per_kwh(1.0, metadata["unit_of_measurement"])
    except ValueError:
        return {}
    return {
        datetime.fromtimestamp(row["start"], UTC): mean * per_unit
        for row in rows.get(entity_id, ())
        if (mean := row.get("mean")) is not None
    }
