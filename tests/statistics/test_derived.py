"""What follows from energy: written with it, exact at each commit, made anew on demand."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
import threading
from typing import Any

from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import event

from custom_components.climkit.metering.hours import HOUR
from custom_components.climkit.metering.spans import Span
from custom_components.climkit.statistics.updates import Amounts, Derived, SeriesUpdate
from custom_components.climkit.statistics.writer import StatisticsWriter
from tests.held_recorder import Hold
from tests.ledger import chains_at_every_commit

from .ledger import EXPORT, GRID, T0, chain, hours, stored, write

COST = "climkit:63ce_grid_import_cost"
BOTH = "climkit:63ce_consumption_cost"


def metadata(id_: str) -> StatisticMetaData:
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=id_,
        source="climkit",
        statistic_id=id_,
        unit_class=None,
        unit_of_measurement="CHF",
    )


def cost(
    prices: Mapping[int, float] | float, *, also: frozenset[int] = frozenset()
) -> Derived:
    """Return what the grid's energy costs; hours without a price have none."""

    def amounts(span: Span, sources: Sequence[Amounts]) -> Amounts:
        (energy,) = sources
        assert all(span[0] <= hour < span[1] for hour in energy)
        return {
            hour: amount * price
            for hour, amount in energy.items()
            if (price := price_at(prices, hour)) is not None
        }

    again = frozenset(T0 + n * HOUR for n in also)
    return Derived(metadata(COST), (GRID,), amounts, again)


def price_at(prices: Mapping[int, float] | float, hour: datetime) -> float | None:
    if isinstance(prices, float):
        return prices
    return prices.get((hour - T0) // HOUR)


@pytest.fixture
async def priced(writer: StatisticsWriter) -> StatisticsWriter:
    await writer.async_announce([metadata(COST), metadata(BOTH)])
    return writer


async def test_with_the_energy(hass: HomeAssistant, priced: StatisticsWriter) -> None:
    """Tariff cases 10 and 11: what is revised moves later sums; no price, no row."""
    derived = (cost(0.3),)
    await write(priced, {0: 1, 1: 2, 2: 3}, derived=derived)
    assert await stored(hass, COST) == chain({0: 0.3, 1: 0.6, 2: 0.9})
    await write(priced, {1: 1.5}, derived=derived)
    assert await stored(hass, COST) == chain({0: 0.3, 1: 0.45, 2: 0.9})
    gap = (cost({3: 0.3, 5: 0.3}),)
    await write(priced, {3: 1, 4: 2, 5: 3}, derived=gap)
    rows = {0: 0.3, 1: 0.45, 2: 0.9, 3: 0.3, 5: 0.9}
    assert await stored(hass, COST) == chain(rows)
    result = await write(priced, {3: 1, 4: 2, 5: 3}, derived=gap)
    assert (result.written, result.derived_missing) == (0, frozenset())
    assert await stored(hass, COST) == chain(rows)


async def test_energy_that_stays(hass: HomeAssistant, priced: StatisticsWriter) -> None:
    """Only what was revised is derived again, or what is asked for, and may vanish."""
    await write(priced, {0: 1, 1: 2, 2: 3}, derived=(cost(0.3),))
    await write(priced, {0: 1, 1: 2, 2: 4}, derived=(cost(0.5),))
    assert await stored(hass, COST) == chain({0: 0.3, 1: 0.6, 2: 2.0})
    again = cost({1: 0.4}, also=frozenset({0, 1}))
    for _ in range(2):
        await write(priced, {0: 1, 1: 2, 2: 4}, derived=(again,))
        assert await stored(hass, COST) == chain({1: 0.8, 2: 2.0})


async def test_of_two_sources(hass: HomeAssistant, priced: StatisticsWriter) -> None:
    """A sum of two is right whichever of them changes, also by itself."""

    def total(span: Span, sources: Sequence[Amounts]) -> Amounts:
        grid, sun = sources
        return {
            hour: grid.get(hour, 0.0) * 0.3 + sun.get(hour, 0.0) * 0.2
            for hour in grid.keys() | sun.keys()
        }

    both = Derived(metadata(BOTH), (GRID, EXPORT), total)
    await priced.async_write(
        {
            GRID: SeriesUpdate(hours({0: 1, 1: 2}), derived=(both,)),
            EXPORT: SeriesUpdate(hours({1: 1, 2: 4}), derived=(both,)),
        }
    )
    assert await stored(hass, BOTH) == chain({0: 0.3, 1: 0.8, 2: 0.8})
    await write(priced, {2: 1}, derived=(both,))
    assert await stored(hass, BOTH) == chain({0: 0.3, 1: 0.8, 2: 1.1})


async def test_of_time_alone(hass: HomeAssistant, priced: StatisticsWriter) -> None:
    """A fee needs no energy."""

    def fee(span: Span, sources: Sequence[Amounts]) -> Amounts:
        start, end = span
        return {start + n * HOUR: 0.01 for n in range((end - start) // HOUR)}

    derived = Derived(metadata(COST), (), fee)
    await priced.async_ensure([derived.metadata])
    assert await priced.async_derive(derived, [(T0, T0 + 24 * HOUR)]) == 24
    assert await priced.async_derive(derived, [(T0, T0 + 24 * HOUR)]) == 0
    assert await stored(hass, COST) == chain(dict.fromkeys(range(24), 0.01))


async def test_priced_anew(hass: HomeAssistant, priced: StatisticsWriter) -> None:
    """From an instant on, rows before it untouched; hours without a price vanish."""
    energy = {n: 1.0 + n % 7 for n in range(60)}
    await write(priced, energy, derived=(cost(0.3),))
    prices: dict[int, float] = {n: 0.2 for n in range(20, 60) if n % 10}
    start, end = T0 + 20 * HOUR, T0 + 60 * HOUR
    await priced.async_derive(cost(prices), [(start, end)])
    expected = {n: energy[n] * (0.3 if n < 20 else 0.2) for n in energy}
    for gone in (20, 30, 40, 50):
        del expected[gone]
    assert await stored(hass, COST) == chain(expected)
    assert await priced.async_derive(cost(0.3), []) == 0
    await priced.async_derive(cost(0.3), [(start, T0 + 40 * HOUR)])
    expected |= {n: energy[n] * 0.3 for n in range(20, 40)}
    assert await stored(hass, COST) == chain(expected)


async def test_cleared(hass: HomeAssistant, priced: StatisticsWriter) -> None:
    """What somebody has cleared is not begun in the middle, but reported."""
    await write(priced, {0: 1, 1: 2}, derived=(cost(0.3),))
    get_instance(hass).async_clear_statistics([COST])
    await async_wait_recording_done(hass)
    result = await write(priced, {2: 3}, derived=(cost(0.3),))
    assert result.derived_missing == {COST}
    assert await stored(hass, COST) == []
    assert await priced.async_derive(cost(0.3), [(T0, T0 + 3 * HOUR)]) is None
    await priced.async_ensure([metadata(COST)])
    await priced.async_derive(cost(0.3), [(T0, T0 + 3 * HOUR)])
    assert await stored(hass, COST) == chain({0: 0.3, 1: 0.6, 2: 0.9})


async def test_cleared_before_its_turn(
    hass: HomeAssistant, priced: StatisticsWriter
) -> None:
    """Who clears it while the recorder is busy does not get the end of it back alone."""
    await write(priced, {0: 1, 1: 2, 2: 3}, derived=(cost(0.3),))
    recorder = get_instance(hass)

    async def queued(number: int) -> None:
        while recorder.backlog != number:
            await hass.async_add_executor_job(int)

    recorder.queue_task(hold := Hold())
    await queued(0)  # it holds
    recorder.async_clear_statistics([COST])
    spans = [(T0 + HOUR, T0 + 3 * HOUR)]
    deriving = hass.async_create_task(priced.async_derive(cost(0.5), spans))
    await queued(2)  # it was there when that was asked for
    hold.release.set()
    assert await deriving == 0
    assert await stored(hass, COST) == []


async def test_while_others_write(
    hass: HomeAssistant, priced: StatisticsWriter
) -> None:
    """Polls and the import go on while all is priced anew: nobody undoes another's work.

    At every moment each sum goes on from the one before it.
    """
    energy = {n: 1.0 + n % 7 for n in range(60)}
    await write(priced, energy, derived=(cost(0.3),))
    end = T0 + 100 * HOUR
    with chains_at_every_commit(hass) as broken:
        for turn in range(6):
            again = cost(0.25 + turn / 100)
            poll = {30 + turn: 9.0 + turn, 60 + turn: 2.0}
            history = {turn: 7.0 + turn}
            energy |= poll | history
            await asyncio.gather(
                write(priced, history, derived=(again,)),
                priced.async_derive(again, [(T0, end)]),
                write(priced, poll, derived=(again,)),
            )
    assert not broken
    assert await stored(hass) == chain(energy)
    costs = {n: amount * 0.30 for n, amount in energy.items()}
    assert await stored(hass, COST) == chain(costs)


@pytest.mark.parametrize("backend", ["table"], indirect=True)
async def test_exact_at_every_commit(
    hass: HomeAssistant, priced: StatisticsWriter
) -> None:
    """Two years priced anew: no reader ever sees a broken chain, nor energy without it."""
    energy = {n: 1.0 + n % 24 / 10 for n in range(24 * 730)}
    for first in range(0, len(energy), 4000):
        part = {n: energy[n] for n in range(first, min(first + 4000, len(energy)))}
        await write(priced, part, derived=(cost(0.3),))
    engine = get_instance(hass).engine
    assert engine is not None
    broken: list[Any] = []
    commits = 0
    checking = threading.local()

    def check(connection: Any) -> None:
        nonlocal commits
        if getattr(checking, "busy", False):
            return
        checking.busy = True
        rows = connection.exec_driver_sql(
            "SELECT start_ts, state, sum FROM statistics WHERE metadata_id ="
            f" (SELECT id FROM statistics_meta WHERE statistic_id = '{COST}')"
            " ORDER BY start_ts"
        ).all()
        commits += 1
        broken.extend(
            (before, after)
            for before, after in pairwise(rows)
            if abs(before.sum + after.state - after.sum) > 1e-6
        )
        if len(rows) != len(energy):
            broken.append(len(rows))
        checking.busy = False

    event.listen(engine, "commit", check)
    try:
        end = T0 + len(energy) * HOUR
        assert await priced.async_derive(cost(0.25), [(T0, end)]) == len(energy)
    finally:
        event.remove(engine, "commit", check)
    assert not broken
    assert commits >= len(energy) / 5000
    expected = {n: amount * 0.25 for n, amount in energy.items()}
    assert await stored(hass, COST) == chain(expected)
