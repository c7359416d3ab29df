"""Fixtures of the tests of dialogs."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from tests.simulator import Simulator

from ..conftest import set_up
from .dialog import keys_shown


@pytest.fixture
def without_set_up() -> Iterator[None]:
    """Leave the set-up of entries to other tests: here the flows are the subject."""
    with (
        patch("custom_components.climkit.async_setup_entry", return_value=True),
        patch("custom_components.climkit.async_unload_entry", return_value=True),
    ):
        yield


@pytest.fixture
async def every_text_exists(
    cloud: Simulator, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail when a form, an error or an end shows a key instead of a text."""
    handle_step = FlowManager._async_handle_step

    async def checking(
        manager: Any, flow: Any, step_id: str, user_input: Any
    ) -> ConfigFlowResult:
        result: ConfigFlowResult = await handle_step(manager, flow, step_id, user_input)
        area = "config" if manager is hass.config_entries.flow else "options"
        if "translation_domain" not in result:
            texts = await async_get_translations(hass, "en", area, {DOMAIN})
            missing = {
                key
                for part in keys_shown(result)
                if (key := f"component.{DOMAIN}.{area}.{part}") not in texts
            }
            assert not missing
        return result

    monkeypatch.setattr(FlowManager, "_async_handle_step", checking)


@pytest.fixture
async def energy(cloud: Simulator, hass: HomeAssistant) -> EnergyManager:
    """Return Home Assistant's own manager of the preferences."""
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()
    return await async_get_manager(hass)


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry, set up."""
    await set_up(hass, entry)
    return entry
