"""Polls of a large site are written in parts: which flows come when."""

from datetime import UTC, datetime

from custom_components.climkit.api import Column, MeterType
from custom_components.climkit.metering.flows import Flow, FlowKind
from custom_components.climkit.metering.hours import HOUR, QUARTER, HourlyAmounts
from custom_components.climkit.statistics.live_writes import AT_ONCE, LiveWrites

NOW = datetime(2026, 6, 16, 10, tzinfo=UTC)
KINDS = (
    FlowKind.CONSUMPTION,
    FlowKind.SOLAR_CONSUMPTION,
    FlowKind.GRID_CONSUMPTION,
)
METERS = 50
FLOWS = [
    Flow(f"meter{n}", kind, MeterType.ELECTRICITY, Column(f"meter{n}", kind))
    for n in range(METERS)
    for kind in KINDS
]


def taken(writes: LiveWrites, asked: datetime) -> None:
    """Let a poll of all flows come."""
    writes.take({flow: {asked - HOUR: 0.25} for flow in FLOWS}, asked, {})


def written(writes: LiveWrites) -> list[Flow]:
    """Write what is due, and return it."""
    due = writes.due(NOW, lambda flow, _: flow.owner_id != "meter3")
    for flow, poll in due.items():
        writes.written(flow, poll, HourlyAmounts({}, {}))
    return [*due]


def test_in_parts() -> None:
    """All of an owner at a time, everybody once; not those whose history is not in."""
    writes = LiveWrites()
    taken(writes, NOW)
    ready = [flow for flow in FLOWS if flow.owner_id != "meter3"]
    whole = len(KINDS) * -(-AT_ONCE // len(KINDS))
    assert whole > AT_ONCE
    assert written(writes) == ready[:whole]
    assert written(writes) == ready[whole:]
    assert written(writes) == []


def test_nobody_is_left_behind() -> None:
    """Who waits for the last poll comes before who has been written since."""
    writes = LiveWrites()
    taken(writes, NOW)
    first = written(writes)
    taken(writes, NOW + QUARTER)
    second = written(writes)
    late = [flow for flow in FLOWS if flow not in first and flow.owner_id != "meter3"]
    assert second[: len(late)] == late
