"""The step of the flows that asks what goes into the Energy dashboard."""

from typing import Any
from unittest.mock import patch

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.config_entries import ConfigEntries, ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest

from custom_components.climkit.const import CONF_METERS

from .conftest import entry_for
from .simulator import SimulatedSite, Simulator, sites
from .test_config_flow import (
    _every_text_exists,
    _without_set_up,
    choices,
    log_in,
    mode,
    offered,
    schema_of,
    submit,
)

__all__ = ["_every_text_exists", "_without_set_up"]


@pytest.fixture
async def energy(cloud: Simulator, hass: HomeAssistant) -> EnergyManager:
    """Return Home Assistant's own manager of the preferences."""
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()
    return await async_get_manager(hass)


def with_grid(energy: EnergyManager) -> None:
    """Let somebody have set up the dashboard."""
    data: Any = {
        "energy_sources": [{"type": "grid", "stat_energy_from": "sensor.grid"}],
        "device_consumption": [],
    }
    energy.data = data


def preselected(result: ConfigFlowResult) -> str:
    """Return what is chosen before anybody chooses."""
    (key,) = schema_of(result)
    default: str = key.default()
    return default


async def energy_step(hass: HomeAssistant, **meters: Any) -> ConfigFlowResult:
    """Go through the set-up as far as the step."""
    shown = await submit(hass, await log_in(hass), **meters)
    assert shown["step_id"] == "energy"
    return shown


async def options_step(
    hass: HomeAssistant, entry: ConfigEntry, **meters: Any
) -> ConfigFlowResult:
    """Go through the options as far as the step."""
    options = hass.config_entries.options
    shown = await options.async_init(entry.entry_id)
    shown = await options.async_configure(shown["flow_id"], meters)
    assert shown["step_id"] == "energy"
    return shown


async def test_not_without_the_dashboard(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    result = await submit(hass, await log_in(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "home" not in result["options"]


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        (
            "en",
            [
                "Leave my Energy dashboard as it is",
                "The whole site",
                *["(Electricity consumption)"] * 8,
                "(Charge point)",
                "(Electricity consumption)",
            ],
        ),
        (
            "de",
            [
                "Mein Energie-Dashboard so lassen, wie es ist",
                "Der ganze Standort",
                *["(Stromverbrauch)"] * 8,
                "(Ladestation)",
                "(Stromverbrauch)",
            ],
        ),
    ],
)
@pytest.mark.parametrize("site", [sites.community(heat=True, charge_points=1)])
async def test_choices(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    language: str,
    labels: list[str],
) -> None:
    """Nothing, the whole site, and the meters that know grid and sun apart."""
    hass.config.language = language
    plant = [m.id for m in site.meters if m.mode == "production"]
    shown = await energy_step(hass, meters=plant)
    assert shown["description_placeholders"] == {"site": site.name}
    found = choices(shown)
    meters = [
        meter.id
        for meter in site.meters
        if meter.mode == "consumption" and meter.type in ("electricity", "charge_point")
    ]
    assert list(found) == ["none", "site", *meters]
    assert all(
        label.endswith(expected)
        for label, expected in zip(found.values(), labels, strict=True)
    )
    assert mode(shown) == "dropdown"


async def test_preselected_without_a_grid(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    shown = await energy_step(hass)
    assert preselected(shown) == "site"
    result = await submit(hass, shown)
    assert result["options"]["home"] == "site"
    assert result["options"][CONF_METERS] == offered(site)


async def test_preselected_with_a_grid(
    hass: HomeAssistant, energy: EnergyManager
) -> None:
    """Whoever has a dashboard and clicks through gets nothing new in it."""
    with_grid(energy)
    shown = await energy_step(hass)
    assert preselected(shown) == "none"
    result = await submit(hass, shown)
    assert result["options"]["home"] == "none"


async def test_preselected_in_doubt(
    hass: HomeAssistant, energy: EnergyManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preferences that nobody can look at are left alone."""
    monkeypatch.delattr(
        "homeassistant.components.energy.data.async_get_manager", raising=True
    )
    assert preselected(await energy_step(hass)) == "none"


async def test_one_meter(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """A resident's flat; it gets the history that the dashboard shows."""
    flat = site.meter("Appartement 2.1").id
    plant = site.meter("Installation solaire").id
    result = await submit(hass, await energy_step(hass, meters=[plant]), home=flat)
    assert result["options"]["home"] == flat
    assert result["options"][CONF_METERS] == [plant, flat]
    (entry,) = hass.config_entries.async_entries("climkit")
    other = site.meter("Appartement 1.1").id
    shown = await options_step(hass, entry, meters=[flat])
    options = hass.config_entries.options
    result = await options.async_configure(shown["flow_id"], {"home": other})
    assert result["data"][CONF_METERS] == [flat, other]


async def test_a_meter_that_is_not_offered(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    shown = await energy_step(hass)
    with pytest.raises(InvalidData):
        await submit(hass, shown, home=site.meter("Installation solaire").id)


async def test_site_without_meters(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """The site as a whole can be in the dashboard all the same."""
    site.meters[:] = [meter for meter in site.meters if meter.mode == "introduction"]
    shown = await log_in(hass)
    assert shown["step_id"] == "energy"
    assert list(choices(shown)) == ["none", "site"]
    result = await submit(hass, shown)
    assert result["options"][CONF_METERS] == []
    (entry,) = hass.config_entries.async_entries("climkit")
    shown = await hass.config_entries.options.async_init(entry.entry_id)
    assert shown["step_id"] == "energy"
    assert list(choices(shown)) == ["none", "site"]


# --- Options --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("home", "grid", "expected"),
    [
        pytest.param(None, False, "site", id="never asked, no grid"),
        pytest.param(None, True, "none", id="never asked, a grid"),
        pytest.param("none", False, "none", id="left alone"),
        pytest.param("site", False, "site", id="chosen, not done yet"),
        pytest.param("gone", False, "none", id="a meter that is gone"),
    ],
)
async def test_preselected_in_the_options(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    *,
    home: str | None,
    grid: bool,
    expected: str,
) -> None:
    entry = entry_for(site)
    entry.add_to_hass(hass)
    if home:
        options = {**entry.options, "home": home}
        hass.config_entries.async_update_entry(entry, options=options)
    if grid:
        with_grid(energy)
    assert preselected(await options_step(hass, entry)) == expected


async def test_preselected_once_it_is_done(
    hass: HomeAssistant,
    energy: EnergyManager,
    hass_storage: dict[str, Any],
    site: SimulatedSite,
) -> None:
    """Whoever only wants other meters does not get removed entries back."""
    entry = entry_for(site)
    entry.add_to_hass(hass)
    options = {**entry.options, "home": "site"}
    hass.config_entries.async_update_entry(entry, options=options)
    key = f"climkit.{entry.entry_id}.dashboard"
    hass_storage[key] = {"version": 1, "key": key, "data": {"home": "site"}}
    assert preselected(await options_step(hass, entry)) == "none"


@pytest.mark.parametrize(
    ("home", "again"),
    [("site", True), ("none", False)],
)
async def test_the_same_again(
    hass: HomeAssistant,
    energy: EnergyManager,
    hass_storage: dict[str, Any],
    site: SimulatedSite,
    *,
    home: str,
    again: bool,
) -> None:
    """What is chosen again is done again, although no option has changed."""
    entry = entry_for(site)
    entry.add_to_hass(hass)
    key = f"climkit.{entry.entry_id}.dashboard"
    options = hass.config_entries.options
    with patch.object(ConfigEntries, "async_schedule_reload") as reload:
        for _ in range(2):
            hass_storage[key] = {"version": 1, "key": key, "data": {"home": "site"}}
            shown = await options_step(hass, entry)
            reload.reset_mock()
            result = await options.async_configure(shown["flow_id"], {"home": home})
            assert result["type"] is FlowResultType.CREATE_ENTRY
            assert entry.options["home"] == home
            assert (key in hass_storage) is not again
    assert reload.called is again
