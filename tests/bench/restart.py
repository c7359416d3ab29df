"""A restart with many sites of one account: until all show values again, at what cost.

In simulated time, with the real pause between requests: the queue is what takes long.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
import os
from pathlib import Path
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from custom_components.climkit.const import DOMAIN
from tests.fast_clock import fast_clock
from tests.simulator import SimulatedMeter, SimulatedSite, Simulator

from .frozen import frozen_time
from .home import add, home
from .steady import START

BEFORE: Final = 1800.0
"""Seconds of life before the restart: all history is in."""

LONGEST: Final = 1800.0
"""Seconds until a restart that does not get there is given up."""

LOOK: Final = 0.25
"""Seconds between two looks at the sensors."""

NONE: Final = {STATE_UNKNOWN, STATE_UNAVAILABLE}


@dataclass(slots=True)
class Restart:
    """What it cost until the last site showed values."""

    sites: int
    meters: int
    """Of each site, the introduction meter apart."""
    media: int
    requests: Counter[str] = field(default_factory=Counter)
    """By endpoint."""
    seconds: float = 0.0
    smallest_gap: float = 0.0
    shown: int = 0
    """Sites that show values."""

    @property
    def least(self) -> int:
        """Return how few requests it could be: the quarter hours of each, and a log-in."""
        return self.sites + 1

    @property
    def least_seconds(self) -> float:
        """Return how soon the last of them could be sent, at one a second."""
        return self.least - 1.0


def with_heat(site: SimulatedSite) -> SimulatedSite:
    """Return a site that has a second medium, one that is not read by quarter hours."""
    meter = SimulatedMeter(
        id=f"{site.id[:-4]}feed", name="Chauffage", type="heating", size=3600.0
    )
    site.meters.append(meter)
    return site


async def measure(directory: Path, sites: Sequence[SimulatedSite]) -> Restart:
    """Live with the sites, end, and start again in the same folder."""
    result = Restart(
        len(sites),
        max(sum(m.mode != "introduction" for m in s.meters) for s in sites),
        len({m.type for s in sites for m in s.meters}),
    )
    with frozen_time(START) as frozen:
        simulator = Simulator(sites, clock=dt_util.utcnow, min_interval=0)
        async with simulator:
            os.environ["CLIMKIT_API_URL"] = simulator.url
            async with home(directory) as hass:
                with fast_clock(frozen):
                    for site in sites:
                        await add(hass, site, [meter.id for meter in site.meters])
                    await asyncio.sleep(BEFORE)
            frozen.tick(timedelta(minutes=1))  # too late for a queue that is not ours
            simulator.requests.clear()
            async with home(directory) as hass:
                with fast_clock(frozen):
                    await _until_shown(hass, sites, result)
                    requests = list(simulator.requests)
    result.requests = Counter(request.endpoint for request in requests)
    gaps = [(b.time - a.time).total_seconds() for a, b in pairwise(requests)]
    result.smallest_gap = min(gaps, default=float("inf"))
    return result


async def _until_shown(
    hass: HomeAssistant, sites: Sequence[SimulatedSite], result: Restart
) -> None:
    """Set up all entries as Home Assistant does at its start, and wait."""
    begun = dt_util.utcnow()
    setting_up = hass.async_create_task(async_setup_component(hass, DOMAIN, {}))
    end = begun + timedelta(seconds=LONGEST)
    while result.shown < len(sites) and dt_util.utcnow() < end:
        await asyncio.sleep(LOOK)
        result.shown = sum(_shows_values(hass, site) for site in sites)
    result.seconds = (dt_util.utcnow() - begun).total_seconds()
    assert await setting_up
    states = {entry.state for entry in hass.config_entries.async_entries(DOMAIN)}
    assert states == {ConfigEntryState.LOADED}, states


def _shows_values(hass: HomeAssistant, site: SimulatedSite) -> bool:
    """Return whether the newest quarter hour of a site is to be seen."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{site.id}_consumption_power"
    )
    state = hass.states.get(entity_id) if entity_id else None
    return state is not None and state.state not in NONE
