"""Frozen dates calculate as real ones do, and remain frozen dates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from freezegun import api, freeze_time
import pytest

# Freezing replaces the class wherever it is found by this name, here too.
REAL: list[type[datetime]] = [api.real_datetime]
ZURICH = ZoneInfo("Europe/Zurich")
SUMS: dict[str, Callable[[datetime], datetime]] = {
    "later": lambda now: now + timedelta(hours=1),
    "later, the other way round": lambda now: timedelta(hours=1) + now,
    "earlier": lambda now: now - timedelta(hours=1),
    "in another zone": lambda now: now.astimezone(ZURICH),
    "the second time in the night": lambda now: (now + timedelta(hours=1)).astimezone(
        ZURICH
    ),
    "from there": lambda now: now.astimezone(ZURICH) + timedelta(days=1),
    "from a number": lambda now: type(now).fromtimestamp(now.timestamp(), UTC),
    "from a number, elsewhere": lambda now: type(now).fromtimestamp(1e9, ZURICH),
    "without a zone": lambda now: now.replace(tzinfo=None) + timedelta(hours=1),
}


@pytest.mark.parametrize("case", SUMS)
def test_sums(case: str) -> None:
    """Each is what a real date gives, down to the hour that comes twice."""
    real = SUMS[case](REAL[0](2026, 10, 25, 0, 30, tzinfo=UTC))
    with freeze_time("2026-10-25T00:30:00+00:00"):
        result = SUMS[case](api.FakeDatetime.now(UTC))
    assert (result, result.fold, result.tzinfo) == (real, real.fold, real.tzinfo)
    assert type(result) is api.FakeDatetime


def test_differences() -> None:
    """Between frozen dates, and between a frozen and a real one."""
    real = REAL[0](2026, 6, 16, 12, tzinfo=ZURICH)
    with freeze_time("2026-06-16T10:05:00+00:00"):
        now = api.FakeDatetime.now(UTC)
        assert now - real == timedelta(minutes=5)
        assert real - now == -timedelta(minutes=5)
        assert (now + timedelta(hours=1)) - now == timedelta(hours=1)
        assert now.__sub__(1) is NotImplemented
        assert now.__add__(1) is NotImplemented


def test_numbers() -> None:
    """Of what has a zone, a real date's; without one, freezegun's zone counts."""
    real = REAL[0](2026, 6, 16, 10, 5, tzinfo=UTC).timestamp()
    with freeze_time("2026-06-16T10:05:00+00:00", tz_offset=2):
        now = api.FakeDatetime.now(UTC)
        here = api.FakeDatetime.now()
        assert here.hour == 12
        assert here.timestamp() == real
        assert api.FakeDatetime.fromtimestamp(real) == here
        assert now.astimezone(ZURICH).timestamp() == now.timestamp()
