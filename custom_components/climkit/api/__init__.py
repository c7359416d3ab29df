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
from .queue import Priority, RequestQueue
from .shape_report import Observations

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
