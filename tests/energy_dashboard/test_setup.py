"""What the integration adds to the Energy dashboard."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from homeassistant.components.energy.data import EnergyManager
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest

from custom_components.climkit.const import DOMAIN
from tests.simulator import SimulatedSite, sites

from ..conftest import NOW
from .dashboard import CREATED, assert_valid, choose, ids_in, issue
from .preferences import (
    bought,
    devices,
    grid,
    produced_and_bought,
    solar,
    water_alone,
    with_battery,
    with_water,
)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]
SITES = {
    "community": (sites.community(created=CREATED), produced_and_bought),
    "battery": (sites.with_battery(created=CREATED), with_battery),
    "water and heat": (
        sites.community(created=CREATED, water=True, heat=True, cooling=True),
        with_water,
    ),
    "charge points": (
        sites.community(created=CREATED, charge_points=2),
        produced_and_bought,
    ),
    "nothing that produces": (sites.no_pv(created=CREATED), bought),
    "no electricity": (sites.heat_only(created=CREATED), water_alone),
    "rules": (sites.with_rules(created=CREATED), produced_and_bought),
}


@pytest.mark.parametrize(("site", "sources"), SITES.values(), ids=SITES)
async def test_whole_site(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    sources: Callable[[SimulatedSite], list[dict[str, Any]]],
) -> None:
    await choose(hass, site, "site")
    assert energy.data == {
        "energy_sources": sources(site),
        "device_consumption": devices(site, "electricity", "charge_point"),
        "device_consumption_water": devices(site, "cold_water", "hot_water"),
    }
    await assert_valid(hass, energy)
    assert issue(hass) is None


@pytest.mark.parametrize("site", [sites.community(created=CREATED, charge_points=1)])
@pytest.mark.parametrize("kind", ["electricity", "charge_point"])
async def test_one_meter(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, kind: str
) -> None:
    """Its share of the grid and its share of the sun, without devices."""
    meter = next(
        meter
        for meter in site.meters
        if meter.type == kind and meter.mode == "consumption"
    )
    await choose(hass, site, meter.id)
    assert energy.data == {
        "energy_sources": [
            grid(f"climkit:{meter.id}_grid_consumption"),
            solar(f"climkit:{meter.id}_solar_consumption"),
        ],
        "device_consumption": [],
        "device_consumption_water": [],
    }
    await assert_valid(hass, energy)


async def test_only_chosen_meters(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    flat = site.meter("Appartement 1.2")
    await choose(hass, site, "site", meters=[flat.id])
    data: Any = energy.data
    assert data["device_consumption"] == [
        {"stat_consumption": f"climkit:{flat.id}_consumption", "name": flat.name}
    ]


@pytest.mark.parametrize("chosen", ["none", "no such meter"])
async def test_nothing(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, chosen: str
) -> None:
    await choose(hass, site, chosen)
    assert energy.data is None
    assert issue(hass) is None


async def test_statistics_exist_before_they_are_named(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    seen: list[set[str]] = []
    update = EnergyManager.async_update

    async def look(manager: EnergyManager, changes: Any) -> None:
        known = await get_instance(hass).async_add_executor_job(
            lambda: get_metadata(hass, statistic_source=DOMAIN)
        )
        seen.append(ids_in(changes) - known.keys())
        await update(manager, changes)

    with patch.object(EnergyManager, "async_update", look):
        await choose(hass, site, "site")
    assert seen == [set()]
