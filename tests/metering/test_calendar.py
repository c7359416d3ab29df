"""Local days and months, as tables from paper."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.metering.calendar import (
    local_days,
    local_months,
    start_of_day,
)

ZURICH = ZoneInfo("Europe/Zurich")


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(datetime(2026, 3, 29, 12, tzinfo=ZURICH), 23, id="spring"),
        pytest.param(datetime(2026, 10, 25, 12, tzinfo=ZURICH), 25, id="autumn"),
        pytest.param(datetime(2026, 6, 16, 12, tzinfo=ZURICH), 24, id="ordinary"),
    ],
)
def test_local_days(day: datetime, hours: int) -> None:
    """A local day has 23, 24 or 25 hours."""
    start = start_of_day(day, ZURICH)
    days = local_days(start, start + timedelta(hours=hours), ZURICH)
    assert days == [start, start + timedelta(hours=hours)]
    assert len(local_days(start, start + timedelta(hours=hours + 1), ZURICH)) == 3


def test_local_months() -> None:
    """Months begin at local midnight: 23:00 UTC in winter, 22:00 in summer."""
    months = local_months(
        datetime(2026, 2, 17, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), ZURICH
    )
    assert months == [
        datetime(2026, 1, 31, 23, tzinfo=UTC),
        datetime(2026, 2, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 31, 22, tzinfo=UTC),
        datetime(2026, 4, 30, 22, tzinfo=UTC),
    ]


def test_local_months_over_a_year_are_the_calendars() -> None:
    """Each month of a leap year has its days, whatever the offset."""
    months = local_months(
        datetime(2024, 1, 15, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC), ZURICH
    )
    local = [month.astimezone(ZURICH) for month in months]
    assert [(m.year, m.month, m.day, m.hour) for m in local] == [
        *((2024, month, 1, 0) for month in range(1, 13)),
        (2025, 1, 1, 0),
    ]
