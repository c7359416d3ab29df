"""What was priced by the mean of an hour is remembered until its quarters are known."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.climkit.history.coarse_hours import CoarseHours

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOON = datetime(2026, 6, 16, 12, tzinfo=UTC)
ID = "climkit:site_grid_import_cost"
MORNING = NOON - 4 * HOUR, NOON - 2 * HOUR
NOW = NOON + DAY


def test_kept_over_a_restart_with_what_is_under_way() -> None:
    coarse = CoarseHours()
    coarse.add(ID, MORNING)
    coarse.begin(ID, (MORNING[0], MORNING[0] + HOUR))
    assert coarse.due(ID, NOW, NOON) == [(MORNING[0] + HOUR, MORNING[1])]
    again = CoarseHours()
    again.recall(coarse.as_dict())
    assert again.due(ID, NOW, NOON) == [MORNING]


@pytest.mark.parametrize("done", [True, False])
def test_what_was_not_priced_is_due_again(*, done: bool) -> None:
    coarse = CoarseHours()
    coarse.add(ID, MORNING)
    coarse.begin(ID, MORNING)
    coarse.end(ID, MORNING, done=done)
    assert coarse.due(ID, NOW, NOON) == ([] if done else [MORNING])


def test_what_the_cloud_does_not_give_waits_a_day() -> None:
    coarse = CoarseHours()
    coarse.add(ID, MORNING)
    coarse.put_off(ID, MORNING, NOW)
    assert coarse.due(ID, NOW + 22 * HOUR, NOON) == []
    assert coarse.due(ID, NOW + DAY, NOON) == [MORNING]


def test_up_to_a_moment() -> None:
    coarse = CoarseHours()
    coarse.add(ID, MORNING)
    assert coarse.due(ID, NOW, MORNING[0] + HOUR) == [(MORNING[0], MORNING[0] + HOUR)]
    assert coarse.due(ID, NOW, MORNING[0]) == []


@pytest.mark.parametrize("damaged", [{ID: [["soon", "later"]]}, {ID: [[None, None]]}])
def test_what_is_damaged(damaged: dict[str, list[list[str]]]) -> None:
    with pytest.raises((TypeError, ValueError)):
        CoarseHours().recall(damaged)
