"""A client of Climkit's cloud, independent of Home Assistant."""

from .client import ClimkitClient
from .exceptions import (
    ClimkitAccessError,
    ClimkitAuthenticationError,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitRateLimitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
)
from .models import (
    Column,
    Meter,
    MeterMode,
    MeterType,
    RegisterReading,
    Resolution,
    Sensor,
    SensorReading,
    Series,
    Site,
)
from .observations import Observations
from .queue import Priority, RequestQueue

__all__ = [
    "ClimkitAccessError",
    "ClimkitAuthenticationError",
    "ClimkitClient",
    "ClimkitConnectionError",
    "ClimkitError",
    "ClimkitRateLimitError",
    "ClimkitResponseError",
    "ClimkitTimeoutError",
    "Column",
    "Meter",
    "MeterMode",
    "MeterType",
    "Observations",
    "Priority",
    "RegisterReading",
    "RequestQueue",
    "Resolution",
    "Sensor",
    "SensorReading",
    "Series",
    "Site",
]
