"""What workday sensors say of past days: a tariff may count their days off as Sundays.

A sensor tells of today alone; the action of the workday integration tells of any day. An
answer is kept for good, so that the past stays as it was when the sensor is gone.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final, Self

from homeassistant.const import ATTR_ENTITY_ID, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import voluptuous as vol

WORKDAY: Final = "workday"
CHECK_DATE: Final = "check_date"

AT_ONCE: Final = 25
"""After so many days asked for, others have a turn."""


class DaysOff(dict[str, dict[date, bool]]):
    """By workday sensor, whether a local date is a day off, as far as it was asked."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` gave, without what can't be read."""
        days_off = cls()
        for entity_id, days in data.items():
            try:
                days_off[entity_id] = {
                    date.fromisoformat(day): off is True for day, off in days.items()
                }
            except AttributeError, TypeError, ValueError:
                continue
        return days_off

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
        asked = [day for day in _days(first, last) if day not in known]
        answered = []
        for number, day in enumerate(asked, 1):
            off = await _async_is_off(hass, entity_id, day)
            if off is not None:
                known[day] = off
                answered.append(day)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return answered


async def _async_is_off(hass: HomeAssistant, entity_id: str, day: date) -> bool | None:
    """Return whether a day is off; None if nobody can tell."""
    state = hass.states.get(entity_id)
    if state is None or state.state not in (STATE_ON, STATE_OFF):
        return None
    is_workday = await _async_answer(hass, entity_id, day)
    if isinstance(is_workday, bool):
        return not is_workday
    return state.state == STATE_OFF if day == dt_util.now().date() else None


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
