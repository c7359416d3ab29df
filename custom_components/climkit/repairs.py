"""Repairs: the same energy counted twice in the Energy dashboard.

Every flow has a statistic, with all its history, and a sensor. Whoever adds both counts
that energy twice. The sensor is the one to go, but only if the user says so.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import voluptuous as vol

from .const import DOMAIN
from .energy_dashboard.duplicates import SharedSourceError
from .energy_dashboard.manager import (
    PreferencesError,
    async_doubled,
    async_listen,
    async_notice_changes,
    async_remove_sensor,
)
from .metering.flows import Flow
from .runtime import ClimkitConfigEntry
from .statistics.metadata import async_statistic_names, statistic_id

DOUBLE_COUNTING: Final = "double_counting"


@callback
def async_watch(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Look for energy that is counted twice, now and after each change, behind."""

    async def check() -> None:
        await _async_check(hass, entry)

    async def begin() -> None:
        await async_notice_changes(hass)
        await check()

    async_listen(hass, entry, check)
    entry.async_create_background_task(hass, begin(), f"{entry.title} (repairs)")


async def _async_check(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Raise an issue for each flow that is counted twice; remove those solved."""
    flows = _flows_by_sensor(hass, entry)
    sensors = await async_doubled(hass, _statistics(flows))
    info = entry.runtime_data.site.data
    names = await async_statistic_names(
        hass, info, (flow for sensor, flow in flows.items() if sensor in sensors)
    )
    current = set()
    for sensor in sensors:
        flow = flows[sensor]
        issue_id = f"{_prefix(entry.entry_id)}{flow.key}"
        current.add(issue_id)
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={
                "entry_id": entry.entry_id,
                "sensor": sensor,
                "statistic": statistic_id(flow),
            },
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=DOUBLE_COUNTING,
            translation_placeholders={
                "statistic": names[flow],
                "sensor": sensor,
                "site": entry.title,
            },
        )
    async_delete_issues(hass, entry.entry_id, but=current)


@callback
def async_delete_issues(
    hass: HomeAssistant, entry_id: str, but: frozenset[str] | set[str] = frozenset()
) -> None:
    """Delete the issues of a config entry, `but` for some."""
    found = [
        issue_id
        for domain, issue_id in ir.async_get(hass).issues
        if domain == DOMAIN and issue_id.startswith(_prefix(entry_id))
    ]
    for issue_id in found:
        if issue_id not in but:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


def _prefix(entry_id: str) -> str:
    return f"{DOUBLE_COUNTING}_{entry_id}_"


def _flows_by_sensor(hass: HomeAssistant, entry: ClimkitConfigEntry) -> dict[str, Flow]:
    """Return the flows by the entity id of the sensor that shows their total."""
    registry = er.async_get(hass)
    return {
        sensor: flow
        for flow in entry.runtime_data.site.data.flows
        if (sensor := registry.async_get_entity_id("sensor", DOMAIN, flow.key))
    }


def _statistics(flows: Mapping[str, Flow]) -> dict[str, str]:
    return {sensor: statistic_id(flow) for sensor, flow in flows.items()}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the dialog that solves an issue."""
    return DoubleCountingFlow(data or {})


class DoubleCountingFlow(RepairsFlow):
    """Removes a sensor from the Energy dashboard once the user has confirmed it."""

    def __init__(self, issue: Mapping[str, Any]) -> None:
        """Solve the issue with these data."""
        self._issue = issue

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and remove the sensor after the answer."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        placeholders = issue.translation_placeholders if issue else None
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders=placeholders,
            )
        try:
            await async_remove_sensor(self.hass, self._issue["sensor"], self._pairs())
        except PreferencesError, SharedSourceError:
            return self.async_abort(
                reason="by_hand", description_placeholders=placeholders
            )
        return self.async_create_entry(data={})

    def _pairs(self) -> dict[str, str]:
        """Return every sensor of the site with its statistic, or at least this one."""
        pairs = {self._issue["sensor"]: self._issue["statistic"]}
        entry: ClimkitConfigEntry | None = self.hass.config_entries.async_get_entry(
            self._issue["entry_id"]
        )
        if entry and entry.state is ConfigEntryState.LOADED:
            pairs |= _statistics(_flows_by_sensor(self.hass, entry))
        return pairs
