"""The archive of entities' prices, on a real recorder: its states, its hourly means."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy.exc import OperationalError

from custom_components.climkit.metering.costs import costs_of_hours
from custom_components.climkit.metering.hours import HOUR, QUARTER
from custom_components.climkit.metering.tariff import Component, Tariff
from custom_components.climkit.metering.tariffs import Tariffs
from custom_components.climkit.statistics import queries
from custom_components.climkit.statistics.price_archive import PriceArchive
from custom_components.climkit.statistics.updates import RecorderError

from ..held_recorder import Hold
from .price_times import NOW, PRICE, ZURICH, pass_by, version
from .told_prices import LONG_AGO, TEN, means, of_hour, tell

WORKDAY = "binary_sensor.workday"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _now(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


def costs(
    archive: PriceArchive,
    tariff: Tariff,
    energies: Mapping[datetime, float],
    quarters: Mapping[datetime, float] = MappingProxyType({}),
) -> dict[datetime, float]:
    """Return what energies of hours cost by a tariff of the archived prices."""
    timeline = Tariffs([tariff], ZURICH, archive).timeline(Component.GRID, None)
    return costs_of_hours(energies, quarters, timeline.hour_prices)


async def test_by_states_of_the_last_days(
    archive: PriceArchive, hass: HomeAssistant
) -> None:
    """17: 0.20 until 10:15, then 0.40: all used in the first quarter costs 0.40."""
    for price, moment in (
        (0.20, TEN - HOUR),
        (0.40, TEN + QUARTER),
        ("unavailable", TEN + 31 * MINUTE),
        (0.10, TEN + 50 * MINUTE),
    ):
        tell(hass, price, moment)
    await async_wait_recording_done(hass)
    await archive.async_fill(PRICE, TEN - 2 * HOUR, TEN + HOUR)
    assert of_hour(archive, TEN - 2 * HOUR) == [None] * 4
    assert of_hour(archive, TEN - HOUR) == pytest.approx([0.2] * 4)
    assert of_hour(archive, TEN) == pytest.approx([0.2, 0.4, 0.4, 0.1])

    first = {TEN: 2.0} | {TEN + i * QUARTER: 0.0 for i in (1, 2, 3)}
    assert costs(archive, version(), {TEN: 2.0}, first) == {TEN: pytest.approx(0.40)}


async def test_a_price_that_has_stood_for_long(
    archive: PriceArchive, hass: HomeAssistant
) -> None:
    """Told before what the recorder knows, and standing still: it was so all the time."""
    tell(hass, 0.20, TEN - 30 * 24 * HOUR)
    await archive.async_fill(PRICE, TEN, TEN + HOUR)
    assert of_hour(archive, TEN) == pytest.approx([0.2] * 4)


async def test_by_hourly_means_before(
    archive: PriceArchive, hass: HomeAssistant
) -> None:
    """17: 0.35 on average, 2 kWh: 0.70. Of hours without a mean nothing is known."""
    await means(hass, {LONG_AGO: 0.35, LONG_AGO + 2 * HOUR: 0.0})
    await archive.async_fill(PRICE, LONG_AGO - HOUR, NOW)
    assert of_hour(archive, LONG_AGO - HOUR) == [None] * 4
    assert of_hour(archive, LONG_AGO) == pytest.approx([0.35] * 4)
    assert of_hour(archive, LONG_AGO + HOUR) == [None] * 4
    assert of_hour(archive, LONG_AGO + 2 * HOUR) == [0.0] * 4

    found = costs(archive, version("2026-01-01"), {LONG_AGO: 2.0})
    assert found == {LONG_AGO: pytest.approx(0.70)}


async def test_only_what_is_more_exact_replaces(
    archive: PriceArchive, hass: HomeAssistant
) -> None:
    """States replace a mean where there are some; nothing replaces states."""
    await means(hass, {TEN: 0.35, TEN + HOUR: 0.25})
    await archive.async_fill(PRICE, TEN, TEN + 2 * HOUR)
    assert of_hour(archive, TEN) == pytest.approx([0.35] * 4)

    tell(hass, 0.20, TEN + 20 * MINUTE)
    tell(hass, "unknown", TEN + HOUR)
    await async_wait_recording_done(hass)
    await means(hass, {TEN: 0.99, TEN + HOUR: 0.99})
    await archive.async_fill(PRICE, TEN, TEN + 2 * HOUR)
    assert of_hour(archive, TEN) == pytest.approx([0.35, 0.2, 0.2, 0.2])
    assert of_hour(archive, TEN + HOUR) == pytest.approx([0.25] * 4)


@pytest.mark.parametrize(
    ("state", "unit"),
    [
        (0.234, "CHF/kWh"),
        (23.4, "Rp./kWh"),
        (23.4, "Rp/kWh"),
        (23.4, "ct/kWh"),
        (234, "CHF/MWh"),
    ],
)
async def test_units_are_converted(
    archive: PriceArchive, hass: HomeAssistant, state: float, unit: str
) -> None:
    """14: 0.234 each time, by state and by mean; with all that comes on top, 0.4241844."""
    tell(hass, state, TEN, unit)
    await means(hass, {LONG_AGO: state}, unit)
    await archive.async_fill(PRICE, LONG_AGO, TEN + HOUR)
    data = {"pricing": "entity", "entity_id": PRICE, "surcharge": 0.0276, "vat": 8.1}
    for hour in (TEN, LONG_AGO):
        assert of_hour(archive, hour) == pytest.approx([0.234] * 4)
    found = costs(archive, version("2026-01-01", **data), {TEN: 1.5, LONG_AGO: 1.5})
    assert list(found.values()) == pytest.approx([0.4241844] * 2, abs=1e-7)


@pytest.mark.parametrize(
    ("state", "unit"),
    [
        (0.2, "EUR/kWh"),
        (0.2, "CHF"),
        (0.2, None),
        ("much", "CHF/kWh"),
        ("nan", "CHF/kWh"),
        ("inf", "CHF/kWh"),
    ],
)
async def test_what_is_no_price_is_none(
    archive: PriceArchive, hass: HomeAssistant, state: object, unit: str | None
) -> None:
    tell(hass, state, TEN, unit)
    if isinstance(state, float):
        await means(hass, {TEN: state}, unit)
    await archive.async_fill(PRICE, TEN, TEN + HOUR)
    assert of_hour(archive, TEN) == [None] * 4


async def test_the_present_is_told_at_the_last_second(
    archive: PriceArchive, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Kept when its quarter hour ends, and not touched by what comes then."""
    heard: list[tuple[str, datetime, datetime]] = []
    archive.async_listen(lambda *what: heard.append(what))
    archive.async_watch([version("2026-11-26")], ZURICH)
    archive.async_start()
    tell(hass, 0.20)
    await pass_by(hass, freezer, NOW + 10 * MINUTE)
    tell(hass, 0.30)
    assert archive.price(PRICE, NOW) is None
    await pass_by(hass, freezer, NOW + QUARTER - timedelta(seconds=0.5))
    assert archive.price(PRICE, NOW) == pytest.approx(0.30)
    assert heard == [(PRICE, NOW, NOW + QUARTER)]
    tell(hass, 0.40)
    await pass_by(hass, freezer, NOW + 2 * QUARTER - timedelta(seconds=0.5))
    assert of_hour(archive, NOW)[:2] == pytest.approx([0.3, 0.4])
    assert of_hour(archive, NOW)[2:] == [None, None]


async def test_what_live_missed_is_completed(
    archive: PriceArchive, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Away at the last second, but not before: the recorder tells, once an hour."""
    archive.async_watch([version("2026-11-26")], ZURICH)
    archive.async_start()
    tell(hass, 0.20)
    await pass_by(hass, freezer, NOW + 14 * MINUTE)
    tell(hass, "unavailable")
    await pass_by(hass, freezer, NOW + QUARTER - timedelta(seconds=0.5))
    assert archive.price(PRICE, NOW) is None
    await pass_by(hass, freezer, NOW + QUARTER)
    tell(hass, 0.25)
    await pass_by(hass, freezer, NOW + 30 * MINUTE)
    await async_wait_recording_done(hass)
    await pass_by(hass, freezer, NOW + HOUR - timedelta(seconds=0.5))
    assert of_hour(archive, NOW) == pytest.approx([0.2, 0.25, 0.25, 0.25])


async def test_filled_up_at_the_start_and_kept_when_the_entity_is_gone(
    archive: PriceArchive,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    tell(hass, 0.20, TEN)
    await means(hass, {LONG_AGO: 0.35})
    archive.async_watch([version("2026-06-15")], ZURICH)
    archive.async_start()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert of_hour(archive, LONG_AGO) == pytest.approx([0.35] * 4)
    assert of_hour(archive, TEN) == pytest.approx([0.2] * 4)
    await pass_by(hass, freezer, NOW + timedelta(minutes=2))
    assert "climkit.entry.prices" in hass_storage

    hass.states.async_remove(PRICE)
    get_instance(hass).async_clear_statistics([PRICE])
    await async_wait_recording_done(hass)
    archive.async_watch([], ZURICH)
    await archive.async_close()
    again = PriceArchive(hass, "entry")
    await again.async_load()
    again.async_watch([version("2026-06-15")], ZURICH)
    again.async_start()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert of_hour(again, LONG_AGO) == pytest.approx([0.35] * 4)
    assert of_hour(again, TEN) == pytest.approx([0.2] * 4)
    await again.async_close()


async def test_another_tariff_is_filled_up_at_once(
    archive: PriceArchive, hass: HomeAssistant
) -> None:
    """From its first day in the zone of the site on, and not before."""
    await means(
        hass, {datetime(2026, 6, 14, hour, tzinfo=UTC): 0.35 for hour in (21, 22)}
    )
    archive.async_start()
    archive.async_watch([version("2026-06-15")], ZURICH)
    archive.async_watch([version("2026-06-15"), version("2026-07-15")], ZURICH)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert archive.price(PRICE, datetime(2026, 6, 14, 21, 45, tzinfo=UTC)) is None
    first = archive.price(PRICE, datetime(2026, 6, 14, 22, 0, tzinfo=UTC))
    assert first == pytest.approx(0.35)


async def test_what_no_tariff_names_is_kept_within_bounds(
    archive: PriceArchive, hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    names = [f"sensor.price_{n}" for n in range(25)]
    for name in names:
        hass.states.async_set(
            name, "0.2", {"unit_of_measurement": "CHF/kWh"}, timestamp=TEN.timestamp()
        )
    await async_wait_recording_done(hass)
    for name in names:
        await archive.async_fill(name, TEN, TEN + HOUR)
    watched = version(pricing="entity", entity_id=names[0])
    archive.async_watch([watched], ZURICH)
    await archive.async_close()
    kept = hass_storage["climkit.entry.prices"]["data"]["prices"]
    assert list(kept) == [names[0], *names[-19:]]


async def test_a_recorder_that_cannot_serve_is_asked_again(
    archive: PriceArchive,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await means(hass, {LONG_AGO: 0.35})
    monkeypatch.setattr(Recorder, "recording", False)
    with pytest.raises(RecorderError):
        await archive.async_fill(PRICE, LONG_AGO, NOW)
    archive.async_watch([version("2026-06-15")], ZURICH)
    archive.async_start()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert archive.price(PRICE, LONG_AGO) is None
    monkeypatch.undo()
    await pass_by(hass, freezer, NOW + HOUR - timedelta(seconds=0.5))
    assert archive.price(PRICE, LONG_AGO) == pytest.approx(0.35)


async def test_a_recorder_that_is_behind_does_not_know_that_an_entity_has_gone(
    archive: PriceArchive,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A backup, say: what was told before is not its price ever since."""
    tell(hass, 0.20, TEN - HOUR)
    await async_wait_recording_done(hass)
    hold = Hold()
    get_instance(hass).queue_task(hold)
    freezer.move_to(TEN + 20 * MINUTE)
    hass.states.async_remove(PRICE)
    freezer.move_to(NOW)
    monkeypatch.setattr(queries, "BEHIND", 0)
    with pytest.raises(RecorderError):
        await archive.async_fill(PRICE, TEN, TEN + HOUR)
    assert of_hour(archive, TEN) == [None] * 4
    monkeypatch.undo()
    hold.release.set()
    await archive.async_fill(PRICE, TEN, TEN + HOUR)
    # Told until 10:20, which is in the second quarter hour.
    assert of_hour(archive, TEN) == pytest.approx([0.2, 0.2, None, None])


async def test_a_database_that_is_broken(
    archive: PriceArchive, hass: HomeAssistant
) -> None:
    """Told as what it is to whoever fills up."""
    await means(hass, {TEN: 0.2})
    function = "custom_components.climkit.statistics.price_history.get_metadata"
    broken = patch(function, side_effect=OperationalError("", {}, Exception()))
    with broken, pytest.raises(RecorderError):
        await archive.async_fill(PRICE, TEN, TEN + HOUR)


async def test_what_was_stored_wrongly_is_left_out(
    recorder_mock: object, hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    hass_storage["climkit.entry.prices"] = {
        "version": 1,
        "key": "climkit.entry.prices",
        "data": {
            "days_off": {
                WORKDAY: {"2026-11-26": True},
                "binary_sensor.bad": {"today": True},
            }
        },
    }
    archive = PriceArchive(hass, "entry")
    await archive.async_load()
    assert archive.days_off == {WORKDAY: {date(2026, 11, 26): True}}
    assert archive.price(PRICE, TEN) is None
