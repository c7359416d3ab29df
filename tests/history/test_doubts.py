"""What is looked at again after an import, how often, and what ends it."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.climkit.api import (
    ClimkitError,
    ClimkitResponseError,
    Column,
    MeterType,
    Resolution,
    Series,
)
from custom_components.climkit.history.doubts import LOOKS, Doubts
from custom_components.climkit.metering.flows import Flow, FlowKind
from custom_components.climkit.reading.answers import Answer

MEDIUM = MeterType.ELECTRICITY
START = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FLOW = Flow("s1", FlowKind.CONSUMPTION, MEDIUM, Column(None, "conso_total"))
SILENCE = ClimkitResponseError("site_data", "empty")
REFUSAL = ClimkitResponseError("site_data", "no", 500)


def answer(*values: float | None, error: ClimkitError | None = None) -> Answer:
    """Return an answer of some hours."""
    starts = tuple(START + n * HOUR for n in range(len(values)))
    series = Series(Resolution.HOUR, starts, {FLOW.column: values})
    unknown = {FLOW: error} if error else {}
    return Answer(START, START + len(values) * HOUR, START, [series], unknown)


@pytest.mark.parametrize(
    ("values", "gaps"),
    [
        ((1.0, None, 2.0), True),
        ((1.0, 0.0, 2.0), False),
        ((None, 1.0), False),  # a meter that began later
        ((1.0, None), False),  # not published yet, or a meter that is gone
        ((None, None), False),
        ((), False),
    ],
)
def test_rows_without_a_value_among_others(
    values: tuple[float | None, ...], *, gaps: bool
) -> None:
    doubts = Doubts()
    doubts.begin(MEDIUM)
    doubts.hear(MEDIUM, answer(*values), [FLOW])
    assert doubts.has_gaps(MEDIUM) is gaps


@pytest.mark.parametrize(
    ("error", "rest", "month_gaps", "holes", "open_"),
    [
        (None, 0.0, False, False, False),
        (None, 5.0, False, False, True),  # the month has more than is stored
        (None, -5.0, False, False, False),
        (None, 0.0, True, False, True),
        (SILENCE, 0.0, False, True, True),
        (SILENCE, 0.0, False, False, False),  # it came after all
        (REFUSAL, 0.0, False, True, False),  # the night looks for it
    ],
)
def test_what_is_in_doubt(
    error: ClimkitError | None,
    rest: float,
    *,
    month_gaps: bool,
    holes: bool,
    open_: bool,
) -> None:
    doubts = Doubts()
    doubts.begin(MEDIUM)
    doubts.hear(MEDIUM, answer(1.0, error=error), [FLOW])
    doubts.end(MEDIUM, [{START: rest}], has_gaps=month_gaps, has_holes=holes)
    assert doubts.remain(MEDIUM) is open_


def test_some_looks_and_no_more() -> None:
    """Also of a look that fails, the doubt stays, and is counted."""
    doubts = Doubts()
    assert not doubts.remain(MEDIUM)
    doubts.begin(MEDIUM)
    doubts.end(MEDIUM, [{START: 5.0}], has_gaps=False, has_holes=False)
    looks = 0
    while doubts.remain(MEDIUM):
        doubts.begin(MEDIUM, again=True)
        looks += 1
    assert looks == LOOKS
    doubts.begin(MEDIUM)
    doubts.end(MEDIUM, [{}], has_gaps=False, has_holes=False)
    assert not doubts.remain(MEDIUM)
