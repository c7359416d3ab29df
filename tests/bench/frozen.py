"""Time that stands still outside of pytest: freezegun, made fit for Home Assistant."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
import sqlite3
from typing import Any

import freezegun
from pytest_homeassistant_custom_component import patch_time

from tests.fast_clock import Frozen


@contextmanager
def frozen_time(start: datetime) -> Iterator[Frozen]:
    """Stop the time at `start` (aware)."""
    api: Any = freezegun.api
    api.FakeDate = patch_time.HAFakeDate
    api.FakeDatetime = patch_time.HAFakeDatetime
    api.datetime_to_fakedatetime = patch_time.ha_datetime_to_fakedatetime
    api._get_module_attributes = patch_time.ha_get_module_attributes
    api._get_module_attributes_hash = patch_time.ha_get_module_attributes_hash
    api._should_use_real_time = patch_time.ha_should_use_real_time
    api.get_current_time = patch_time.ha_get_current_time
    sqlite3.register_adapter(patch_time.HAFakeDatetime, _written)
    with freezegun.freeze_time(start.astimezone(UTC)) as frozen:
        yield frozen


def _written(time: datetime) -> str:
    return time.isoformat(" ")
