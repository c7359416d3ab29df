"""What is kept of the newest quarter hours, poll by poll."""

from collections.abc import Mapping
from datetime import UTC, datetime

from custom_components.climkit.api import Column
from custom_components.climkit.metering.flows import Flow, FlowKind
from custom_components.climkit.metering.hours import QUARTER
from custom_components.climkit.metering.present import merged_quarters
from custom_components.climkit.metering.quarters import SharedStarts

START = datetime(2026, 3, 1, tzinfo=UTC)
FIRST, SECOND, THIRD = (START + number * QUARTER for number in range(3))
TOTAL = Flow("s", FlowKind.CONSUMPTION, "electricity", Column(None, "conso_total"))
IMPORT = Flow("s", FlowKind.GRID_IMPORT, "electricity", Column(None, "from_ext"))


type Quarters = Mapping[Flow, Mapping[datetime, float]]


def merged(known: Quarters, came: Quarters, since: datetime) -> Quarters:
    """Return what is known when the third quarter hour is over."""
    return merged_quarters(known, came, since, THIRD + QUARTER, SharedStarts())


def test_newer_values_replace_older_ones() -> None:
    """Nothing else does; and what is too old leaves, and what is not over yet."""
    known = {TOTAL: {FIRST: 1.0, SECOND: 2.0}, IMPORT: {SECOND: 3.0}}
    came = {TOTAL: {SECOND: 2.5, THIRD: 4.0, THIRD + QUARTER: 0.0}, IMPORT: {}}
    assert merged(known, came, SECOND) == {
        TOTAL: {SECOND: 2.5, THIRD: 4.0},
        IMPORT: {SECOND: 3.0},
    }


def test_what_stays_is_not_there_twice() -> None:
    """A poll without news leaves hundreds of flows as they are, and their memory."""
    known = {TOTAL: {FIRST: 1.0, SECOND: 2.0}}
    again = merged(known, {TOTAL: {FIRST: 1.0, SECOND: 2.0}}, FIRST)
    assert again[TOTAL] is known[TOTAL]
    assert merged(known, {TOTAL: {}}, SECOND)[TOTAL] is not known[TOTAL]
