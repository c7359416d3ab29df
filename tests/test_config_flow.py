"""Set-up, reauthentication, reconfiguration and options against the simulated cloud."""

import asyncio
from collections.abc import Callable, Iterator
import json
from typing import Any
from unittest.mock import patch

from aiolimiter import AsyncLimiter
from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import Event, HomeAssistant
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowManager,
    FlowResultType,
)
from homeassistant.helpers.selector import SelectSelector
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.climkit.api import ClimkitClient, queue
from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, CONF_SITE, DOMAIN
from custom_components.climkit.reading import account
from custom_components.climkit.reading.account import async_get_client

from .conftest import entry_for
from .simulator import Fault, SimulatedMeter, SimulatedSite, Simulator, sites

CREDENTIALS = {CONF_USERNAME: "demo", CONF_PASSWORD: "demo"}


@pytest.fixture(autouse=True)
def _without_set_up() -> Iterator[None]:
    """Leave the set-up of entries to other tests: here the flows are the subject."""
    with (
        patch("custom_components.climkit.async_setup_entry", return_value=True),
        patch("custom_components.climkit.async_unload_entry", return_value=True),
    ):
        yield


@pytest.fixture(autouse=True)
async def _every_text_exists(
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
    assert schema is not None
    fields: dict[Any, Any] = schema.schema
    return fields


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


def preselected(result: ConfigFlowResult) -> list[str]:
    """Return what is chosen before anybody chooses."""
    (key,) = schema_of(result)
    default: list[str] = key.default()
    return default


def offered(site: SimulatedSite) -> list[str]:
    """Return the ids of the meters that have a series of their own."""
    return [meter.id for meter in site.meters if meter.mode != "introduction"]


# --- Going through the flow -----------------------------------------------------------


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the form for the credentials."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.FORM
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
    return await submit(hass, await start(hass), **(CREDENTIALS | changes))


async def accept(
    hass: HomeAssistant, shown: ConfigFlowResult, site: SimulatedSite
) -> None:
    """Accept the preselected meters and look at the entry."""
    assert shown["step_id"] == "meters"
    expected = preselected(shown)
    result = await submit(hass, shown)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == site.name
    assert result["data"] == {**CREDENTIALS, CONF_SITE: site.id}
    assert result["options"] == {CONF_METERS: expected, CONF_OFFERED: offered(site)}
    assert result["result"].unique_id == site.id


# --- Set-up ---------------------------------------------------------------------------


async def test_one_site(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Nothing is asked that has only one answer, and blanks do not matter."""
    result = await log_in(hass, username=" demo ")
    assert result["description_placeholders"] == {"site": site.name}
    assert preselected(result) == offered(site) == list(choices(result))
    await accept(hass, result, site)


async def test_chosen_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """What is ticked counts, also if it is nothing."""
    some = offered(site)[1:3]
    result = await submit(hass, await log_in(hass), meters=some)
    assert result["options"] == {CONF_METERS: some, CONF_OFFERED: offered(site)}
    await hass.config_entries.async_remove(result["result"].entry_id)
    result = await submit(hass, await log_in(hass), meters=[])
    assert result["options"] == {CONF_METERS: [], CONF_OFFERED: offered(site)}


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
    hass.data.pop(account._ACCOUNTS)


@pytest.mark.parametrize("trouble", ERRORS.values(), ids=ERRORS)
async def test_error_at_log_in(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    trouble: Trouble,
) -> None:
    """An error is shown in the form, which keeps the name and forgets the password."""
    harm, error = trouble
    harm(cloud)
    result = await log_in(hass)
    assert result["step_id"] == "user"
    assert result["errors"] == {"base": error}
    assert suggestions(result) == {CONF_USERNAME: "demo"}
    repair(hass, cloud)
    await accept(hass, await submit(hass, result, **CREDENTIALS), site)


async def test_unexpected_error(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault of our own leads to a message too, and to a line in the log."""
    with patch.object(ClimkitClient, "site_ids", side_effect=ZeroDivisionError):
        result = await log_in(hass)
    assert result["errors"] == {"base": "unknown"}
    assert "Unexpected error while talking to Climkit" in caplog.text
    caplog.clear()
    await accept(hass, await submit(hass, result, **CREDENTIALS), site)


async def test_no_sites(hass: HomeAssistant, cloud: Simulator) -> None:
    cloud.grant("demo", [])
    result = await log_in(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_sites"


async def test_all_configured(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    entry_for(site).add_to_hass(hass)
    result = await log_in(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_two_flows_for_one_site(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """A forgotten dialog does not stand in the way, and adds nothing twice."""
    forgotten = await log_in(hass)
    await accept(hass, await log_in(hass), site)
    assert forgotten["flow_id"] not in {
        flow["flow_id"] for flow in hass.config_entries.flow.async_progress()
    }
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_site_configured_meanwhile(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    shown = await log_in(hass)
    entry_for(site).add_to_hass(hass)
    result = await submit(hass, shown)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


# --- Several sites --------------------------------------------------------------------


def site_number(number: int) -> SimulatedSite:
    """Return a site with id and name of its own; the cloud lacks the second's place."""
    site = sites.many(number)[-1]
    if number == 2:
        site.info = {"address": None}
    return site


def add_sites(cloud: Simulator, count: int) -> list[SimulatedSite]:
    """Add sites to the cloud, all visible to the account."""
    added = [site_number(number) for number in range(count, 0, -1)]
    for site in added:
        cloud.sites.append(site)
    return added


async def test_few_sites(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """They are offered by name and place, but for those that are set up."""
    second, first = add_sites(cloud, 2)
    entry_for(site).add_to_hass(hass)
    shown = await log_in(hass)
    assert shown["step_id"] == "site"
    assert choices(shown) == {
        first.id: "Immeuble 001, Lausanne",
        second.id: "Immeuble 002",
    }
    assert list(choices(shown)) == [first.id, second.id]
    assert mode(shown) == "list"
    assert len(cloud.requests.to("installation_infos")) == 2
    await accept(hass, await submit(hass, shown, site=second.id), second)

    await accept(hass, await log_in(hass), first)


async def test_many_sites(hass: HomeAssistant, cloud: Simulator) -> None:
    """Fetching many names shows how far it is."""
    added = add_sites(cloud, 11)
    progress: list[float] = []

    def listen(event: Event) -> None:
        progress.append(event.data["progress"])

    hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, listen)
    opened = await start(hass)
    shown = await hass.config_entries.flow.async_configure(
        opened["flow_id"], CREDENTIALS
    )
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    assert shown["description_placeholders"] == {"count": "12"}
    await hass.async_block_till_done()
    assert progress == pytest.approx([number / 12 for number in range(12)])
    shown = await hass.config_entries.flow.async_configure(opened["flow_id"])
    assert shown["step_id"] == "site"
    assert len(choices(shown)) == 12
    assert mode(shown) == "dropdown"
    await accept(hass, await submit(hass, shown, site=added[4].id), added[4])


async def test_error_while_fetching_names(
    hass: HomeAssistant, cloud: Simulator
) -> None:
    """The names that are known are not fetched again; the form says what is wrong."""
    added = add_sites(cloud, 6)
    opened = await start(hass)
    shown = await hass.config_entries.flow.async_configure(
        opened["flow_id"], CREDENTIALS
    )
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    fault_in_between = Fault(kind="refuse", path="installation_infos", after=3)
    cloud.faults.add(fault_in_between)
    await hass.async_block_till_done()
    for _ in range(2):  # the page may ask twice for what to show
        shown = await hass.config_entries.flow.async_configure(opened["flow_id"])
        assert shown["step_id"] == "user"
        assert shown["errors"] == {"base": "cannot_connect"}
        assert suggestions(shown) == {CONF_USERNAME: "demo"}
    repair(hass, cloud)
    cloud.requests.clear()
    shown = await submit(hass, shown, **CREDENTIALS)
    assert shown["step_id"] == "site"
    assert len(cloud.requests.to("installation_infos")) < 7
    await accept(hass, await submit(hass, shown, site=added[0].id), added[0])


async def test_error_while_fetching_few_names(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    cloud.faults.add(Fault(kind="status", status=503, path="installation_infos"))
    shown = await log_in(hass)
    assert shown["step_id"] == "user"
    assert shown["errors"] == {"base": "cannot_connect"}
    repair(hass, cloud)
    await accept(hass, await submit(hass, shown, **CREDENTIALS), site)


async def test_closing_the_dialog_while_fetching(
    hass: HomeAssistant, cloud: Simulator
) -> None:
    """Nobody waits for the names any more, so nobody fetches them."""
    add_sites(cloud, 30)
    opened = await start(hass)
    await hass.config_entries.flow.async_configure(opened["flow_id"], CREDENTIALS)
    hass.config_entries.flow.async_abort(opened["flow_id"])
    await hass.async_block_till_done()
    assert len(cloud.requests.to("installation_infos")) < 30


async def test_site_without_infos(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """A site whose description is refused can be set up, under its id."""
    (other,) = add_sites(cloud, 1)
    cloud.faults.add(
        Fault(kind="status", status=403, path=f"installation_infos/{other.id}")
    )
    shown = await log_in(hass)
    assert choices(shown)[other.id] == other.id
    result = await submit(hass, await submit(hass, shown, site=other.id))
    assert result["title"] == other.id
    assert result["result"].unique_id == other.id


# --- Meters ---------------------------------------------------------------------------


async def test_error_while_reading_meters(
    hass: HomeAssistant, cloud: Simulator
) -> None:
    """The site can be chosen again, or another one."""
    (other,) = add_sites(cloud, 1)
    shown = await log_in(hass)
    cloud.faults.add(Fault(kind="status", status=403, path="meter_info"))
    shown = await submit(hass, shown, site=other.id)
    assert shown["step_id"] == "site"
    assert shown["errors"] == {"base": "access_denied"}
    assert suggestions(shown) == {CONF_SITE: other.id}
    repair(hass, cloud)
    await accept(hass, await submit(hass, shown, site=other.id), other)


async def test_credentials_withdrawn_meanwhile(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    (other,) = add_sites(cloud, 1)
    shown = await log_in(hass)
    cloud.expire_tokens()
    wrong_password(cloud)
    shown = await submit(hass, shown, site=other.id)
    assert shown["step_id"] == "user"
    assert shown["errors"] == {"base": "invalid_auth"}
    repair(hass, cloud)
    shown = await submit(hass, shown, **CREDENTIALS)
    await accept(hass, await submit(hass, shown, site=site.id), site)


async def test_site_without_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    site.meters[:] = [meter for meter in site.meters if meter.mode == "introduction"]
    result = await log_in(hass)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["options"] == {CONF_METERS: [], CONF_OFFERED: []}


async def test_many_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Of more than ten, those that produce are preselected."""
    site.meters += [
        SimulatedMeter(id=f"{number:024x}", name=f"Flat {number}")
        for number in range(9)
    ]
    shown = await log_in(hass)
    assert preselected(shown) == [
        meter.id for meter in site.meters if meter.mode == "production"
    ]
    assert list(choices(shown)) == offered(site)
    await accept(hass, shown, site)


KINDS = [
    ("electricity", "consumption", "Electricity consumption", "Stromverbrauch"),
    ("electricity", "production", "Electricity production", "Stromproduktion"),
    ("electricity", "submeter", "Electricity", "Strom"),
    ("heating", "consumption", "Heating", "Heizung"),
    ("cooling", "consumption", "Cooling", "Kühlung"),
    ("cold_water", "consumption", "Cold water", "Kaltwasser"),
    ("hot_water", "consumption", "Hot water", "Warmwasser"),
    ("charge_point", "consumption", "Charge point", "Ladestation"),
    ("compressed_air", "consumption", "Compressed air", "Compressed air"),
]


@pytest.mark.parametrize(("language", "column"), [("en", 2), ("de", 3)])
async def test_labels_of_meters(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    language: str,
    column: int,
) -> None:
    """Name and kind, in the language of the system; a new kind as the cloud calls it."""
    hass.config.language = language
    site.meters[:] = [
        SimulatedMeter(id=f"{number:024x}", name="M", type=kind[0], mode=kind[1])
        for number, kind in enumerate(KINDS)
    ]
    labels = choices(await log_in(hass))
    assert list(labels.values()) == [f"M ({kind[column]})" for kind in KINDS]


# --- Credentials of an entry ----------------------------------------------------------

STARTERS = {
    "reauth_confirm": MockConfigEntry.start_reauth_flow,
    "reconfigure": MockConfigEntry.start_reconfigure_flow,
}
ENDS = {"reauth_confirm": "reauth_successful", "reconfigure": "reconfigure_successful"}
NEW = {CONF_USERNAME: "other", CONF_PASSWORD: "new"}


@pytest.fixture(params=STARTERS)
async def step(request: pytest.FixtureRequest) -> str:
    """Return the step at which credentials are replaced."""
    name: str = request.param
    return name


def give_access(cloud: Simulator, *visible: SimulatedSite) -> None:
    """Let a second account see some sites."""
    cloud.accounts["other"] = "new"
    cloud.grant("other", [site.id for site in visible])


async def test_new_credentials(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    step: str,
) -> None:
    """The entry gets them, nothing else of it changes, and it is loaded again."""
    entry.add_to_hass(hass)
    give_access(cloud, site)
    options = dict(entry.options)
    shown = await STARTERS[step](entry, hass)
    assert shown["step_id"] == step
    assert (shown["description_placeholders"] or {})["site"] == site.name
    assert suggestions(shown) == {CONF_USERNAME: "demo"}
    result = await submit(hass, shown, **NEW)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == ENDS[step]
    assert entry.data == {**NEW, CONF_SITE: site.id}
    assert entry.options == options
    assert entry.unique_id == site.id
    await hass.async_block_till_done()
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


@pytest.mark.parametrize("trouble", ERRORS.values(), ids=ERRORS)
async def test_error_at_new_credentials(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    step: str,
    trouble: Trouble,
) -> None:
    harm, error = trouble
    entry.add_to_hass(hass)
    harm(cloud)
    shown = await submit(hass, await STARTERS[step](entry, hass), **CREDENTIALS)
    assert shown["step_id"] == step
    assert shown["errors"] == {"base": error}
    repair(hass, cloud)
    result = await submit(hass, shown, **CREDENTIALS)
    assert result["reason"] == ENDS[step]


async def test_credentials_that_do_not_see_the_site(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    step: str,
) -> None:
    """Neither a wrong account nor withdrawn access changes the entry."""
    entry.add_to_hass(hass)
    before = dict(entry.data)
    give_access(cloud)
    shown = await submit(hass, await STARTERS[step](entry, hass), **NEW)
    assert shown["errors"] == {"base": "site_not_visible"}
    assert suggestions(shown) == {CONF_USERNAME: "other"}
    assert entry.data == before
    give_access(cloud, site)
    result = await submit(hass, shown, **NEW)
    assert result["reason"] == ENDS[step]


async def test_siblings_get_the_new_credentials(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    step: str,
) -> None:
    """Those with the same old ones and a site that the new ones see, and only those."""
    same, unseen, foreign = (entry_for(site_number(number)) for number in (1, 2, 3))
    elsewhere = {CONF_USERNAME: "demo", CONF_PASSWORD: "older"}
    for other in (entry, same, unseen, foreign):
        other.add_to_hass(hass)
    hass.config_entries.async_update_entry(foreign, data={**foreign.data, **elsewhere})
    add_sites(cloud, 3)
    give_access(cloud, site, site_number(1), site_number(3))
    waiting = await same.start_reauth_flow(hass)
    await submit(hass, await STARTERS[step](entry, hass), **NEW)
    await hass.async_block_till_done()
    assert {key: entry.data[key] for key in NEW} == NEW
    assert {key: same.data[key] for key in NEW} == NEW
    assert {key: unseen.data[key] for key in NEW} == CREDENTIALS
    assert {key: foreign.data[key] for key in NEW} == elsewhere
    assert waiting["flow_id"] not in {
        flow["flow_id"] for flow in hass.config_entries.flow.async_progress()
    }


# --- Options --------------------------------------------------------------------------


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


# --- What the page gets, and what nobody may see --------------------------------------


async def test_over_http(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every form can be sent to the page; the password appears nowhere."""
    cloud.accounts["demo"] = secret = "correct horse battery staple"
    assert await async_setup_component(hass, "config", {})
    page = await hass_client()
    url = "/api/config/config_entries/flow"
    seen = []

    async def send(path: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = await page.post(path, json=body)
        assert reply.status == 200
        seen.append(await reply.text())
        content: dict[str, Any] = json.loads(seen[-1])
        return content

    form = await send(url, {"handler": DOMAIN})
    url = f"{url}/{form['flow_id']}"
    name, password = form["data_schema"]
    assert name["selector"]["text"]["autocomplete"] == "username"
    assert password["selector"]["text"]["type"] == "password"
    assert password["selector"]["text"]["autocomplete"] == "current-password"
    await send(url, {CONF_USERNAME: "demo", CONF_PASSWORD: f"{secret}!"})
    form = await send(url, {CONF_USERNAME: "demo", CONF_PASSWORD: secret})
    (meters,) = form["data_schema"]
    assert meters["default"] == offered(site)
    assert not meters.get("required")
    assert (await send(url, {}))["type"] == "create_entry"
    assert secret not in "".join(seen)
    assert secret not in caplog.text


async def test_clients_are_shared(hass: HomeAssistant, cloud: Simulator) -> None:
    """One client for the same credentials, one queue for the same account."""
    first = async_get_client(hass, "demo", "demo")
    assert async_get_client(hass, "demo", "demo") is first
    typo = async_get_client(hass, "Demo", "typo")
    assert typo is not first
    assert typo.queue is first.queue
    assert async_get_client(hass, "someone", "demo").queue is not first.queue
    assert cloud.requests == []


async def test_flows_and_entries_keep_the_limit_together(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever uses the account, and be it with a wrong password, waits for the others."""
    monkeypatch.setattr(queue, "AsyncLimiter", AsyncLimiter)
    cloud.min_interval = 1.0
    running = async_get_client(hass, **CREDENTIALS)
    _, refused, shown = await asyncio.gather(
        running.site(site.id), log_in(hass, password="typo"), log_in(hass)
    )
    assert refused["errors"] == {"base": "invalid_auth"}
    assert shown["step_id"] == "meters"
    assert cloud.requests.smallest_gap() >= 1.0
    assert 429 not in {request.status for request in cloud.requests}
