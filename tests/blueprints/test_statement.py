"""The blueprint that tells of the last month."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.climkit.const import DOMAIN

from .running import DAY, HOUR, QUARTER, STEP, Running, local

FIFTH = date(2026, 6, 5)
ITEMS = [
    {"component": "grid", "price": 0.2725, "amount": 100.04, "unit": "kWh"}
    | {"cost": 27.26},
    {"component": "solar", "price": 0.18, "amount": 60.0, "unit": "kWh"}
    | {"cost": 10.8},
]
BILL: Mapping[str, Any] = {
    "items": ITEMS,
    "fees": 5.0,
    "total": 43.06,
    "currency": "CHF",
    "unpriced_hours": 0,
    "start": "2026-05-01T00:00:00+02:00",
    "end": "2026-06-01T00:00:00+02:00",
}
FRANCS = (
    "\n\nGrid: 100.0 kWh at 0.2725 = 27.26 CHF\n"
    "Solar: 60.0 kWh at 0.18 = 10.80 CHF\n"
    "Fees: 5.00 CHF\nTotal: 43.06 CHF"
)


async def _set_up(running: Running, day: date = FIFTH) -> None:
    """Set up a site that is older than the month before."""
    await running.set_up(local(day, 8, 50), created_before=timedelta(days=70))


def _sum(running: Running, column: str, day: date) -> float:
    """Return what the model says of the whole month before a day's."""
    end = day.replace(day=1)
    begin = (end - timedelta(days=1)).replace(day=1)
    return sum(running.model(column, local(begin, 0), local(end, 0)).values())


def _flat(running: Running, day: date) -> str:
    used, solar, grid = (
        _sum(running, f"{column}_{running.flat}", day)
        for column in ("total", "self", "ext")
    )
    return (
        f"My flat used {used:.1f} kWh.\n"
        f"From the sun: {solar:.1f} kWh ({100 * solar / used:.0f} %)\n"
        f"From the grid: {grid:.1f} kWh"
    )


@pytest.mark.parametrize(
    "day",
    [
        pytest.param(FIFTH, id="summer"),
        pytest.param(date(2026, 4, 5), id="month of 743 hours"),
        pytest.param(date(2026, 11, 5), id="month of 745 hours"),
        pytest.param(date(2026, 1, 5), id="last year"),
    ],
)
async def test_the_month_is_told(running: Running, day: date) -> None:
    await _set_up(running, day)
    await running.automate("statement")
    await running.until(local(day, 8, 55))
    assert running.messages == []
    await running.until(local(day, 9, 5))
    sums = {
        column: _sum(running, column, day)
        for column in ("conso_total", "self", "from_ext", "to_ext", "prod_total")
    }
    share = 100 * sums["self"] / sums["conso_total"]
    (message,) = await running.finished()
    first, solar, grid, *others = message.splitlines()
    assert first == f"My building used {sums['conso_total']:.1f} kWh."
    assert solar == f"From the sun: {sums['self']:.1f} kWh ({share:.0f} %)"
    assert grid == f"From the grid: {sums['from_ext']:.1f} kWh"
    assert sorted(others) == [
        f"Grid export: {sums['to_ext']:.1f} kWh",
        f"Production: {sums['prod_total']:.1f} kWh",
    ]


async def test_a_flat_of_which_nothing_is_priced(running: Running) -> None:
    """Without tariffs, there are kilowatt-hours alone."""
    await _set_up(running)
    await running.automate("statement", meter=running.device())
    await running.until(local(FIFTH, 9, 5))
    assert await running.finished() == [_flat(running, FIFTH)]


@pytest.mark.parametrize("day", [4, 6])
async def test_other_days_have_none(running: Running, day: int) -> None:
    await _set_up(running, date(2026, 6, day))
    await running.automate("statement")
    await running.until(local(date(2026, 6, day), 9, 30))
    assert running.messages == []


async def test_day_and_time_are_chosen(running: Running) -> None:
    await _set_up(running)
    await running.automate("statement", day=6, time="06:30:00")
    await running.until(local(FIFTH, 9, 5))
    await running.until(local(FIFTH + DAY, 6, 5), HOUR)
    assert running.messages == []
    await running.until(local(FIFTH + DAY, 6, 35))
    assert len(await running.finished()) == 1


async def test_a_month_that_comes_late_is_awaited(running: Running) -> None:
    first = date(2026, 6, 1)
    back = local(first, 11)
    running.site.outage(local(first, 0) - 6 * HOUR, back, until=back)
    await _set_up(running, first)
    await running.automate("statement", day=1, meter=running.device())
    await running.until(back - STEP)
    assert running.waits()
    await running.until(back + 2 * QUARTER)
    assert await running.finished() == [_flat(running, first)]
    await running.until(local(first, 9) + DAY, HOUR)
    assert len(await running.finished()) == 1


class Tariffs:
    """Stands in for what is not there yet: a site's tariffs, and their action.

    To be replaced by real tariffs once `climkit.get_statement` exists.
    """

    def __init__(self, running: Running, answer: Mapping[str, Any]) -> None:
        self.calls: list[dict[str, Any]] = []
        self._answer = answer
        running.hass.services.async_register(
            DOMAIN,
            "get_statement",
            self._called,
            supports_response=SupportsResponse.ONLY,
        )
        sensor = er.async_get(running.hass).async_get_or_create(
            "sensor", DOMAIN, "fake_grid_price", config_entry=running.entry
        )
        running.hass.states.async_set(
            sensor.entity_id, "0.2725", {"unit_of_measurement": "CHF/kWh"}
        )

    async def _called(self, call: ServiceCall) -> ServiceResponse:
        self.calls.append(dict(call.data))
        if not self._answer:
            raise HomeAssistantError("The recorder is busy")
        return dict(self._answer)


@pytest.mark.parametrize(
    ("changes", "francs"),
    [
        pytest.param({}, FRANCS, id="all"),
        pytest.param(
            {"fees": 0, "total": 38.06, "unpriced_hours": 7},
            FRANCS.replace("Fees: 5.00 CHF\n", "").replace("43.06", "38.06")
            + "\nWithout a price: 7 hours",
            id="some without a price",
        ),
        pytest.param({"items": [], "fees": 0, "total": 0}, "", id="no tariff here"),
    ],
)
async def test_francs(
    running: Running, changes: Mapping[str, Any], francs: str
) -> None:
    await _set_up(running)
    tariffs = Tariffs(running, {**BILL, **changes})
    await running.automate("statement", meter=running.device())
    await running.until(local(FIFTH, 9, 5))
    assert await running.finished() == [_flat(running, FIFTH) + francs]
    assert tariffs.calls == [
        {
            "config_entry_id": running.entry.entry_id,
            "meter": running.device(),
            "start": "2026-05-01 00:00:00",
            "end": "2026-06-01 00:00:00",
        }
    ]


async def test_without_the_francs_if_they_fail(running: Running) -> None:
    await _set_up(running)
    tariffs = Tariffs(running, {})
    await running.automate("statement", meter=running.device())
    await running.until(local(FIFTH, 9, 5))
    assert await running.finished() == [_flat(running, FIFTH)]
    assert len(tariffs.calls) == 1


async def test_the_total_in_a_notification_of_ones_own(running: Running) -> None:
    await _set_up(running)
    Tariffs(running, BILL)
    said = {
        "action": "persistent_notification.create",
        "data": {"message": "{{ title }}: {{ cost }} CHF, {{ used | round(1) }} kWh"},
    }
    await running.automate("statement", notify=[said])
    await running.until(local(FIFTH, 9, 5))
    used = _sum(running, "conso_total", FIFTH)
    assert await running.finished() == [
        f"Energy in May 2026: 43.06 CHF, {used:.1f} kWh"
    ]
