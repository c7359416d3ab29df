"""What was in the Energy dashboard before is never touched."""

from copy import deepcopy
from typing import Any
from unittest.mock import patch

from homeassistant.components.energy.data import EnergyManager
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import flush_store

from tests.simulator import SimulatedSite

from ..conftest import NOW
from .dashboard import as_bytes, assert_valid, choose, ids_in, issue
from .preferences import RICH, of_site, solar

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


@pytest.mark.parametrize("stored", [RICH], ids=["rich"])
@pytest.mark.parametrize("name", ["site", "Appartement 1.1"])
async def test_existing_entries_stay(
    hass: HomeAssistant,
    energy: EnergyManager,
    hass_storage: dict[str, Any],
    site: SimulatedSite,
    name: str,
) -> None:
    """Next to ours, each is as it was, in memory and on the disk."""
    await choose(hass, site, name if name == "site" else site.meter(name).id)
    await flush_store(energy._store)
    saved: list[Any] = [energy.data, hass_storage["energy"]["data"]]
    for found in saved:
        assert list(found) == list(RICH)
        assert len(found["energy_sources"]) == len(RICH["energy_sources"]) + 2
        for key, before in RICH.items():
            after = found[key]
            kept = after[: len(before)] if isinstance(before, list) else after
            assert as_bytes(kept) == as_bytes(before)
            ours = after[len(before) :] if isinstance(before, list) else []
            assert all(ids_in(entry) for entry in ours)
    assert issue(hass) is None


@pytest.mark.parametrize("stored", [RICH], ids=["rich"])
async def test_only_what_changes_is_saved(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    with patch.object(energy, "async_update", wraps=energy.async_update) as update:
        await choose(hass, site, site.meter("Appartement 1.1").id)
    assert [list(call.args[0]) for call in update.call_args_list] == [
        ["energy_sources"]
    ]


async def test_older_preferences(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """Those of before water devices were known get that list only with a device."""
    data: Any = {"energy_sources": [], "device_consumption": []}
    energy.data = data
    await choose(hass, site, "site")
    assert list(energy.data or {}) == list(data)
    await assert_valid(hass, energy)


@pytest.mark.parametrize("part", ["grid", "device"])
async def test_ids_that_are_there_are_left_alone(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite, part: str
) -> None:
    """Whoever has one of our statistics somewhere has decided what it is."""
    own = of_site(site)
    flat = site.meter("Appartement 1.1")
    grid_import = own("grid_import")
    cost = {"type": "gas", "stat_energy_from": "sensor.gas", "stat_cost": grid_import}
    device = {"stat_consumption": f"climkit:{flat.id}_consumption", "name": "Wohnung"}
    mine: Any = {
        "grid": {"energy_sources": [cost], "device_consumption": []},
        "device": {"energy_sources": [], "device_consumption": [device]},
    }[part]
    energy.data = deepcopy(mine)
    await choose(hass, site, "site")
    data: Any = energy.data
    if part == "grid":
        assert data["energy_sources"] == [cost, solar(own("production"))]
        assert len(data["device_consumption"]) == 2
    else:
        assert data["device_consumption"][0] == device
        assert len(data["device_consumption"]) == 2
