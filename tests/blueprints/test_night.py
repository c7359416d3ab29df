"""The blueprint that tells of an unusual night."""

from datetime import date, timedelta

import pytest

from .running import DAY, HOUR, QUARTER, STEP, TUESDAY, Running, local

NIGHTS = [
    pytest.param(TUESDAY, id="summer"),
    pytest.param(date(2026, 3, 29), id="night of two hours"),
    pytest.param(date(2026, 10, 25), id="night of four hours"),
]
OLD_ENOUGH = timedelta(days=17)
"""A night is compared with fourteen; there are others before these."""


async def _start(running: Running, day: date, **inputs: object) -> None:
    await running.set_up(local(day, 6, 50), created_before=OLD_ENOUGH)
    await running.automate("night", meter=running.device(), **inputs)


def _nights(
    running: Running, day: date, hours: tuple[int, int] = (2, 5), column: str = ""
) -> tuple[float, float]:
    """Return the mean power of this night and of the fourteen before, in W."""
    begin, end = hours
    column = column or f"total_{running.flat}"
    nights = [
        list(
            running.model(
                column, local(some - DAY * (begin > end), begin), local(some, end)
            ).values()
        )
        for some in (day - timedelta(days=number) for number in range(15))
    ]
    before = [amount for night in nights[1:] for amount in night]
    return 4000 * sum(nights[0]) / len(nights[0]), 4000 * sum(before) / len(before)


@pytest.mark.parametrize("day", NIGHTS)
async def test_an_unusual_night_is_told(running: Running, day: date) -> None:
    """With the power of that night and of those before, as the model has them."""
    running.site.revise(local(day, 2), local(day, 5), add=0.1, meters=[running.flat])
    await _start(running, day)
    await running.until(local(day, 7, 10))
    last, usual = _nights(running, day)
    assert last > usual + 300
    (message,) = await running.finished()
    assert message == (
        f"My flat used {last:.0f} W between 02:00 and 05:00, usually {usual:.0f} W."
    )


@pytest.mark.parametrize("day", NIGHTS)
async def test_a_usual_night_is_not(running: Running, day: date) -> None:
    """Nor is one after a day on which much was used."""
    running.site.revise(local(day, 5), local(day, 7), add=0.4, meters=[running.flat])
    await _start(running, day)
    await running.until(local(day, 7, 10))
    assert await running.finished() == []


async def test_a_night_may_begin_before_midnight(running: Running) -> None:
    """It is that of the day on which it ends, and compared with fourteen like it."""
    begin, end = local(TUESDAY - DAY, 23), local(TUESDAY, 4)
    running.site.revise(begin, end, add=0.1, meters=[running.flat])
    await _start(running, TUESDAY, begin="23:00:00", end="04:00:00")
    await running.until(local(TUESDAY, 7, 10))
    last, usual = _nights(running, TUESDAY, (23, 4))
    assert await running.finished() == [
        f"My flat used {last:.0f} W between 23:00 and 04:00, usually {usual:.0f} W."
    ]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("bound", ["percent", "watts"])
async def test_so_much_more_is_what_was_chosen(
    running: Running, bound: str, *, told: bool
) -> None:
    """Of the whole building, too: a little below what it was, and a little above."""
    begin, end = local(TUESDAY, 2), local(TUESDAY, 5)
    running.site.revise(begin, end, add=0.1, meters=[running.flat])
    last, usual = _nights(running, TUESDAY, column="conso_total")
    more = {"percent": 100 * (last / usual - 1), "watts": last - usual}[bound]
    bounds = {"percent": 0, "watts": 0} | {bound: more * (0.98 if told else 1.02)}
    await running.set_up(local(TUESDAY, 6, 50), created_before=OLD_ENOUGH)
    await running.automate("night", **bounds)
    await running.until(local(TUESDAY, 7, 10))
    assert [message[:16] for message in await running.finished()] == (
        ["My building used"] if told else []
    )


async def test_a_night_that_comes_late_is_told_when_it_comes(running: Running) -> None:
    site, back = running.site, local(TUESDAY, 9)
    site.revise(local(TUESDAY, 1), back, add=0.1, meters=[running.flat])
    site.outage(local(TUESDAY, 4), back, until=back)
    await _start(running, TUESDAY)
    await running.until(back - STEP)
    assert running.waits()
    await running.until(back + 2 * QUARTER)
    (message,) = await running.finished()
    last, _ = _nights(running, TUESDAY)
    assert message.startswith(f"My flat used {last:.0f} W ")


async def test_a_night_that_does_not_come_is_not_made_up(running: Running) -> None:
    site, until = running.site, local(TUESDAY + DAY, 1)
    site.revise(local(TUESDAY, 2), until, add=0.1, meters=[running.flat])
    site.outage(local(TUESDAY, 4), until, until=until)
    await _start(running, TUESDAY)
    await running.until(local(TUESDAY, 7, 5))
    await running.until(local(TUESDAY, 18, 5), HOUR)
    assert running.waits()
    await running.until(local(TUESDAY, 19, 5), HOUR)
    assert not running.waits()
    await running.until(local(TUESDAY + DAY, 2), HOUR)
    assert await running.finished() == []
