"""What a period cost, for scripts: beside its readings, and as a bill.

From what is stored, so that it agrees with the statistics; what is not stored yet is
priced from the readings themselves.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Final

from ..api import ClimkitAuthenticationError, ClimkitError, Resolution
from ..const import LOGGER
from ..metering.calendar import first_from, start_of_period
from ..metering.costs import costs_of_quarters, costs_of_series
from ..metering.flows import Flow
from ..metering.spans import Span, merged
from ..metering.statement import Statement, statement
from ..reading.answers import Question
from ..reading.reader import SeriesReader
from ..statistics.updates import RecorderError
from .priced_site import PricedSeries, by_medium, flows_of, uneven_spans
from .pricing import SitePricing

EXACT: Final = timedelta(days=400)
"""The longest time of which quarter hours are fetched for a bill: some 14 requests."""

type Amounts = Mapping[datetime, float]


async def async_costs_of_readings(
    pricing: SitePricing,
    owner_id: str,
    readings: Mapping[Flow, Amounts],
    resolution: Resolution,
    span: Span,
) -> dict[str, dict[datetime, float]]:
    """Return the costs of an owner's readings, in CHF, by kind and start of interval.

    Quarter hours and hours that are not stored yet are priced from the readings; all
    else is the sum of stored hours, and missing while the recorder can't be read.
    """
    some = [priced for priced in _of(pricing, owner_id) if priced.flows]
    energies = _by_kind(readings)
    costs = {
        priced.kind: _priced(pricing, priced, energies, resolution) for priced in some
    }
    if some and resolution is not Resolution.QUARTER_HOUR:
        stored = await _async_stored(pricing, some, resolution, span)
        for kind, sums in stored.items():
            costs[kind] = dict(sorted((costs[kind] | sums).items()))
    return costs


def _priced(
    pricing: SitePricing,
    priced: PricedSeries,
    energies: Mapping[str, Amounts],
    resolution: Resolution,
) -> dict[datetime, float]:
    """Return what readings cost by themselves: nothing of days and longer."""
    tariffs, meter_id = pricing.tariffs, priced.meter_id
    match resolution:
        case Resolution.QUARTER_HOUR:
            return costs_of_quarters(priced.series, energies, tariffs, meter_id)
        case Resolution.HOUR:
            return costs_of_series(priced.series, energies, {}, tariffs, meter_id)
        case _:
            return {}


async def _async_stored(
    pricing: SitePricing,
    some: Iterable[PricedSeries],
    resolution: Resolution,
    span: Span,
) -> dict[str, dict[datetime, float]]:
    """Return stored costs by kind and start of interval; nothing if they can't be read.

    Of the intervals that begin in the span, which are those of the readings.
    """
    start = first_from(resolution, span[0], pricing.zone)
    try:
        stored = await pricing.stored.async_costs(start, span[1], some)
    except RecorderError as err:
        LOGGER.debug("No costs beside readings: %s", err)
        return {}
    start_of = partial(start_of_period, resolution, zone=pricing.zone)
    return {
        priced.kind: _sums(stored.get(priced.statistic_id, {}), start_of)
        for priced in some
    }


def _sums(
    costs: Amounts, start_of: Callable[[datetime], datetime]
) -> dict[datetime, float]:
    """Return the costs of hours, added up by the interval that each is in."""
    sums: defaultdict[datetime, float] = defaultdict(float)
    for hour, cost in costs.items():
        sums[start_of(hour)] += cost
    return sums


async def async_statement(
    pricing: SitePricing, reader: SeriesReader, owner_id: str, span: Span
) -> Statement:
    """Return the bill of the site or a meter, of the hours that begin in a span.

    Quarter hours are fetched where an hour has two prices; where they cannot be had, it
    is divided by time. Raises RecorderError, and ClimkitAuthenticationError.
    """
    some = [priced for priced in _of(pricing, owner_id) if priced.series.bill]
    energies = _by_kind(await pricing.stored.async_energies(flows_of(some), *span))
    questions = list(_questions(pricing, some, energies))
    quarters = await _async_quarters(reader, questions)
    bill = partial(
        statement,
        [priced.series for priced in some],
        energies,
        _by_kind(quarters),
        pricing.tariffs,
        some[0].meter_id if some else owner_id,  # who has none, owes no fees
        start=span[0],
        end=span[1],
    )
    return await asyncio.to_thread(bill)  # of years it takes a while


def _of(pricing: SitePricing, owner_id: str) -> list[PricedSeries]:
    return [priced for priced in pricing.series() if priced.owner_id == owner_id]


def _by_kind(amounts: Mapping[Flow, Amounts]) -> dict[str, Amounts]:
    """Return amounts of one owner's flows by their kinds."""
    return {flow.kind.value: some for flow, some in amounts.items()}


def _questions(
    pricing: SitePricing, some: Iterable[PricedSeries], energies: Mapping[str, Amounts]
) -> Iterator[Question]:
    """Yield questions for the quarters of all hours with two prices."""
    for medium, group in by_medium(some).items():
        spans = [uneven_spans(each, pricing.tariffs, energies, {}) for each in group]
        flows, quarters = flows_of(group), Resolution.QUARTER_HOUR
        for start, end in merged(chain.from_iterable(spans)):
            yield Question(medium, flows, quarters, start, end, zone=pricing.zone)


async def _async_quarters(
    reader: SeriesReader, questions: Sequence[Question]
) -> dict[Flow, dict[datetime, float]]:
    """Return the quarter hours that are asked for, unless they are too many."""
    quarters: defaultdict[Flow, dict[datetime, float]] = defaultdict(dict)
    if _length(questions) <= EXACT:
        for question in questions:
            for flow, amounts in (await _async_answer(reader, question)).items():
                quarters[flow] |= amounts
    return quarters


def _length(questions: Iterable[Question]) -> timedelta:
    """Return how long a time is asked about."""
    return sum((one.end - one.start for one in questions if one.end), timedelta())


async def _async_answer(
    reader: SeriesReader, question: Question
) -> dict[Flow, dict[datetime, float]]:
    """Return the quarter hours of a span, as far as they can be had."""
    try:
        answer = await reader.async_read(question)
    except ClimkitAuthenticationError:
        raise
    except ClimkitError as err:
        LOGGER.debug("No quarter hours for a statement: %s", err)
        return {}
    return {flow: answer.of(flow) for flow in question.flows}
