"""Sites that an account sees and nobody has set up, offered as discovered."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, CONF_SITE, DOMAIN
from tests.conftest import LATELY, NOW, entry_for, later, set_up
from tests.simulator import Fault, SimulatedSite, Simulator, sites

from .dialog import (
    CREDENTIALS,
    ERRORS,
    NEW,
    Trouble,
    add_sites,
    fault,
    give_access,
    log_in,
    offered,
    preselected,
    repair,
    submit,
    suggestions,
)
from .discoveries import discovered, ids_of, opened

pytestmark = [
    pytest.mark.usefixtures("every_text_exists"),
    pytest.mark.freeze_time(NOW),
    pytest.mark.statistics_only,
]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site."""
    return sites.many(9, created=LATELY)[-1]


async def test_what_is_left(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """At once after set-up, under name and place, without another request."""
    second, first = add_sites(cloud, 2)
    shown = await submit(hass, await log_in(hass), site=site.id)
    shown = await submit(hass, shown)
    assert discovered(hass) == {}
    await submit(hass, shown)
    await hass.async_block_till_done()
    assert discovered(hass) == {
        first.id: "Immeuble 001, Lausanne",
        second.id: "Immeuble 002",
    }
    assert len(cloud.requests.to("all_installations")) == 1
    assert len(cloud.requests.to("installation_infos")) == 4  # one of the entry


async def test_what_is_added_as_another_one_is_not_offered(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    seen = set[str]()
    flows = hass.config_entries.flow
    flows.async_subscribe_flow(lambda _, flow_id: seen.add(flow_id))
    second, first = add_sites(cloud, 2)
    shown = await submit(hass, await log_in(hass), site=site.id)
    await submit(hass, await submit(hass, shown), sites=[first.id])
    await hass.async_block_till_done()
    assert set(discovered(hass)) == {second.id}
    assert seen == {flow["flow_id"] for flow in flows.async_progress()}
    entries = hass.config_entries.async_entries(DOMAIN)
    assert {entry.unique_id for entry in entries} == {site.id, first.id}
    assert all(entry.state is ConfigEntryState.LOADED for entry in entries)


@pytest.mark.parametrize(("left", "shown"), [(10, 10), (11, 0)])
async def test_at_most_ten(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    left: int,
    shown: int,
) -> None:
    """Whoever has more of them does not want them all; nobody asks for their names."""
    await set_up(hass, entry)
    sites_left = [
        site
        for site in sites.many(left + 1, created=LATELY)
        if site.id != entry.unique_id
    ]
    cloud.sites.extend(sites_left[:left])
    await later(hass, freezer, HOUR)
    assert len(discovered(hass)) == shown
    assert len(cloud.requests.to("installation_infos")) == 1 + shown


async def test_new_ones_within_a_day_and_gone_ones_go(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    await set_up(hass, entry)
    assert cloud.requests.to("all_installations") == []
    await later(hass, freezer, HOUR)
    assert discovered(hass) == {}
    second, first = add_sites(cloud, 2)
    await later(hass, freezer, 23 * HOUR)
    assert discovered(hass) == {}
    await later(hass, freezer, HOUR)
    assert set(discovered(hass)) == {first.id, second.id}
    cloud.grant("demo", [site.id, second.id])
    await later(hass, freezer, DAY)
    assert set(discovered(hass)) == {second.id}
    assert len(cloud.requests.to("all_installations")) == 3


async def test_a_short_list_is_not_believed_for_long(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> None:
    """A list that lacks sites is asked for again within the hour; so is one that fails."""
    added = add_sites(cloud, 2)
    await set_up(hass, entry)
    await later(hass, freezer, HOUR)
    assert set(discovered(hass)) == ids_of(added)
    cloud.faults.add(Fault("empty_list", path="all_installations", times=1))
    await later(hass, freezer, DAY)
    assert discovered(hass) == {}
    await later(hass, freezer, HOUR)
    assert set(discovered(hass)) == ids_of(added)
    cloud.faults.add(Fault("status", path="all_installations", status=500, times=1))
    await later(hass, freezer, DAY)
    asked = len(cloud.requests.to("all_installations"))
    assert set(discovered(hass)) == ids_of(added)
    await later(hass, freezer, HOUR)
    assert len(cloud.requests.to("all_installations")) == asked + 1


async def test_names(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> None:
    """A site whose description is refused has its id for a name."""
    second, first = add_sites(cloud, 2)
    await set_up(hass, entry)
    cloud.faults.add(Fault("status", path=f"installation_infos/{first.id}", status=403))
    await later(hass, freezer, HOUR)
    assert discovered(hass) == {first.id: first.id, second.id: second.name}
    cloud.faults.clear()
    await later(hass, freezer, DAY)
    assert discovered(hass)[first.id] == "Immeuble 001, Lausanne"


async def test_once_a_day_for_all_entries_of_an_account(
    hass: HomeAssistant, cloud: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Neither at a start, nor for each site, nor sooner or later because of a reload."""
    cloud.sites.clear()
    for added in add_sites(cloud, 3):
        await set_up(hass, entry_for(added))
    assert cloud.requests.to("all_installations") == []
    await later(hass, freezer, HOUR)
    assert len(cloud.requests.to("all_installations")) == 1
    for _ in range(4):
        for entry in hass.config_entries.async_entries(DOMAIN):
            await hass.config_entries.async_reload(entry.entry_id)
        await later(hass, freezer, DAY / 4)
    assert len(cloud.requests.to("all_installations")) == 2


async def test_ignored_for_good(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> None:
    """As Home Assistant's own button does it."""
    second, first = add_sites(cloud, 2)
    await set_up(hass, entry)
    await later(hass, freezer, HOUR)
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": first.id, "title": "No"},
    )
    await hass.async_block_till_done()
    assert set(discovered(hass)) == {second.id}
    ignored = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, first.id)
    assert ignored is not None
    assert ignored.source == SOURCE_IGNORE
    await later(hass, freezer, DAY)
    assert set(discovered(hass)) == {second.id}


async def test_gone_with_the_account(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    """A removed site is one that is left, until nobody knows the password any more."""
    second, first = add_sites(cloud, 2)
    other = entry_for(second)
    await set_up(hass, entry)
    await set_up(hass, other)
    await later(hass, freezer, HOUR)
    assert set(discovered(hass)) == {first.id}
    await hass.config_entries.async_remove(other.entry_id)
    await hass.async_block_till_done()
    assert set(discovered(hass)) == {first.id, second.id}
    shown = await opened(hass, first)  # what is being looked at is left alone
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert set(discovered(hass)) == {first.id}
    shown = await submit(hass, shown)
    assert shown["step_id"] == "user"
    shown = await submit(hass, shown, **CREDENTIALS)
    assert (await submit(hass, shown))["title"] == first.name


async def test_adding_it(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> None:
    """A click, and the questions that every site has; no password, no other site."""
    second, first = add_sites(cloud, 2)
    await set_up(hass, entry)
    await later(hass, freezer, HOUR)
    shown = await opened(hass, first)
    assert shown["description_placeholders"] == {
        "site": "Immeuble 001, Lausanne",
        "account": "demo",
    }
    shown = await submit(hass, shown)
    assert shown["step_id"] == "meters"
    assert preselected(shown) == offered(first)
    result = await submit(hass, shown)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == first.name
    assert result["data"] == {**CREDENTIALS, CONF_SITE: first.id}
    assert result["options"] == {
        CONF_METERS: offered(first),
        CONF_OFFERED: offered(first),
    }
    await hass.async_block_till_done()
    assert set(discovered(hass)) == {second.id}


@pytest.mark.parametrize("trouble", ERRORS.values(), ids=ERRORS)
async def test_error_while_adding_it(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    trouble: Trouble,
) -> None:
    """It can be tried again; refused credentials lead to the form for others."""
    harm, error = trouble
    if error == "access_denied":
        harm = fault(kind="status", path="meter_info", status=403)
    (added,) = add_sites(cloud, 1)
    await set_up(hass, entry)
    await later(hass, freezer, HOUR)
    shown = await opened(hass, added)
    cloud.expire_tokens()
    harm(cloud)
    shown = await submit(hass, shown)
    assert shown["errors"] == {"base": error}
    repair(hass, cloud)
    if error == "invalid_auth":
        assert shown["step_id"] == "user"
        assert suggestions(shown) == {"username": "demo"}
        shown = await submit(hass, shown, **CREDENTIALS)
    else:
        assert shown["step_id"] == "discovered"
        shown = await submit(hass, shown)
    result = await submit(hass, shown)
    assert result["title"] == added.name


async def test_other_credentials_that_do_not_see_it(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    site: SimulatedSite,
) -> None:
    second, first = add_sites(cloud, 2)
    await set_up(hass, entry)
    await later(hass, freezer, HOUR)
    cloud.expire_tokens()
    cloud.accounts["demo"] = "changed"
    shown = await submit(hass, await opened(hass, first))
    assert shown["step_id"] == "user"
    give_access(cloud, second)
    shown = await submit(hass, shown, **NEW)
    assert shown["step_id"] == "user"
    assert shown["errors"] == {"base": "site_not_visible"}
    assert shown["description_placeholders"] == {"site": "Immeuble 001, Lausanne"}
    give_access(cloud, first, second)
    result = await submit(hass, await submit(hass, shown, **NEW))
    assert result["data"] == {**NEW, CONF_SITE: first.id}


async def test_set_up_otherwise_meanwhile(
    hass: HomeAssistant,
    cloud: Simulator,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> None:
    (added,) = add_sites(cloud, 1)
    await set_up(hass, entry)
    await later(hass, freezer, HOUR)
    shown = await opened(hass, added)
    entry_for(added).add_to_hass(hass)
    result = await submit(hass, shown)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
