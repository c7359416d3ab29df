"""Environmental sensors of a site: what sensors_list and sensor_data tell."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .climate import Window
from .hashing import seed_of, seeds_of, smooth

_RANGES: Final = {
    "temperature": (19.0, 24.0),
    "humidity": (35.0, 60.0),
    "co2": (420.0, 1400.0),
    "pressure": (940.0, 985.0),
    "illuminance": (0.0, 800.0),
    "power": (0.0, 900.0),
}


@dataclass(kw_only=True)
class SimulatedSensor:
    """One sensor; type and unit are free text, as the cloud's vocabulary is unknown."""

    id: str
    name: str
    type: str = "temperature"
    unit: str = "°C"
    model: str = "EM300"
    low: float | None = None
    high: float | None = None
    """The range of its values; by default what is usual for the type."""
    decimals: int = 1

    def readings(self, first: int, last: int, zone: str) -> list[tuple[int, float]]:
        """Return (UTC seconds, value) at the quarters first <= quarter < last."""
        window = Window(first, last, zone, 0)
        low, high = _RANGES.get(self.type.casefold(), (0.0, 100.0))
        low = low if self.low is None else self.low
        high = high if self.high is None else self.high
        seeds = seeds_of([seed_of(self.id)])
        values = low + (high - low) * smooth(seeds, window.quarters, 24, 1)[0]
        rounded = np.round(values, self.decimals).tolist()
        return list(zip((window.quarters * 900).tolist(), rounded, strict=True))
