"""How the history asks: behind all that somebody waits for, and it can do without.

What the cloud has no answer to now, the hours will tell, or another night. What comes is
worked on in portions, and others have a turn between them.
"""

from collections.abc import Awaitable, Iterable, Iterator
from itertools import batched
from typing import Final

from ..api import ClimkitAuthenticationError, ClimkitError, Priority, Resolution
from ..const import LOGGER
from ..metering.flows import Flow, Medium
from ..metering.hours import HOUR
from ..metering.site import SiteInfo
from ..metering.spans import Span
from ..reading.answers import Answer, Question

VALUES_AT_ONCE: Final = 20_000
"""So many hours are worked on in one go: more would hold up the event loop."""


def in_background(
    info: SiteInfo,
    medium: Medium,
    flows: Iterable[Flow],
    resolution: Resolution,
    span: Span,
) -> Question:
    """Return a question about a site that lets all live ones go first."""
    return Question(
        medium, tuple(flows), resolution, *span, Priority.BACKGROUND, info.zone
    )


async def async_if_given[Told](
    question: Question, reading: Awaitable[Told]
) -> Told | None:
    """Return what is read to a question, or None where the cloud has no answer to it.

    Raises ClimkitAuthenticationError: nothing else would be answered either.
    """
    try:
        return await reading
    except ClimkitAuthenticationError:
        raise
    except ClimkitError as err:
        LOGGER.debug("No %s of %s: %s", question.resolution, question.medium, err)
        return None


def portions(answer: Answer, flows: Iterable[Flow]) -> Iterator[tuple[Flow, ...]]:
    """Yield the flows of an answer of hours so that few enough are worked on in one go."""
    hours = int((answer.end - answer.start) / HOUR)
    return batched(flows, max(VALUES_AT_ONCE // max(hours, 1), 1), strict=False)
