"""Lets freezegun's dates calculate like real ones where the result is the same.

It has each sum of a date made twice, the second time in Python, only for its type. A real
date's sum already is of the type of the date. What differs stays as it is: what depends on
the time zone of the machine, which freezegun chooses, and the time that it is.
"""

from datetime import datetime, tzinfo
from typing import Any

from freezegun import api
from pytest_homeassistant_custom_component import patch_time


def quicken() -> None:
    """Replace what freezegun wraps, for the rest of the process."""
    fake, real = api.FakeDatetime, api.real_datetime
    in_zone, stamp = fake.astimezone, fake.timestamp
    from_stamp = fake.fromtimestamp.__func__

    def astimezone(self: datetime, tz: tzinfo | None = None) -> datetime:
        return in_zone(self, tz) if tz is None else real.astimezone(self, tz)

    def timestamp(self: datetime) -> float:
        return stamp(self) if self.tzinfo is None else real.timestamp(self)

    def fromtimestamp(
        cls: type[datetime], t: float, tz: tzinfo | None = None
    ) -> datetime:
        if tz is None:
            return from_stamp(cls, t, tz)
        return super(fake, cls).fromtimestamp(t, tz)

    quick: dict[str, Any] = {
        "__add__": real.__add__,
        "__sub__": real.__sub__,
        "astimezone": astimezone,
        "timestamp": timestamp,
        "fromtimestamp": classmethod(fromtimestamp),
    }
    for name, method in quick.items():
        setattr(fake, name, method)

    frozen, copy = patch_time.HAFakeDatetime, patch_time.ha_datetime_to_fakedatetime

    def as_frozen(value: datetime) -> datetime:
        return value if type(value) is frozen else copy(value)

    # The plugin has freezegun use this one, before each test.
    patch_time.ha_datetime_to_fakedatetime = as_frozen
