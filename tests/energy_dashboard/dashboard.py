"""Makes a choice for the dashboard, and reads what came of it."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
import json
from typing import Any

from homeassistant.components.energy import data as energy_data
from homeassistant.components.energy.data import EnergyManager
from homeassistant.components.energy.validate import async_validate
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import CONF_METERS, DOMAIN
from tests.simulator import SimulatedSite

from ..conftest import entry_for

CREATED = datetime(2026, 6, 15, 22, tzinfo=UTC)
"""Midnight in Zurich: sites so young that they have no history to import."""


async def choose(
    hass: HomeAssistant,
    site: SimulatedSite,
    home: str,
    *,
    meters: Sequence[str] | None = None,
) -> MockConfigEntry:
    """Set up a site with a choice for the dashboard, and wait until that is done."""
    if meters is None:
        meters = [meter.id for meter in site.meters if meter.mode != "introduction"]
    entry = entry_for(site, options={CONF_METERS: meters, "home": home})
    entry.add_to_hass(hass)
    await set_up_again(hass, entry)
    return entry


async def set_up_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Load an entry, as at a restart, and wait for what it does in the background."""
    if entry.state is ConfigEntryState.LOADED:
        assert await hass.config_entries.async_reload(entry.entry_id)
    else:
        assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def settle(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


def issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the issue that asks to add something by hand."""
    found = [
        issue
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue_id.startswith("dashboard_by_hand")
    ]
    assert len(found) <= 1
    return found[0] if found else None


def asked_for(hass: HomeAssistant) -> list[str]:
    """Return the names of the statistics that are to be added by hand."""
    found = issue(hass)
    if found is None:
        return []
    assert found.translation_placeholders
    lines = found.translation_placeholders["statistics"].splitlines()
    assert all(line.startswith("- ") for line in lines)
    return [line.removeprefix("- ") for line in lines]


async def assert_valid(hass: HomeAssistant, energy: EnergyManager) -> None:
    """Let Home Assistant look at all of it, as the page of its settings does."""
    found = (await async_validate(hass)).as_dict()
    assert not [
        problems for entries in found.values() for problems in entries if problems
    ]
    data: Any = energy.data
    energy_data.ENERGY_SOURCE_SCHEMA(deepcopy(data["energy_sources"]))


def ids_in(preferences: Any) -> set[str]:
    """Return the ids of our statistics anywhere in the preferences."""
    parts = json.dumps(preferences).split('"')
    return {part for part in parts if part.startswith(f"{DOMAIN}:")}


def as_bytes(preferences: Any) -> str:
    """Return the preferences with the order of their keys, for an exact comparison."""
    return json.dumps(preferences)


async def choose_again(hass: HomeAssistant, entry: MockConfigEntry, home: str) -> None:
    """Go through the options as a user does."""
    options = hass.config_entries.options
    shown = await options.async_init(entry.entry_id)
    shown = await options.async_configure(
        shown["flow_id"], {CONF_METERS: entry.options[CONF_METERS]}
    )
    assert shown["step_id"] == "energy"
    await options.async_configure(shown["flow_id"], {"home": home})
    await settle(hass)
    assert entry.options["home"] == home


BY_HAND = [
    "Immeuble 001 Grid import",
    "Immeuble 001 Grid export",
    "Immeuble 001 Production",
    "Immeuble 001 Appartement 1.1 Consumption",
    "Immeuble 001 Appartement 1.2 Consumption",
]
