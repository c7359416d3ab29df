"""The options: the same questions again, at any time."""

from typing import Any
from unittest.mock import patch

from homeassistant.components.energy.data import EnergyManager
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import CONF_METERS, CONF_OFFERED
from tests.conftest import entry_for
from tests.simulator import SimulatedSite, Simulator

from .dialog import (
    ERRORS,
    Trouble,
    choices,
    fault,
    offered,
    options_step,
    preselected,
    repair,
    schema_of,
    with_grid,
)

pytestmark = pytest.mark.usefixtures("every_text_exists", "without_set_up")


async def test_options(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """What was chosen is ticked; what is chosen now is kept, beside the other options."""
    first, second, *_ = offered(site)
    entry = entry_for(site, meters=[first, "gone"])
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "home": "none"}
    )
    shown = await hass.config_entries.options.async_init(entry.entry_id)
    assert shown["description_placeholders"] == {"site": site.name}
    assert preselected(shown) == [first]
    assert list(choices(shown)) == offered(site)
    result = await hass.config_entries.options.async_configure(
        shown["flow_id"], {CONF_METERS: [second]}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        CONF_METERS: [second],
        CONF_OFFERED: offered(site),
        "home": "none",
    }
    await hass.async_block_till_done()


@pytest.mark.parametrize("trouble", ERRORS.values(), ids=ERRORS)
async def test_error_at_options(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    trouble: Trouble,
) -> None:
    """The form has nothing to choose from yet; sending it tries again."""
    harm, error = trouble
    if error == "access_denied":
        harm = fault(kind="status", status=403, path="meter_info")
    entry.add_to_hass(hass)
    harm(cloud)
    options = hass.config_entries.options
    shown = await options.async_init(entry.entry_id)
    assert shown["errors"] == {"base": error}
    assert not schema_of(shown)
    repair(hass, cloud)
    shown = await options.async_configure(shown["flow_id"], {})
    assert not shown["errors"]
    result = await options.async_configure(shown["flow_id"], {CONF_METERS: []})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {CONF_METERS: [], CONF_OFFERED: offered(site)}
    await hass.async_block_till_done()


async def test_options_without_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    entry.add_to_hass(hass)
    site.meters.clear()
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_meters"


# --- The Energy dashboard -------------------------------------------------------------


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
