"""Saves preferences that count twice, reads what is said, and goes through its dialog."""

from copy import deepcopy
import json
from typing import Any

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.translation import async_get_translations

from custom_components.climkit.const import DOMAIN

from ..simulator import SimulatedSite


async def settle(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


class Ids:
    """The two names of each flow: its sensor and its statistic."""

    def __init__(self, hass: HomeAssistant, site: SimulatedSite) -> None:
        self._registry = er.async_get(hass)
        self._site = site

    def sensor(self, flow: str, meter: str | None = None) -> str:
        """Return the entity id of the sensor of the total."""
        owner = self._site.meter(meter).id if meter else self._site.id
        found = self._registry.async_get_entity_id("sensor", DOMAIN, f"{owner}_{flow}")
        assert found
        return found

    def statistic(self, flow: str, meter: str | None = None) -> str:
        """Return the id of the statistic."""
        owner = self._site.meter(meter).id if meter else self._site.id
        return f"{DOMAIN}:{owner}_{flow}"


def grid(imported: str | None, exported: str | None = None, **more: Any) -> Any:
    return {
        "type": "grid",
        "stat_energy_from": imported,
        "stat_energy_to": exported,
        "cost_adjustment_day": 0,
        **more,
    }


def solar(produced: str, **more: Any) -> Any:
    return {"type": "solar", "stat_energy_from": produced, **more}


def battery(discharged: str, charged: str, **more: Any) -> Any:
    return {
        "type": "battery",
        "stat_energy_from": discharged,
        "stat_energy_to": charged,
        **more,
    }


def device(consumed: str, **more: Any) -> Any:
    return {"stat_consumption": consumed, **more}


async def save(
    hass: HomeAssistant, energy: EnergyManager, sources: Any = (), devices: Any = ()
) -> None:
    """Save preferences as the page of the settings does."""
    changes: Any = {
        "energy_sources": deepcopy(list(sources)),
        "device_consumption": deepcopy(list(devices)),
    }
    await energy.async_update(changes)
    await settle(hass)


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the issues by the sensor that they are about."""
    return {
        str(issue.data["sensor"]): issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.data and issue.active
    }


async def fix(hass: HomeAssistant, sensor: str) -> FlowResultType:
    """Open the dialog of an issue, read it, and confirm."""
    flows = repairs_flow_manager(hass)
    assert flows
    issue = issues(hass)[sensor]
    before = json.dumps((await async_get_manager(hass)).data)
    shown = await flows.async_init(DOMAIN, context={"issue_id": issue.issue_id})
    assert shown["type"] is FlowResultType.FORM
    assert shown["step_id"] == "confirm"
    placeholders = shown["description_placeholders"] or {}
    assert placeholders["sensor"] == sensor
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    prefix = f"component.{DOMAIN}.issues.{issue.translation_key}"
    texts[f"{prefix}.title"].format(**placeholders)
    step = f"{prefix}.fix_flow.step.confirm"
    assert sensor in texts[f"{step}.description"].format(**placeholders)
    assert json.dumps((await async_get_manager(hass)).data) == before
    result = await flows.async_configure(shown["flow_id"], {})
    await settle(hass)
    if result["type"] is FlowResultType.ABORT:
        assert result["reason"] == "by_hand"
        placeholders = result["description_placeholders"] or {}
        assert sensor in texts[f"{prefix}.fix_flow.abort.by_hand"].format(
            **placeholders
        )
        assert json.dumps((await async_get_manager(hass)).data) == before
    return result["type"]
