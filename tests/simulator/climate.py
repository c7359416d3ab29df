"""The weather over a simulated site: sun, clouds and outdoor temperature."""

from functools import cached_property
from math import radians
from typing import Final

import numpy as np

from .hashing import Floats, Integers, seed_of, seeds_of, smooth, uniform
from .local_time import DAY, QUARTER, walls

YEAR: Final = 365.25 * DAY
_LATITUDE: Final = radians(46.8)
_LONGITUDE_HOURS: Final = 7.5 / 15.0
_TILT: Final = radians(25.0)


class Window:
    """Consecutive quarter hours at one site, with the weather they saw."""

    def __init__(self, first: int, last: int, zone: str, seed: int) -> None:
        """Cover the quarters first <= quarter < last; the seed chooses the weather."""
        self.first = first
        self.last = last
        self.zone = zone
        self.quarters: Integers = np.arange(first, last, dtype=np.int64)
        self._seeds = seeds_of([seed_of(seed, "weather")])

    def __len__(self) -> int:
        return self.last - self.first

    @cached_property
    def wall(self) -> Integers:
        """Return the local wall clock in seconds since 1970."""
        return walls(self.quarters, self.zone)

    @cached_property
    def slot(self) -> Integers:
        """Return the quarter of the local day, 0 to 95."""
        return self.wall % DAY // QUARTER

    @cached_property
    def day(self) -> Integers:
        """Return the number of the local day since 1970-01-01."""
        return self.wall // DAY

    @cached_property
    def is_weekend(self) -> Integers:
        """Return 1 on Saturdays and Sundays, else 0 (day 0 was a Thursday)."""
        return ((self.day + 3) % 7 >= 5).astype(np.int64)

    @cached_property
    def season(self) -> Floats:
        """Return the angle of the year in radians, 0 at the turn of the year."""
        return self.quarters.astype(np.float64) * (2.0 * np.pi * QUARTER / YEAR)

    @cached_property
    def winter(self) -> Floats:
        """Return 1 at the coldest time of the year, -1 at the warmest."""
        return np.cos(self.season - 2.0 * np.pi * 20.0 / 365.25)

    @cached_property
    def clouds(self) -> Floats:
        """Return the cloudiness in [0, 1]: spells of days, banks of hours."""
        quarters = self.quarters
        spell = smooth(self._seeds, quarters, 96 * 2, 1)[0]
        bank = smooth(self._seeds, quarters, 14, 2)[0]
        mean = 0.49 + 0.13 * self.winter
        return np.asarray(
            np.clip(mean + 0.9 * (spell - 0.5) + 0.7 * (bank - 0.5), 0.0, 1.0)
        )

    @cached_property
    def sunshine(self) -> Floats:
        """Return the output of a tilted plant in kW per kWp, before its own losses."""
        hours = self.quarters * QUARTER % DAY / 3600.0 + 0.125 + _LONGITUDE_HOURS
        angle = (hours - 12.0) * (np.pi / 12.0)
        decline = radians(-23.44) * np.cos(self.season + 2.0 * np.pi * 10.0 / 365.25)
        height = _sine(_LATITUDE, decline, angle)
        on_panel = _sine(_LATITUDE - _TILT, decline, angle)
        haze = np.exp(-0.16 / np.maximum(height, 0.03))
        flicker = uniform(self._seeds, self.quarters, 3)[0]
        broken = 4.0 * self.clouds * (1.0 - self.clouds)
        clear = 1.0 - 0.82 * self.clouds**1.3
        clear *= 1.0 - 0.35 * broken * (flicker - 0.5)
        clear_sky = 0.22 * np.maximum(height, 0.0) + 0.86 * np.maximum(on_panel, 0.0)
        return np.where(height > 0.0, clear_sky * haze * clear, 0.0)

    @cached_property
    def temperature(self) -> Floats:
        """Return the outdoor temperature in °C."""
        spell = smooth(self._seeds, self.quarters, 96 * 3, 4)[0]
        hour = self.wall % DAY * (2.0 * np.pi / DAY)
        day_swing = np.cos(hour - 2.0 * np.pi * 15.0 / 24.0)
        swing = (4.5 - 1.5 * self.winter) * (1.0 - 0.5 * self.clouds)
        return np.asarray(
            10.5 - 9.5 * self.winter + 9.0 * (spell - 0.5) + swing * day_swing
        )

    @cached_property
    def heat_demand(self) -> Floats:
        """Return how much a building must be heated, in kelvin below 16 °C."""
        return np.maximum(0.0, 16.0 - self.temperature)


def _sine(latitude: float, decline: Floats, angle: Floats) -> Floats:
    return np.asarray(
        np.sin(latitude) * np.sin(decline)
        + np.cos(latitude) * np.cos(decline) * np.cos(angle)
    )
