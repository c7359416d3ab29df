"""Quarter hours added up to hours, as tables from paper."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.metering.hours import (
    HOUR,
    QUARTER,
    hour_of,
    hours_of_quarters,
)

ZURICH = ZoneInfo("Europe/Zurich")
T0 = datetime(2026, 6, 16, 10, tzinfo=UTC)


def quarters(start: datetime, *amounts: float | None) -> dict[datetime, float]:
    """Return quarter hours one after the other, without those that are None."""
    return {
        start + i * QUARTER: amount
        for i, amount in enumerate(amounts)
        if amount is not None
    }


def test_an_hour_begins_with_its_first_quarter() -> None:
    """A quarter belongs to the hour that it starts in, in whatever zone it is told."""
    assert hour_of(T0 + timedelta(minutes=59)) == T0
    assert hour_of(datetime(2026, 6, 16, 12, 45, tzinfo=ZURICH)) == T0


@pytest.mark.parametrize(
    ("amounts", "now", "complete", "partial"),
    [
        pytest.param((1, 2, 3, 4), HOUR, {0: 10}, {}, id="over and complete"),
        pytest.param((1, 2, 3, 4), HOUR - QUARTER, {}, {}, id="not over"),
        pytest.param((1, 2, 3), 20 * HOUR, {}, {}, id="nothing later is complete"),
        pytest.param(
            (1, None, 3, 4, 1, 1, 1, 1), 6 * HOUR, {1: 4}, {}, id="quarters may come"
        ),
        pytest.param(
            (1, None, 3, 4, 1, 1, 1, 1), 7 * HOUR, {1: 4}, {0: 8}, id="given up for"
        ),
        pytest.param((0, 0, 0, 0), HOUR, {0: 0}, {}, id="zero is an amount"),
        pytest.param((-1, 0.5, 0, 0), 9 * HOUR, {0: -0.5}, {}, id="sign kept"),
        pytest.param((None,) * 4, 9 * HOUR, {}, {}, id="nothing"),
    ],
)
def test_hours_that_can_be_written(
    amounts: tuple[float | None, ...],
    now: timedelta,
    complete: dict[int, float],
    partial: dict[int, float],
) -> None:
    """Only hours that are over and complete, or incomplete for good, are written."""
    hours = hours_of_quarters(quarters(T0, *amounts), T0 + now)
    assert hours.complete == {T0 + n * HOUR: v for n, v in complete.items()}
    assert hours.partial == {T0 + n * HOUR: v for n, v in partial.items()}
