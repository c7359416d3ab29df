"""Goes through the dialogs as Home Assistant's page does, and looks at what is shown."""

from collections.abc import Callable, Iterator
from typing import Any

from homeassistant.components.energy.data import EnergyManager
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.selector import SelectSelector

from custom_components.climkit.api import RequestQueue
from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, CONF_SITE, DOMAIN
from custom_components.climkit.reading import account
from tests.conftest import LATELY
from tests.simulator import Fault, SimulatedSite, Simulator, sites

CREDENTIALS = {CONF_USERNAME: "demo", CONF_PASSWORD: "demo"}
NEW = {CONF_USERNAME: "other", CONF_PASSWORD: "new"}


def keys_shown(result: ConfigFlowResult) -> Iterator[str]:
    """Yield the keys of the texts that a person sees."""
    match result["type"]:
        case FlowResultType.FORM:
            step = f"step.{result['step_id']}"
            yield f"{step}.title"
            yield f"{step}.description"
            for field in schema_of(result):
                yield f"{step}.data.{field}"
                yield f"{step}.data_description.{field}"
            yield from (f"error.{key}" for key in (result["errors"] or {}).values())
        case FlowResultType.ABORT:
            yield f"abort.{result['reason']}"
        case FlowResultType.SHOW_PROGRESS:
            yield f"progress.{result['progress_action']}"


# --- Looking at forms -----------------------------------------------------------------


def schema_of(result: ConfigFlowResult) -> dict[Any, Any]:
    """Return the fields of a form."""
    schema = result["data_schema"]
    return {} if schema is None else dict(schema.schema)


def suggestions(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form has filled in."""
    return {
        str(key): key.description["suggested_value"]
        for key in schema_of(result)
        if key.description
    }


def choices(result: ConfigFlowResult) -> dict[str, str]:
    """Return the labels of the only field's choices, by their values, in order."""
    (selector,) = schema_of(result).values()
    assert isinstance(selector, SelectSelector)
    options: Any = selector.config["options"]
    return {option["value"]: option["label"] for option in options}


def mode(result: ConfigFlowResult) -> str:
    """Return how the only field's choices are shown."""
    (selector,) = schema_of(result).values()
    shown: str = selector.config["mode"]
    return shown


def preselected(result: ConfigFlowResult) -> Any:
    """Return what is chosen in the only field before anybody chooses."""
    (key,) = schema_of(result)
    return key.default()


def offered(site: SimulatedSite) -> list[str]:
    """Return the ids of the meters that have a series of their own."""
    return [meter.id for meter in site.meters if meter.mode != "introduction"]


# --- Going through the flow -----------------------------------------------------------


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the dialog."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.FORM
    assert not result["errors"]
    return result


async def credentials_form(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the dialog as far as the form for credentials, past the known accounts."""
    result = await start(hass)
    if result["step_id"] == "account":
        result = await submit(hass, result, account="new")
    assert result["step_id"] == "user"
    assert not result["errors"]
    return result


async def submit(
    hass: HomeAssistant, shown: ConfigFlowResult, **values: Any
) -> ConfigFlowResult:
    """Fill in a form and return what is shown next, once any progress is over."""
    flows = hass.config_entries.flow
    result = await flows.async_configure(shown["flow_id"], values)
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        result = await flows.async_configure(shown["flow_id"])
    return result


async def log_in(hass: HomeAssistant, **changes: str) -> ConfigFlowResult:
    """Open the flow and submit the credentials."""
    return await submit(hass, await credentials_form(hass), **(CREDENTIALS | changes))


async def alone(hass: HomeAssistant, shown: ConfigFlowResult) -> ConfigFlowResult:
    """Go through the last step, if there is one, without adding another site."""
    if shown["type"] is FlowResultType.FORM:
        assert shown["step_id"] == "others"
        assert preselected(shown) == []
        shown = await submit(hass, shown)
    assert shown["type"] is FlowResultType.CREATE_ENTRY
    return shown


async def accept(
    hass: HomeAssistant, shown: ConfigFlowResult, site: SimulatedSite
) -> None:
    """Accept the preselected meters, add no other site, and look at the entry."""
    assert shown["step_id"] == "meters"
    expected = preselected(shown)
    result = await alone(hass, await submit(hass, shown))
    assert result["title"] == site.name
    assert result["data"] == {**CREDENTIALS, CONF_SITE: site.id}
    assert result["options"] == {CONF_METERS: expected, CONF_OFFERED: offered(site)}
    assert result["result"].unique_id == site.id


# --- The Energy dashboard -------------------------------------------------------------


def with_grid(energy: EnergyManager) -> None:
    """Let somebody have set up the dashboard."""
    data: Any = {
        "energy_sources": [{"type": "grid", "stat_energy_from": "sensor.grid"}],
        "device_consumption": [],
    }
    energy.data = data


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


# --- What goes wrong ------------------------------------------------------------------


def wrong_password(cloud: Simulator) -> None:
    """Let the cloud know another password than the one typed."""
    cloud.accounts["demo"] = "another"


def fault(**kwargs: Any) -> Callable[[Simulator], None]:
    """Return what makes the cloud show a fault."""

    def add(cloud: Simulator) -> None:
        cloud.faults.add(Fault(**kwargs))

    return add


type Trouble = tuple[Callable[[Simulator], None], str]

ERRORS: dict[str, Trouble] = {
    "wrong password": (wrong_password, "invalid_auth"),
    "down": (fault(kind="refuse"), "cannot_connect"),
    "internal error": (fault(kind="status", status=500), "cannot_connect"),
    "html": (fault(kind="html"), "cannot_connect"),
    "log-in answered by a page": (fault(kind="html", path="auth"), "cannot_connect"),
    "log-in not found": (
        fault(kind="status", status=404, path="auth"),
        "cannot_connect",
    ),
    "log-in answered by nothing": (
        fault(kind="empty_body", path="auth"),
        "cannot_connect",
    ),
    "too many requests": (
        fault(kind="status", status=429, headers={"Retry-After": "3600"}),
        "rate_limited",
    ),
    "refused": (
        fault(kind="status", status=403, path="all_installations"),
        "access_denied",
    ),
}


def repair(hass: HomeAssistant, cloud: Simulator) -> None:
    """Put the cloud in order again, and forget for how long it had asked for patience."""
    cloud.faults.clear()
    cloud.accounts["demo"] = "demo"
    for known in hass.data[account._ACCOUNTS].values():
        vars(known.queue).update(vars(RequestQueue()))


# --- Several sites --------------------------------------------------------------------


def site_number(number: int) -> SimulatedSite:
    """Return a site with id and name of its own; the cloud lacks the second's place."""
    site = sites.many(number, created=LATELY)[-1]
    if number == 2:
        site.info = {"address": None}
    return site


def add_sites(cloud: Simulator, count: int) -> list[SimulatedSite]:
    """Add sites to the cloud, all visible to the account."""
    added = [site_number(number) for number in range(count, 0, -1)]
    for site in added:
        cloud.sites.append(site)
    return added


def give_access(cloud: Simulator, *visible: SimulatedSite) -> None:
    """Let a second account see some sites."""
    cloud.accounts["other"] = "new"
    cloud.grant("other", [site.id for site in visible])
