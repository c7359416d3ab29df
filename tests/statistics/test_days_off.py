"""What workday sensors say of past days is asked once, and kept."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.climkit.metering.hours import HOUR
from custom_components.climkit.metering.tariff import Component
from custom_components.climkit.metering.tariffs import Tariffs
from custom_components.climkit.statistics.price_archive import PriceArchive

from .price_times import NOW, ZURICH, pass_by, version

WORKDAY = "binary_sensor.workday"


@pytest.fixture(autouse=True)
def _now(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


def check_date(hass: HomeAssistant, off: set[date]) -> list[date]:
    """Stand in for the action of the workday integration, whose library isn't here."""
    asked: list[date] = []

    async def answer(call: ServiceCall) -> dict[str, Any]:
        day: date = call.data["check_date"]
        asked.append(day)
        return {call.data["entity_id"]: {"workday": day not in off}}

    hass.services.async_register(
        "workday", "check_date", answer, supports_response=SupportsResponse.ONLY
    )
    hass.states.async_set(WORKDAY, "on")
    return asked


HOLIDAYS = {
    "pricing": "times",
    "price": 0.2,
    "zones": [{"price": 0.3, "from": "07:00", "to": "20:00", "days": ["mon", "fri"]}],
    "workday": WORKDAY,
}


async def test_days_off_by_the_action(
    archive: PriceArchive, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Every day is asked for once, tomorrow as well; the answers are kept."""
    christmas = date(2026, 12, 25)
    asked = check_date(hass, {date(2026, 11, 23), christmas})
    archive.async_watch([version("2026-11-20", **HOLIDAYS)], ZURICH)
    archive.async_start()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert asked == [date(2026, 11, day) for day in range(20, 28)]
    known = archive.days_off[WORKDAY]
    assert {day for day, off in known.items() if off} == {date(2026, 11, 23)}

    noon = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
    tariffs = Tariffs(
        [version("2026-11-20", **HOLIDAYS)], ZURICH, archive, archive.days_off
    )
    for day, price in ((noon, 0.2), (noon + timedelta(days=4), 0.3)):
        assert tariffs.price_at(Component.GRID, None, day) == price

    hass.services.async_remove("workday", "check_date")
    hass.states.async_remove(WORKDAY)
    await archive.async_close()
    again = PriceArchive(hass, "entry")
    await again.async_load()
    assert again.days_off == archive.days_off


async def test_days_off_by_the_state_of_today(
    archive: PriceArchive, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Without the action, day by day; nothing is made up for the past."""
    heard: list[str] = []
    archive.async_listen(lambda entity_id, *_: heard.append(entity_id))
    await hass.config.async_set_time_zone("Europe/Zurich")
    hass.states.async_set(WORKDAY, "off")
    archive.async_watch([version("2026-11-20", **HOLIDAYS)], ZURICH)
    archive.async_start()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert archive.days_off[WORKDAY] == {date(2026, 11, 26): True}
    assert heard == [WORKDAY]
    hass.states.async_set(WORKDAY, "unavailable")
    friday = datetime(2026, 11, 26, 23, 59, 59, 500000, tzinfo=UTC)
    await pass_by(hass, freezer, friday)
    assert len(archive.days_off[WORKDAY]) == 1
    hass.states.async_set(WORKDAY, "on")
    await pass_by(hass, freezer, friday + HOUR)
    assert archive.days_off[WORKDAY][date(2026, 11, 27)] is False


@pytest.mark.parametrize("error", [None, HomeAssistantError("no")])
async def test_an_action_that_fails_leaves_the_days_open(
    archive: PriceArchive, hass: HomeAssistant, error: HomeAssistantError | None
) -> None:
    hass.states.async_set(WORKDAY, "on")

    async def no_answer(call: ServiceCall) -> dict[str, Any]:
        if error:
            raise error
        return {}

    hass.services.async_register(
        "workday", "check_date", no_answer, supports_response=SupportsResponse.ONLY
    )
    await archive.async_ask_days_off(WORKDAY, date(2026, 11, 24), date(2026, 11, 26))
    assert archive.days_off[WORKDAY] == {date(2026, 11, 26): False}
