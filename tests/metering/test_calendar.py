"""Local days and months, as tables from paper."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.api import Resolution
from custom_components.climkit.metering.calendar import (
    first_from,
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


@pytest.mark.parametrize(
    ("resolution", "time", "first"),
    [
        (Resolution.QUARTER_HOUR, "2026-06-16 10:15", "2026-06-16 10:15"),
        (Resolution.QUARTER_HOUR, "2026-06-16 10:16", "2026-06-16 10:30"),
        (Resolution.HOUR, "2026-06-16 12:00", "2026-06-16 12:00"),
        (Resolution.HOUR, "2026-06-16 10:20", "2026-06-16 11:00"),
        (Resolution.DAY, "2026-03-29 00:00", "2026-03-29 00:00"),
        (Resolution.DAY, "2026-03-29 00:01", "2026-03-30 00:00"),
        (Resolution.DAY, "2026-10-25 23:59", "2026-10-26 00:00"),
        (Resolution.MONTH, "2026-01-01 00:01", "2026-02-01 00:00"),
        (Resolution.MONTH, "2026-02-28 12:00", "2026-03-01 00:00"),
        (Resolution.YEAR, "2026-01-01 00:00", "2026-01-01 00:00"),
        (Resolution.YEAR, "2024-01-01 00:01", "2025-01-01 00:00"),
    ],
)
def test_first_from(resolution: Resolution, time: str, first: str) -> None:
    """Times of the site; what begins at the time itself is the first."""
    at, expected = (
        datetime.fromisoformat(text).replace(tzinfo=ZURICH).astimezone(UTC)
        for text in (time, first)
    )
    assert first_from(resolution, at, ZURICH) == expected
