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
    """Replace what freezegun wraps, as long as it does, for the rest of the process."""
    fake: Any = api.FakeDatetime
    real = api.real_datetime
    in_zone, stamp = fake.astimezone, fake.timestamp
    wrapped = dict(vars(fake))

    def astimezone(self: datetime, tz: tzinfo | None = None) -> Any:
        return in_zone(self, tz) if tz is None else real.astimezone(self, tz)

    def timestamp(self: datetime) -> Any:
        return stamp(self) if self.tzinfo is None else real.timestamp(self)

    def fromtimestamp(cls: type[datetime], t: float, tz: tzinfo | None = None) -> Any:
        if tz is None:
            return wrapped["fromtimestamp"].__get__(None, cls)(t)
        return super(fake, cls).fromtimestamp(t, tz)

    quick: dict[str, Any] = {
        "__add__": real.__add__,
        "__sub__": real.__sub__,
        "astimezone": astimezone,
        "timestamp": timestamp,
        "fromtimestamp": classmethod(fromtimestamp),
    }
    for name in quick.keys() & wrapped.keys():
        setattr(fake, name, quick[name])

    frozen, copy = patch_time.HAFakeDatetime, patch_time.ha_datetime_to_fakedatetime

    def as_frozen(value: datetime) -> datetime:
        return value if type(value) is frozen else copy(value)

    # The plugin has freezegun use this one, before each test.
    patch_time.ha_datetime_to_fakedatetime = as_frozen  # type: ignore[assignment]
