"""What workday sensors say of past days: a tariff may count their days off as Sundays.

A sensor tells of today alone; the action of the workday integration tells of any day. An
answer is kept for good, so that the past stays as it was when the sensor is gone.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import batched
from typing import Any, Final, Self

from homeassistant.const import ATTR_ENTITY_ID, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .stored import readable

WORKDAY: Final = "workday"
CHECK_DATE: Final = "check_date"

AT_ONCE: Final = 25
"""After so many days asked for, others have a turn."""

_OFF_BY_STATE: Final = {STATE_ON: False, STATE_OFF: True}


class DaysOff(dict[str, dict[date, bool]]):
    """By workday sensor, whether a local date is a day off, as far as it was asked."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave, without what can't be read."""
        return cls(readable(data, _answers))

    def as_dict(self) -> dict[str, dict[str, bool]]:
        """Return the answers as plain data."""
        return {
            entity_id: {str(day): off for day, off in sorted(days.items())}
            for entity_id, days in self.items()
        }

    async def async_ask(
        self, hass: HomeAssistant, entity_id: str, first: date, last: date
    ) -> list[date]:
        """Ask for the days from `first` to `last` not yet known; return the new ones.

        Without the action, only today is known. What fails is left for another time.
        """
        known = self.setdefault(entity_id, {})
        asked = set(_days(first, last)) - known.keys()
        for some in batched(sorted(asked), AT_ONCE, strict=False):
            for day in some:
                off = await _async_is_off(hass, entity_id, day)
                if off is not None:
                    known[day] = off
            await asyncio.sleep(0)
        return sorted(asked & known.keys())


def _answers(data: Mapping[str, Any]) -> dict[date, bool]:
    return {date.fromisoformat(day): off is True for day, off in data.items()}


async def _async_is_off(hass: HomeAssistant, entity_id: str, day: date) -> bool | None:
    """Return whether a day is off; None if nobody can tell."""
    off_today = _is_off_today(hass, entity_id)
    if off_today is None:
        return None
    is_workday = await _async_answer(hass, entity_id, day)
    if isinstance(is_workday, bool):
        return not is_workday
    return off_today if day == dt_util.now().date() else None


def _is_off_today(hass: HomeAssistant, entity_id: str) -> bool | None:
    """Return whether today is off; None of a sensor that is gone or unavailable."""
    state = hass.states.get(entity_id)
    return _OFF_BY_STATE.get(state.state) if state else None


async def _async_answer(hass: HomeAssistant, entity_id: str, day: date) -> Any:
    """Return what the workday integration's action says of a day, whatever that is."""
    if not hass.services.has_service(WORKDAY, CHECK_DATE):
        return None
    try:
        answer = await hass.services.async_call(
            WORKDAY,
            CHECK_DATE,
            {ATTR_ENTITY_ID: entity_id, CHECK_DATE: day},
            blocking=True,
            return_response=True,
        )
    except HomeAssistantError, vol.Invalid:
        return None
    told = (answer or {}).get(entity_id)
    return told.get(WORKDAY) if isinstance(told, dict) else None


def _days(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)
