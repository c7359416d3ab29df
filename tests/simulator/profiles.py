"""What meters measure: energy (kWh) or volume (m³) per quarter hour, by profile.

A profile gets a window, a column of seeds and a column of sizes (per year; kWp for
a plant) and returns a row per meter. Nothing here knows of meters' resolution.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from .climate import YEAR, Window
from .hashing import Floats, Seeds, smooth, uniform
from .local_time import QUARTER

type Profile = Callable[[Window, Seeds, Floats], Floats]

_QUARTERS: Final = YEAR / QUARTER
"""Quarter hours in a year."""


def _table(*bumps: tuple[float, float, float]) -> Floats:
    """Return a daily curve of mean 1: (hour, width in hours, height) on a base of 1."""
    hours = (np.arange(96) + 0.5) / 4.0
    curve = np.ones(96)
    for hour, width, height in bumps:
        away = np.abs(hours - hour)
        curve += height * np.exp(-((np.minimum(away, 24.0 - away) / width) ** 2))
    return np.asarray(curve / curve.mean())


_WEEK: Final = np.stack(
    [
        _table((7.0, 1.0, 3.0), (12.2, 1.0, 3.5), (19.3, 2.0, 7.0), (3.0, 2.5, -0.8)),
        _table((9.5, 1.8, 4.0), (12.5, 1.6, 5.0), (19.0, 2.4, 6.0), (4.0, 3.0, -0.8)),
    ]
)
_LIGHTS: Final = _table((19.5, 3.0, 3.0), (6.8, 1.2, 1.5))
_LAUNDRY: Final = _table((10.5, 2.5, 6.0), (17.0, 2.5, 4.0), (2.0, 4.0, -0.95))
_SHOWERS: Final = _table((7.0, 1.1, 6.0), (20.5, 2.0, 4.0), (2.5, 3.0, -0.95))


def household(window: Window, seeds: Seeds, yearly: Floats) -> Floats:
    """Return a flat's consumption: base load, meals, evenings, weekends, holidays."""
    quarters = window.quarters
    shift = (uniform(seeds, np.array([0]), 10) * 9.0).astype(np.int64) - 3
    habits = _WEEK[window.is_weekend, (window.slot - shift) % 96]
    mood = 0.4 + 1.2 * smooth(seeds, quarters, 6, 11)
    burst = 0.45 + 2.2 * uniform(seeds, quarters, 12) ** 3
    away = uniform(seeds, (window.day + 3) // 7, 13) < 0.06
    active = habits * mood * burst * np.where(away, 0.05, 1.057)
    fridge = 0.7 + 0.6 * uniform(seeds, quarters, 14)
    season = 1.0 + 0.14 * window.winter
    return np.asarray(yearly / _QUARTERS * season * (0.3 * fridge + 0.7 * active))


def common_parts(window: Window, seeds: Seeds, yearly: Floats) -> Floats:
    """Return what stairs, lift, ventilation and laundry of a building draw."""
    quarters = window.quarters
    lights = _LIGHTS[window.slot] * (1.0 + 0.25 * window.winter)
    washing = _LAUNDRY[window.slot] * 8.0 * uniform(seeds, quarters // 4, 15) ** 7
    lift = 0.6 + 0.8 * uniform(seeds, quarters, 16)
    return yearly / _QUARTERS * (0.45 * lift + 0.3 * lights + 0.25 * washing)


def heat_pump(window: Window, seeds: Seeds, yearly: Floats) -> Floats:
    """Return a heat pump's consumption: heating by outdoor temperature, hot water."""
    quarters = window.quarters
    share = np.clip(0.3 + window.heat_demand / 24.0, 0.3, 1.0)
    runs = smooth(seeds, quarters, 3, 17) < 0.5 + (share - 0.5) * 0.8
    heating = window.heat_demand / 6.45 * runs / np.clip(share, 0.34, 0.9)
    boiler = ((window.slot >= 10) & (window.slot < 18)) | (window.slot // 6 == 9)
    hot_water = boiler * (96.0 / 14.0) * (0.8 + 0.4 * uniform(seeds, quarters, 18))
    return np.asarray(yearly / _QUARTERS * (0.8 * heating + 0.18 * hot_water + 0.02))


def charge_point(window: Window, seeds: Seeds, yearly: Floats) -> Floats:
    """Return the charging of one car at 11 kW: some evenings, for up to three hours."""
    day = window.day
    comes = uniform(seeds, day, 19) < 0.55
    start = 68 + (uniform(seeds, day, 20) * 14.0).astype(np.int64)
    length = 1.0 + uniform(seeds, day, 21) * 10.0
    # Up to eleven quarters of 2.75 kWh, the last one shorter.
    into = window.slot - start
    part = np.clip(length - into, 0.0, 1.0) * (into >= 0) * comes
    return np.asarray(
        part * 2.75 * np.minimum(yearly / (0.55 * 6.0 * 2.75 * 365.25), 1.0)
    )


def solar_plant(window: Window, seeds: Seeds, peak: Floats) -> Floats:
    """Return the production of a plant whose size is its peak power in kWp."""
    dust = 0.96 + 0.04 * smooth(seeds, window.quarters, 96 * 14, 22)
    return peak * 0.25 * 0.88 * dust * window.sunshine


def room_heat(window: Window, seeds: Seeds, yearly: Floats) -> Floats:
    """Return the heat that a flat takes, lowered at night."""
    day_and_night = np.where((window.slot >= 24) & (window.slot < 90), 1.15, 0.67)
    valve = 0.5 + smooth(seeds, window.quarters, 8, 23)
    return np.asarray(
        yearly / _QUARTERS * window.heat_demand / 6.1 * day_and_night * valve
    )


def room_cold(window: Window, seeds: Seeds, yearly: Floats) -> Floats:
    """Return the cold that a flat takes on warm days."""
    warm = np.maximum(0.0, window.temperature - 21.0)
    valve = 0.5 + smooth(seeds, window.quarters, 8, 24)
    return np.asarray(yearly / _QUARTERS * warm / 0.22 * valve)


def water(window: Window, seeds: Seeds, yearly: Floats) -> Floats:
    """Return the water (m³) that a flat draws: showers, kitchen, long nothing."""
    draw = 6.0 * uniform(seeds, window.quarters, 25) ** 5
    away = uniform(seeds, (window.day + 3) // 7, 13) < 0.06
    return np.asarray(
        yearly / _QUARTERS * _SHOWERS[window.slot] * draw * np.where(away, 0.0, 1.06)
    )


PROFILES: Final[Mapping[str, Profile]] = {
    "household": household,
    "common_parts": common_parts,
    "heat_pump": heat_pump,
    "charge_point": charge_point,
    "solar_plant": solar_plant,
    "room_heat": room_heat,
    "room_cold": room_cold,
    "water": water,
}
