"""The blueprint that tells of the last month."""

from datetime import date, timedelta
import re
from typing import Any

import pytest

from custom_components.climkit import services
from custom_components.climkit.statistics.updates import RecorderError
from tests.conftest import history_done
from tests.ledger import hours_of
from tests.tariffs import add_tariff

from .running import DAY, HOUR, QUARTER, STEP, Running, local

FIFTH = date(2026, 6, 5)
GRID, SOLAR, FEE = 0.2725, 0.18, 5.0
"""CHF per kWh, and per month."""


async def _set_up(running: Running, day: date = FIFTH) -> None:
    """Set up a site that is days older than the month before."""
    begin = (day.replace(day=1) - DAY).replace(day=1)
    age = local(day, 8, 50) - local(begin - 3 * DAY, 0)
    await running.set_up(local(day, 8, 50), created_before=age)


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


async def _priced(running: Running, **grid: Any) -> None:
    """Set up a site with its history in, and tariffs: the flat's own, and the site's."""
    await _set_up(running)
    await history_done(running.entry)
    flat = {"meters": [running.flat], "monthly_fee": FEE}
    first = {"valid_from": "2026-01-01"}
    add_tariff(running.hass, running.entry, "grid", price=GRID, **(first | flat | grid))
    add_tariff(running.hass, running.entry, "solar", price=SOLAR, **first)
    await running.hass.async_block_till_done(wait_background_tasks=True)


def approx(expected: Any) -> Any:
    """Return what a text is near to: tenths of kWh, Rappen."""
    return pytest.approx(expected, abs=0.06)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


async def test_francs(running: Running) -> None:
    await _priced(running)
    await running.automate("statement", meter=running.device())
    await running.until(local(FIFTH, 9, 5))
    (message,) = await running.finished()
    assert message.startswith(_flat(running, FIFTH) + "\n\n")
    grid, solar, fees, total = message.splitlines()[-4:]
    from_grid = _sum(running, f"ext_{running.flat}", FIFTH)
    from_sun = _sum(running, f"self_{running.flat}", FIFTH)
    assert grid.startswith("Grid: ")
    assert _numbers(grid) == approx([from_grid, GRID, from_grid * GRID])
    assert solar.startswith("Solar: ")
    assert _numbers(solar) == approx([from_sun, SOLAR, from_sun * SOLAR])
    assert fees == "Fees: 5.00 CHF"
    assert total.startswith("Total: ")
    assert _numbers(total) == approx([from_grid * GRID + from_sun * SOLAR + FEE])


async def test_some_of_it_without_a_price(running: Running) -> None:
    """The grid's is valid from the second day on: 24 hours used some without a price."""
    await _priced(running, valid_from="2026-05-02", monthly_fee=None)
    await running.automate("statement", meter=running.device())
    await running.until(local(FIFTH, 9, 5))
    (message,) = await running.finished()
    begin, day = local(date(2026, 5, 1), 0), local(date(2026, 5, 2), 0)
    used = hours_of(running.model(f"ext_{running.flat}", begin, day))
    assert message.splitlines()[-1] == (
        f"Without a price: {sum(round(some, 3) > 0 for some in used.values())} hours"
    )
    rest = running.model(f"ext_{running.flat}", day, local(date(2026, 6, 1), 0))
    (grid,) = (line for line in message.splitlines() if line.startswith("Grid: "))
    assert _numbers(grid)[0] == approx(sum(rest.values()))


async def test_no_tariff_of_this_meter(running: Running) -> None:
    await _set_up(running)
    await history_done(running.entry)
    add_tariff(running.hass, running.entry, "feed_in", price=0.1)
    await running.automate("statement", meter=running.device())
    await running.until(local(FIFTH, 9, 5))
    assert await running.finished() == [_flat(running, FIFTH)]


async def test_without_the_francs_if_they_fail(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _priced(running)

    async def busy(*_: Any) -> None:
        raise RecorderError

    monkeypatch.setattr(services, "async_statement", busy)
    await running.automate("statement", meter=running.device())
    await running.until(local(FIFTH, 9, 5))
    assert await running.finished() == [_flat(running, FIFTH)]


async def test_the_total_in_a_notification_of_ones_own(running: Running) -> None:
    await _priced(running)
    said = {
        "action": "persistent_notification.create",
        "data": {"message": "{{ title }}: {{ cost }} CHF, {{ used | round(1) }} kWh"},
    }
    await running.automate("statement", notify=[said])
    await running.until(local(FIFTH, 9, 5))
    used = _sum(running, "conso_total", FIFTH)
    (message,) = await running.finished()
    title, numbers = message.split(": ")
    assert title == "Energy in May 2026"
    # The site pays no tariff for the grid here: that one is the flat's own.
    assert numbers == f"None CHF, {used:.1f} kWh"
