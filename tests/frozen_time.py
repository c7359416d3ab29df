"""Frozen time that is cheap: what freezegun does in Python, as far as C does the same.

Every datetime that comes of another one was made twice, by Python code: a tenth of the
processor time of a life with months of hours. Only what depends on the time that is frozen
stays freezegun's own.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from freezegun import api
from pytest_homeassistant_custom_component import patch_time

_Fake: Final[Any] = api.FakeDatetime
_HAFake: Final[Any] = patch_time.HAFakeDatetime
_Real: Final[type[datetime]] = api.real_datetime
_EPOCH: Final[datetime] = _HAFake(1970, 1, 1, tzinfo=UTC)
_real_timestamp: Final = _Real.timestamp
_slow_from: Final = _Fake.__dict__["fromtimestamp"]
_slow_timestamp: Final = _Fake.timestamp
_slow_copy: Final = patch_time.ha_datetime_to_fakedatetime


def _as_fake(value: Any) -> Any:
    """Return the same time as one of freezegun's, which most are already."""
    return value if type(value) is _HAFake else _slow_copy(value)


def _from(cls: type[datetime], t: float, tz: tzinfo | None = None) -> Any:
    """Return the time of a timestamp, which nearly always is one in UTC."""
    if tz is UTC:
        return _EPOCH + timedelta(seconds=t)
    return _slow_from.__get__(None, cls)(t, tz)


def _timestamp(self: datetime) -> Any:
    """Return the timestamp; local times are those of the frozen clock."""
    return _slow_timestamp(self) if self.tzinfo is None else _real_timestamp(self)


def make_cheap() -> None:
    """Have freezegun's datetimes do in C whatever comes to the same, for good."""
    # What C adds or subtracts is of the class of what it is added to.
    _Fake.__add__, _Fake.__sub__ = _Real.__add__, _Real.__sub__
    _Fake.fromtimestamp, _Fake.timestamp = classmethod(_from), _timestamp
    # Home Assistant's plugin has freezegun use this one, before each test.
    plugin: Any = patch_time
    plugin.ha_datetime_to_fakedatetime = _as_fake
