"""Credentials: typed, known, refused, renewed."""

from unittest.mock import patch

from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import ClimkitClient
from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, CONF_SITE, DOMAIN
from custom_components.climkit.reading.account import async_get_client
from tests.conftest import entry_for
from tests.simulator import SimulatedSite, Simulator

from .dialog import (
    CREDENTIALS,
    ERRORS,
    NEW,
    Trouble,
    accept,
    add_sites,
    choices,
    credentials_form,
    give_access,
    log_in,
    offered,
    preselected,
    repair,
    site_number,
    start,
    submit,
    suggestions,
)

pytestmark = pytest.mark.usefixtures("every_text_exists", "without_set_up")


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


# --- Credentials of an entry ----------------------------------------------------------

STARTERS = {
    "reauth_confirm": MockConfigEntry.start_reauth_flow,
    "reconfigure": MockConfigEntry.start_reconfigure_flow,
}
ENDS = {"reauth_confirm": "reauth_successful", "reconfigure": "reconfigure_successful"}


@pytest.fixture(params=STARTERS)
async def step(request: pytest.FixtureRequest) -> str:
    """Return the step at which credentials are replaced."""
    name: str = request.param
    return name


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


async def test_the_account_gets_the_new_credentials(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    step: str,
) -> None:
    """All its entries, whatever their password, if the new ones see the site; once."""
    same, unseen, older, foreign = (entry_for(site_number(n)) for n in (1, 2, 3, 4))
    given = {
        older: {CONF_USERNAME: "Demo", CONF_PASSWORD: "older"},
        foreign: {CONF_USERNAME: "someone", CONF_PASSWORD: "demo"},
    }
    for other in (entry, same, unseen, older, foreign):
        other.add_to_hass(hass)
        data = {**other.data, **given.get(other, {})}
        hass.config_entries.async_update_entry(other, data=data)
    add_sites(cloud, 4)
    give_access(cloud, site, *(site_number(number) for number in (1, 3, 4)))
    waiting = await same.start_reauth_flow(hass)
    shown = await STARTERS[step](entry, hass)
    with patch.object(
        hass.config_entries, "async_reload", wraps=hass.config_entries.async_reload
    ) as reload:
        await submit(hass, shown, **NEW)
        await hass.async_block_till_done()
    reloaded = [call.args[0] for call in reload.call_args_list]
    assert sorted(reloaded) == sorted(e.entry_id for e in (entry, same, older))
    for other in (entry, same, older):
        assert {key: other.data[key] for key in NEW} == NEW
    assert {key: unseen.data[key] for key in NEW} == CREDENTIALS
    assert {key: foreign.data[key] for key in NEW} == given[foreign]
    assert waiting["flow_id"] not in {
        flow["flow_id"] for flow in hass.config_entries.flow.async_progress()
    }


async def test_who_waits_for_the_password_is_loaded_though_it_is_the_same(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Climkit had refused what is right: one asks for all, one answer does for all."""
    added = [entry_for(site) for site in add_sites(cloud, 2)]
    for other in (entry, *added):
        other.add_to_hass(hass)
    shown = await entry.start_reauth_flow(hass)
    with patch.object(
        hass.config_entries, "async_reload", wraps=hass.config_entries.async_reload
    ) as reload:
        await submit(hass, shown, **CREDENTIALS)
        await hass.async_block_till_done()
    reloaded = [call.args[0] for call in reload.call_args_list]
    assert sorted(reloaded) == sorted(e.entry_id for e in (entry, *added))
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.parametrize("waits", [False, True], ids=["in order", "waiting"])
async def test_known_account_typed_anew(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    *,
    waits: bool,
) -> None:
    """Its sites get the new password, once, before anything is added; no others do."""
    first, second, unseen, foreign = (site_number(number) for number in (1, 2, 3, 4))
    cloud.sites += [first, second, unseen, foreign]
    cloud.grant("demo", [entry.data[CONF_SITE], first.id, second.id])
    older = entry_for(first, username="Demo", password="older")
    others = [entry_for(unseen), entry_for(foreign, username="someone")]
    for other in (entry, older, *others):
        other.add_to_hass(hass)
    if waits:
        await older.start_reauth_flow(hass)
    shown = await credentials_form(hass)
    with patch.object(
        hass.config_entries, "async_reload", wraps=hass.config_entries.async_reload
    ) as reload:
        shown = await submit(hass, shown, username="demo", password="typo")
        assert shown["errors"] == {"base": "invalid_auth"}
        assert older.data[CONF_PASSWORD] == "older"
        cloud.accounts["demo"] = "new"
        shown = await submit(hass, shown, username="demo", password="new")
        await hass.async_block_till_done()
    assert shown["step_id"] == "meters"
    reloaded = [call.args[0] for call in reload.call_args_list]
    assert sorted(reloaded) == sorted(e.entry_id for e in (entry, older))
    for other in (entry, older):
        known = other.data[CONF_USERNAME], other.data[CONF_PASSWORD]
        assert known == ("demo", "new")
    assert {other.data[CONF_PASSWORD] for other in others} == {"demo"}
    assert [flow["flow_id"] for flow in hass.config_entries.flow.async_progress()] == [
        shown["flow_id"]
    ]


# --- An account that is known ---------------------------------------------------------


async def test_known_account(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Its password is not asked again, and not sent again while its token lives."""
    (added,) = add_sites(cloud, 1)
    entry.add_to_hass(hass)
    client = async_get_client(hass, **CREDENTIALS)
    await client.authenticate()
    shown = await start(hass)
    assert shown["step_id"] == "account"
    assert choices(shown) == {"demo": "demo", "new": "Another account"}
    assert preselected(shown) == "demo"
    await accept(hass, await submit(hass, shown, account="demo"), added)
    assert len(cloud.requests.to("auth")) == 1


async def test_known_accounts(hass: HomeAssistant, cloud: Simulator) -> None:
    """Each once, however it is spelled; of several passwords, that of a loaded entry."""
    second, first = add_sites(cloud, 2)
    cloud.accounts["Demo"] = "demo"
    right = entry_for(first, username="Demo")
    older = entry_for(second, username="demo", password="older")
    for entry in (right, older):
        entry.add_to_hass(hass)
    await hass.config_entries.async_setup(right.entry_id)  # and the other with it
    await hass.config_entries.async_unload(older.entry_id)
    entry_for(site_number(3), username="Another").add_to_hass(hass)
    ignored = MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="ignored")
    ignored.add_to_hass(hass)
    shown = await start(hass)
    assert list(choices(shown)) == ["Another", "Demo", "new"]
    shown = await submit(hass, shown, account="Demo")
    assert shown["step_id"] == "meters"
    assert not cloud.requests.to("auth")[1:]


async def test_another_account(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry
) -> None:
    """It is asked for as the first one was; the page may ask twice what to show."""
    (added,) = add_sites(cloud, 1)
    give_access(cloud, added)
    entry.add_to_hass(hass)
    shown = await submit(hass, await start(hass), account="new")
    for _ in range(2):
        assert shown["step_id"] == "user"
        assert not shown["errors"]
        assert suggestions(shown) == {}
        shown = await hass.config_entries.flow.async_configure(shown["flow_id"])
    shown = await submit(hass, await submit(hass, shown, **NEW))
    assert shown["data"] == {**NEW, CONF_SITE: added.id}


@pytest.mark.parametrize("trouble", ERRORS.values(), ids=ERRORS)
async def test_error_with_a_known_account(
    hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, trouble: Trouble
) -> None:
    """It can be tried again; refused credentials lead to the form for others."""
    harm, error = trouble
    (added,) = add_sites(cloud, 1)
    entry.add_to_hass(hass)
    shown = await start(hass)
    harm(cloud)
    shown = await submit(hass, shown, account="demo")
    assert shown["errors"] == {"base": error}
    repair(hass, cloud)
    if error == "invalid_auth":
        assert shown["step_id"] == "user"
        assert suggestions(shown) == {CONF_USERNAME: "demo"}
        shown = await submit(hass, shown, **CREDENTIALS)
    else:
        assert shown["step_id"] == "account"
        shown = await hass.config_entries.flow.async_configure(shown["flow_id"])
        assert shown["errors"] == {"base": error}
        shown = await submit(hass, shown, account="demo")
    await accept(hass, shown, added)


async def test_account_removed_meanwhile(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    entry.add_to_hass(hass)
    shown = await start(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    shown = await submit(hass, shown, account="demo")
    assert shown["step_id"] == "user"
    await accept(hass, await submit(hass, shown, **CREDENTIALS), site)
