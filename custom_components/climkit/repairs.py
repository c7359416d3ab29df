"""Repairs: what somebody must know, or do. Nobody else raises issues.

Every flow has a statistic, with all its history, and a sensor. Whoever adds both to the
Energy dashboard counts that energy twice: the sensor is the one to go, but only if the
user says so. What could not be added to the dashboard is to be added by hand. Costs are in
Swiss francs, and Home Assistant shows them in its own currency, whichever that is. An
entity that tells no price any longer leaves hours without costs, until there is another.
And access to a site that its owner has withdrawn is told until it is back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import DOMAIN, SUBENTRY_TARIFF
from .energy_dashboard.duplicates import SharedSourceError
from .energy_dashboard.manager import (
    PreferencesError,
    async_doubled,
    async_listen,
    async_notice_changes,
    async_remove_sensor,
)
from .energy_dashboard.setup import DashboardSetup
from .entities.money_items import CURRENCY as CHF
from .metering.flows import Flow
from .reading.refusals import DESCRIPTION
from .runtime import ClimkitConfigEntry
from .statistics.naming import async_statistic_names

ACCESS_WITHDRAWN: Final = "access_withdrawn"
CURRENCY: Final = "currency"
BY_HAND: Final = "dashboard_by_hand"
DOUBLE_COUNTING: Final = "double_counting"
NO_PRICE: Final = "no_price"

DASHBOARD: Final = "https://my.home-assistant.io/redirect/config_energy/"
GENERAL: Final = "https://my.home-assistant.io/redirect/general/"


@callback
def async_watch(
    hass: HomeAssistant, entry: ClimkitConfigEntry, dashboard: DashboardSetup
) -> None:
    """Look for what somebody must know, now and after each change, behind."""
    _async_watch_access(hass, entry)
    _async_watch_currency(hass, entry)
    _async_watch_prices(hass, entry)

    async def check() -> None:
        await _async_check(hass, entry)

    async def begin() -> None:
        await async_notice_changes(hass)
        await check()

    async_listen(hass, entry, check)
    entry.async_create_background_task(hass, begin(), f"{entry.title} (repairs)")

    @callback
    def list_by_hand() -> None:
        entry.async_create_background_task(
            hass,
            _async_list_by_hand(hass, entry, dashboard.by_hand),
            f"{entry.title} (repairs)",
        )

    dashboard.async_listen(list_by_hand)


@callback
def _async_watch_access(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Raise an issue while the description is refused for long, or all measurements."""
    data = entry.runtime_data

    @callback
    def check() -> None:
        now = dt_util.utcnow()
        is_unknown = data.reader.refusals.is_withdrawn(DESCRIPTION, now)
        if is_unknown or data.reader.is_withdrawn(data.site.data.flows, now):
            ir.async_create_issue(
                hass,
                DOMAIN,
                f"{ACCESS_WITHDRAWN}_{entry.entry_id}",
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key=ACCESS_WITHDRAWN,
                translation_placeholders={"site": entry.title},
            )
        else:
            ir.async_delete_issue(hass, DOMAIN, f"{ACCESS_WITHDRAWN}_{entry.entry_id}")

    for coordinator in (data.site, *data.live):
        entry.async_on_unload(coordinator.async_add_listener(check))


@callback
def _async_watch_currency(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Look again whenever tariffs change, or the settings of Home Assistant."""

    @callback
    def check(_: Event | None = None) -> None:
        _async_check_currency(hass)

    entry.async_on_unload(entry.runtime_data.pricing.async_listen(check))
    entry.async_on_unload(hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, check))
    check()


@callback
def _async_check_currency(hass: HomeAssistant, but: str = "") -> None:
    """Raise one issue for all sites while costs would be shown in another currency.

    `but` is the id of a config entry that goes.
    """
    entries = hass.config_entries.async_entries(DOMAIN)
    tariffs = (
        subentry
        for entry in entries
        if entry.entry_id != but
        for subentry in entry.get_subentries_of_type(SUBENTRY_TARIFF)
    )
    if hass.config.currency == CHF or not any(tariffs):
        ir.async_delete_issue(hass, DOMAIN, CURRENCY)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        CURRENCY,
        is_fixable=False,
        learn_more_url=GENERAL,
        severity=ir.IssueSeverity.WARNING,
        translation_key=CURRENCY,
        translation_placeholders={"currency": hass.config.currency},
    )


@callback
def _async_watch_prices(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Raise an issue while an entity that is to tell the price of today tells none."""
    pricing = entry.runtime_data.pricing
    issue_id = f"{NO_PRICE}_{entry.entry_id}"

    @callback
    def check(*_: Any) -> None:
        today = dt_util.utcnow().astimezone(pricing.zone).date()
        entities = pricing.tariffs.entities_on(today)
        silent = sorted(filter(pricing.archive.is_silent, entities))
        if not silent:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=NO_PRICE,
            translation_placeholders={
                "site": entry.title,
                "entities": ", ".join(silent),
            },
        )

    # Not at once: a moment after the start, many an entity is not there yet.
    entry.async_on_unload(async_track_utc_time_change(hass, check, minute=1, second=0))
    entry.async_on_unload(pricing.async_listen(check))
    entry.async_on_unload(pricing.archive.async_listen(check))


async def _async_list_by_hand(
    hass: HomeAssistant, entry: ClimkitConfigEntry, flows: Sequence[Flow]
) -> None:
    """Raise an issue that lists what is to be added by hand; remove it if nothing is."""
    issue_id = f"{BY_HAND}_{entry.entry_id}"
    if not flows:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    info = entry.runtime_data.site.data
    names = await async_statistic_names(hass, info, flows)
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        learn_more_url=DASHBOARD,
        severity=ir.IssueSeverity.WARNING,
        translation_key=BY_HAND,
        translation_placeholders={
            "site": entry.title,
            "statistics": "\n".join(f"- {name}" for name in names.values()),
        },
    )


async def _async_check(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Raise an issue for each flow that is counted twice; remove those solved."""
    flows = _flows_by_sensor(hass, entry)
    sensors = await async_doubled(hass, _statistics(entry, flows))
    doubled = {sensor: flows[sensor] for sensor in sensors}
    info = entry.runtime_data.site.data
    names = await async_statistic_names(hass, info, doubled.values())
    current = set()
    for sensor, flow in doubled.items():
        issue_id = f"{_prefix(entry.entry_id)}{flow.key}"
        current.add(issue_id)
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={
                "entry_id": entry.entry_id,
                "sensor": sensor,
                "statistic": entry.runtime_data.statistics.statistic_id(flow),
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
    for issue_id in _doubled_issues(hass, entry_id) - but:
        ir.async_delete_issue(hass, DOMAIN, issue_id)


def _doubled_issues(hass: HomeAssistant, entry_id: str) -> set[str]:
    """Return the ids of the issues that flows of a config entry have."""
    ours = (id_ for domain, id_ in ir.async_get(hass).issues if domain == DOMAIN)
    return {issue_id for issue_id in ours if issue_id.startswith(_prefix(entry_id))}


@callback
def async_forget_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Delete all issues of a config entry, which goes."""
    async_delete_issues(hass, entry_id)
    for issue in (ACCESS_WITHDRAWN, BY_HAND, NO_PRICE):
        ir.async_delete_issue(hass, DOMAIN, f"{issue}_{entry_id}")
    _async_check_currency(hass, but=entry_id)


def _prefix(entry_id: str) -> str:
    return f"{DOUBLE_COUNTING}_{entry_id}_"


def _flows_by_sensor(hass: HomeAssistant, entry: ClimkitConfigEntry) -> dict[str, Flow]:
    """Return the flows by the entity id of the sensor that shows their total."""
    registry = er.async_get(hass)
    return {
        sensor: flow
        for flow in entry.runtime_data.site.data.flows
        if entry.runtime_data.statistics.owns(flow)
        and (sensor := registry.async_get_entity_id("sensor", DOMAIN, flow.key))
    }


def _statistics(entry: ClimkitConfigEntry, flows: Mapping[str, Flow]) -> dict[str, str]:
    id_of = entry.runtime_data.statistics.statistic_id
    return {sensor: id_of(flow) for sensor, flow in flows.items()}


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
            pairs |= _statistics(entry, _flows_by_sensor(self.hass, entry))
        return pairs
