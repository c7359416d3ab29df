"""How far a home has come with what Climkit brings into it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Self, override

from .client import HomeError, Json
from .home import Home

_DEVICES: Final = {
    "device_consumption": "devices",
    "device_consumption_water": "water devices",
}
_NO_VALUE: Final = ("unknown", "unavailable")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How much of what the demo shows is there."""

    history: float
    """In percent; of several sites the one that is furthest behind."""
    silent: Collection[str]
    """Sensors without a value, by entity id."""
    sensors: int
    dashboard: Mapping[str, int]
    """The number of entries in the Energy dashboard by what they are."""

    @classmethod
    async def of(cls, home: Home) -> Self:
        """Return how far a home is."""
        states = await home.client.states("climkit")
        registry = await home.client.command("config/entity_registry/list")
        percents = [
            float(states[row["entity_id"]]["state"])
            for row in registry
            if row["unique_id"].endswith("_history_import")
            and row["entity_id"] in states
            and states[row["entity_id"]]["state"] not in _NO_VALUE
        ]
        # A share of what the sun has brought today is unknown until it is up.
        by_night = {
            row["entity_id"]
            for row in registry
            if row["unique_id"].endswith("_self_consumption_rate")
        }
        counted = states.keys() - by_night
        return cls(
            history=min(percents, default=0.0),
            silent=sorted(id_ for id_ in counted if states[id_]["state"] in _NO_VALUE),
            sensors=len(counted),
            dashboard=_entries(await _preferences(home)),
        )

    @property
    def is_complete(self) -> bool:
        """Return whether every sensor has a value, which needs the whole history."""
        return self.sensors > 0 and not self.silent

    @override
    def __str__(self) -> str:
        known = self.sensors - len(self.silent)
        return (
            f"History {self.history:.0f} %, values of {known} of {self.sensors} sensors"
        )


def listed(entries: Mapping[str, int]) -> str:
    """Return the entries of the Energy dashboard as a short text."""
    return ", ".join(
        kind if number == 1 else f"{number} {kind}" for kind, number in entries.items()
    )


async def _preferences(home: Home) -> Json:
    """Return the settings of the Energy dashboard, empty before there are any."""
    try:
        found: Json = await home.client.command("energy/get_prefs")
    except HomeError:
        return {}
    return found


def _entries(preferences: Json) -> dict[str, int]:
    entries = Counter(
        source["type"] for source in preferences.get("energy_sources", ())
    )
    entries |= {kind: len(preferences.get(key, ())) for key, kind in _DEVICES.items()}
    return {kind: number for kind, number in entries.items() if number}
