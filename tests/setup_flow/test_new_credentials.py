"""Credentials of an entry that are replaced, and with them those of its account."""

from unittest.mock import patch

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import CONF_SITE, DOMAIN
from tests.conftest import entry_for
from tests.simulator import SimulatedSite, Simulator

from .dialog import (
    CREDENTIALS,
    ERRORS,
    NEW,
    Trouble,
    add_sites,
    credentials_form,
    give_access,
    repair,
    site_number,
    submit,
    suggestions,
)

pytestmark = pytest.mark.usefixtures("every_text_exists", "without_set_up")
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
