"""What could not be had: remembered once, looked for at night, then once a week."""

from datetime import UTC, datetime, timedelta

from custom_components.climkit.api import Column
from custom_components.climkit.history.left_out import A_NIGHT, AT_MOST, LeftOut
from custom_components.climkit.metering.flows import Flow, FlowKind

ZERO = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MEDIUM = "electricity"


def flow(owner: str) -> Flow:
    """Return a flow of some owner."""
    return Flow(owner, FlowKind.CONSUMPTION, MEDIUM, Column(owner, "total"))


A, B = flow("a"), flow("b")


def days(first: float, last: float) -> tuple[datetime, datetime]:
    """Return a span of days of March."""
    return ZERO + first * DAY, ZERO + last * DAY


def test_a_hole_is_new_once() -> None:
    left_out = LeftOut()
    assert left_out.add(MEDIUM, days(0, 5), [A])
    assert not left_out.add(MEDIUM, days(2, 3), [A])
    assert left_out.add(MEDIUM, days(2, 3), [A, B])
    assert left_out.touches(days(4, 9), A)
    assert not left_out.touches(days(5, 9), A)
    assert not left_out.touches(days(4, 9), B)


def test_what_came_leaves_the_rest() -> None:
    left_out = LeftOut()
    left_out.add(MEDIUM, days(0, 6), [A, B])
    left_out.settle(days(2, 4), [A])
    assert {(hole.span, *hole.flows) for hole in left_out.holes} == {
        (days(0, 6), B),
        (days(0, 2), A),
        (days(4, 6), A),
    }
    left_out.settle(days(0, 6), [A, B])
    assert not left_out.holes


def test_three_nights_then_once_a_week() -> None:
    left_out = LeftOut()
    left_out.add(MEDIUM, days(0, 1), [A])
    nights = [n for n in range(30) if left_out.due(MEDIUM, ZERO + n * DAY)]
    assert nights == [0, 1, 2, 9, 16, 23]
    assert not left_out.due("heating", ZERO + 60 * DAY)


def test_a_hole_that_is_found_again_waits_as_before() -> None:
    left_out = LeftOut()
    left_out.add(MEDIUM, days(0, 2), [A])
    nights = []
    for night in range(12):
        for hole in left_out.due(MEDIUM, ZERO + night * DAY):
            nights.append(night)
            left_out.add(MEDIUM, hole.span, hole.flows)
    assert nights == [0, 1, 2, 9]


def test_it_has_an_end() -> None:
    left_out = LeftOut()
    for n in range(2 * AT_MOST):
        left_out.add(MEDIUM, days(2 * n, 2 * n + 1), [A])
    assert len(left_out.holes) == AT_MOST
    assert len(left_out.due(MEDIUM, ZERO)) == A_NIGHT
