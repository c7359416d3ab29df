"""From when on there is something to read, where the cloud gives no months.

Five years of nothing would cost a young site hundreds of questions on a cloud that gives
a few days at once. The years tell, or else the day of creation does; but that day is not
believed alone: a site may be taken over long after its meters began. Nor is what months
or years do not reach back to: hours may.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from ..api import ClimkitAuthenticationError, ClimkitError, Priority, Resolution
from ..const import LOGGER
from ..metering.calendar import start_of_day, start_of_period
from ..metering.flows import Flow, Medium
from ..metering.site import SiteInfo
from ..metering.spans import Span
from ..reading.answers import Answer, Question
from ..reading.reader import SeriesReader

_DAY: Final = timedelta(days=1)

PROBES: Final = tuple(days * _DAY for days in (2, 31, 183, 365, 730, 1461))
"""So long before its creation it is looked whether a site had readings."""


async def async_first_hour(
    reader: SeriesReader,
    info: SiteInfo,
    medium: Medium,
    flows: tuple[Flow, ...],
    span: Span,
) -> datetime:
    """Return from when on within a span there is something to read by the hour."""
    start = span[0]
    if reader.depth(medium, Resolution.MONTH) is None:
        year = await _async_first_year(reader, info, medium, flows, span)
        if year and reader.depth(medium, Resolution.YEAR) is None:
            start = max(year, start)
    for likely in sorted(_likely_beginnings(reader, info, medium)):
        if start < likely < span[1] and not await _async_had_readings(
            reader, info, medium, flows, (start, likely)
        ):
            start = likely
    return start


def _likely_beginnings(
    reader: SeriesReader, info: SiteInfo, medium: Medium
) -> Iterator[datetime]:
    """Yield times before which there is probably nothing."""
    if info.site.created:
        yield start_of_day(info.site.created, info.zone)
    for resolution in (Resolution.MONTH, Resolution.YEAR):
        if depth := reader.depth(medium, resolution):
            # Of the period before, the last days may be given by the hour.
            yield start_of_period(resolution, depth - _DAY, info.zone)


async def _async_first_year(
    reader: SeriesReader,
    info: SiteInfo,
    medium: Medium,
    flows: tuple[Flow, ...],
    span: Span,
) -> datetime | None:
    """Return the start of the first year within a span with readings, by yearly rows.

    None where the cloud does not tell.
    """
    start = start_of_period(Resolution.YEAR, span[0], info.zone)
    question = Question(
        medium, flows, Resolution.YEAR, start, span[1], Priority.BACKGROUND, info.zone
    )
    answer = await _async_read(reader, question)
    if answer is None:
        return None
    years = [at for flow in flows for at, sum_ in answer.of(flow).items() if sum_]
    # Labelled by the midnight of another zone, a year seems to begin later.
    return start_of_period(Resolution.YEAR, min(years), info.zone) if years else None


async def _async_had_readings(
    reader: SeriesReader,
    info: SiteInfo,
    medium: Medium,
    flows: tuple[Flow, ...],
    span: Span,
) -> bool:
    """Return whether there are readings within a span, by some days out of it."""
    for before in PROBES:
        day = start_of_day(span[1] - before, info.zone)
        if day < span[0]:
            return False
        question = Question(
            medium,
            flows,
            Resolution.HOUR,
            day,
            day + _DAY,
            Priority.BACKGROUND,
            info.zone,
        )
        answer = await _async_read(reader, question)
        if answer and answer.newest:
            return True
    return False


async def _async_read(reader: SeriesReader, question: Question) -> Answer | None:
    """Return an answer, or None where the cloud has none to such a question."""
    try:
        return await reader.async_read(question)
    except ClimkitAuthenticationError:
        raise
    except ClimkitError as err:
        LOGGER.debug("No %s of %s: %s", question.resolution, question.medium, err)
        return None
