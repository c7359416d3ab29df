"""An account that is known: its password is not asked again."""

from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.const import CONF_USERNAME
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import CONF_SITE, DOMAIN
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
    give_access,
    preselected,
    repair,
    site_number,
    start,
    submit,
    suggestions,
)

pytestmark = pytest.mark.usefixtures("every_text_exists", "without_set_up")


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
