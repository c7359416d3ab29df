"""What a period cost, for scripts: beside its readings, and as a bill.

From what is stored, so that it agrees with the statistics; what is not stored yet is
priced from the readings themselves.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from ..api import ClimkitAuthenticationError, ClimkitError, Resolution
from ..const import LOGGER
from ..metering.calendar import start_of_period
from ..metering.costs import costs_of_quarters, costs_of_series
from ..metering.flows import Flow, Medium
from ..metering.spans import Span, merged
from ..metering.statement import Statement, statement
from ..reading.answers import Question
from ..reading.reader import SeriesReader
from ..statistics.updates import RecorderError
from .priced_site import PricedSeries, uneven_spans
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
    costs = {
        priced.kind: _priced(pricing, priced, readings, resolution) for priced in some
    }
    if resolution is Resolution.QUARTER_HOUR or not some:
        return costs
    try:
        stored = await pricing.stored.async_costs(*span, some)
    except RecorderError as err:
        LOGGER.debug("No costs beside readings: %s", err)
        return costs
    for priced in some:
        sums: dict[datetime, float] = {}
        for hour, cost in stored.get(priced.statistic_id, {}).items():
            start = start_of_period(resolution, hour, pricing.zone)
            sums[start] = sums.get(start, 0.0) + cost
        costs[priced.kind] = dict(sorted((costs[priced.kind] | sums).items()))
    return costs


def _priced(
    pricing: SitePricing,
    priced: PricedSeries,
    readings: Mapping[Flow, Amounts],
    resolution: Resolution,
) -> dict[datetime, float]:
    """Return what readings cost by themselves: nothing of days and longer."""
    energies = {flow.kind.value: readings.get(flow, {}) for flow in priced.flows}
    tariffs, meter_id = pricing.tariffs, priced.meter_id
    match resolution:
        case Resolution.QUARTER_HOUR:
            return costs_of_quarters(priced.series, energies, tariffs, meter_id)
        case Resolution.HOUR:
            return costs_of_series(priced.series, energies, {}, tariffs, meter_id)
        case _:
            return {}


async def async_statement(
    pricing: SitePricing, reader: SeriesReader, owner_id: str, span: Span
) -> Statement:
    """Return the bill of the site or a meter, of the hours that begin in a span.

    Quarter hours are fetched where an hour has two prices; where they cannot be had, it
    is divided by time. Raises RecorderError, and ClimkitAuthenticationError.
    """
    some = _of(pricing, owner_id)
    flows = list(dict.fromkeys(flow for priced in some for flow in priced.flows))
    stored = await pricing.stored.async_energies(flows, *span)
    energies = {flow.kind.value: amounts for flow, amounts in stored.items()}
    quarters: dict[str, dict[datetime, float]] = {}
    for question in _questions(pricing, some, energies):
        for flow, amounts in (await _async_quarters(reader, question)).items():
            quarters.setdefault(flow.kind.value, {}).update(amounts)
    bill = partial(
        statement,
        [priced.series for priced in some],
        energies,
        quarters,
        pricing.tariffs,
        some[0].meter_id if some else None,
        start=span[0],
        end=span[1],
    )
    return await asyncio.to_thread(bill)  # of years it takes a while


def _of(pricing: SitePricing, owner_id: str) -> list[PricedSeries]:
    return [priced for priced in pricing.series() if priced.owner_id == owner_id]


def _questions(
    pricing: SitePricing, some: Iterable[PricedSeries], energies: Mapping[str, Amounts]
) -> list[Question]:
    """Return questions for the quarters of all hours with two prices, unless too many."""
    spans: dict[Medium, list[Span]] = {}
    flows: dict[Medium, dict[Flow, None]] = {}
    for priced in some:
        if priced.flows and priced.series.bill:
            medium = priced.flows[0].medium
            uneven = uneven_spans(priced, pricing.tariffs, energies, {})
            spans.setdefault(medium, []).extend(uneven)
            flows.setdefault(medium, {}).update(dict.fromkeys(priced.flows))
    quarters = Resolution.QUARTER_HOUR
    questions = [
        Question(medium, tuple(flows[medium]), quarters, *span, zone=pricing.zone)
        for medium in spans
        for span in merged(spans[medium])
    ]
    length = sum((one.end - one.start for one in questions if one.end), timedelta())
    return questions if length <= EXACT else []


async def _async_quarters(
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
