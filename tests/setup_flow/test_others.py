"""The last step: other sites of the account, added with the first one."""

from homeassistant.config_entries import SOURCE_IGNORE, ConfigFlowResult
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import (
    CONF_HOME,
    CONF_METERS,
    CONF_OFFERED,
    CONF_SITE,
    DOMAIN,
)
from tests.conftest import entry_for
from tests.simulator import Fault, SimulatedMeter, SimulatedSite, Simulator

from .dialog import (
    CREDENTIALS,
    ERRORS,
    Trouble,
    add_sites,
    choices,
    log_in,
    mode,
    offered,
    preselected,
    repair,
    submit,
    suggestions,
)

pytestmark = pytest.mark.usefixtures("every_text_exists", "without_set_up")


async def others_step(hass: HomeAssistant, site: SimulatedSite) -> ConfigFlowResult:
    """Go through the set-up of a site as far as the step."""
    shown = await submit(hass, await log_in(hass), site=site.id)
    shown = await submit(hass, shown)
    assert shown["step_id"] == "others"
    assert not shown["errors"]
    return shown


def added_to(hass: HomeAssistant) -> dict[str | None, str]:
    """Return the titles of the entries by the ids of their sites."""
    return {e.unique_id: e.title for e in hass.config_entries.async_entries(DOMAIN)}


async def test_some_of_the_others(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """They become entries as if somebody had accepted what every form preselects."""
    second, first = add_sites(cloud, 2)
    second.meters += [
        SimulatedMeter(id=f"{number:024x}", name=f"Flat {number}")
        for number in range(12)
    ]
    shown = await others_step(hass, site)
    assert choices(shown) == {
        first.id: "Immeuble 001, Lausanne",
        second.id: "Immeuble 002",
    }
    assert preselected(shown) == []
    assert mode(shown) == "list"
    cloud.requests.clear()
    result = await submit(hass, shown, sites=[second.id, first.id])
    assert len(cloud.requests) == 2
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == site.name
    await hass.async_block_till_done()
    assert added_to(hass) == {s.id: s.name for s in (site, first, second)}
    for added in (first, second):
        entry = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, added.id)
        assert entry is not None
        assert entry.data == {**CREDENTIALS, CONF_SITE: added.id}
        assert entry.options == {
            CONF_METERS: offered(added)
            if added is first
            else [m.id for m in added.meters if m.mode == "production"],
            CONF_OFFERED: offered(added),
            CONF_HOME: "none",
        }


async def test_none_of_the_others(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    add_sites(cloud, 1)
    result = await submit(hass, await others_step(hass, site))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert added_to(hass) == {site.id: site.name}


async def test_without_those_that_are_set_up_or_ignored(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """What is ignored can be chosen as the site, as anywhere in Home Assistant."""
    third, second, first = add_sites(cloud, 3)
    entry_for(first, username="someone").add_to_hass(hass)
    MockConfigEntry(
        domain=DOMAIN, source=SOURCE_IGNORE, unique_id=second.id, title="Ignored"
    ).add_to_hass(hass)
    shown = await log_in(hass)
    assert set(choices(shown)) == {site.id, second.id, third.id}
    shown = await submit(hass, await submit(hass, shown, site=site.id))
    assert list(choices(shown)) == [third.id]
    hass.config_entries.flow.async_abort(shown["flow_id"])
    shown = await submit(hass, await log_in(hass), site=second.id)
    shown = await submit(hass, shown)
    result = await submit(hass, shown, sites=[third.id])
    assert result["title"] == second.name
    await hass.async_block_till_done()
    assert set(added_to(hass)) == {first.id, second.id, third.id}


async def test_many_others(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Reading the meters of many sites shows how far it is."""
    added = add_sites(cloud, 5)
    progress: list[float] = []

    @callback  # or it would be heard in a thread, in any order
    def listen(event: Event) -> None:
        progress.append(event.data["progress"])

    shown = await others_step(hass, site)
    hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, listen)
    flows = hass.config_entries.flow
    shown = await flows.async_configure(
        shown["flow_id"], {"sites": [other.id for other in added]}
    )
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    assert shown["step_id"] == "adding"
    assert shown["description_placeholders"] == {"count": "5"}
    await hass.async_block_till_done()
    assert progress == pytest.approx([number / 5 for number in range(5)])
    result = await flows.async_configure(shown["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert len(added_to(hass)) == 6


@pytest.mark.parametrize("count", [2, 5], ids=["few", "many"])
@pytest.mark.parametrize("trouble", ERRORS.values(), ids=ERRORS)
async def test_error_while_reading_their_meters(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    trouble: Trouble,
    count: int,
) -> None:
    """The choice stays, what is read is not read again, and nothing is created yet."""
    harm, error = trouble
    if error == "access_denied":
        pytest.skip("of one site, see below")
    added = add_sites(cloud, count)
    chosen = [other.id for other in added]
    shown = await others_step(hass, site)
    cloud.expire_tokens()
    harm(cloud)
    shown = await submit(hass, shown, sites=chosen)
    for _ in range(2):  # the page may ask twice for what to show
        assert shown["step_id"] == "others"
        assert shown["errors"] == {"base": error}
        assert suggestions(shown) == {"sites": chosen}
        shown = await hass.config_entries.flow.async_configure(shown["flow_id"])
    assert added_to(hass) == {}
    repair(hass, cloud)
    cloud.requests.clear()
    result = await submit(hass, shown, sites=chosen)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert {r.parts["site"] for r in cloud.requests.to("meter_info")} == set(chosen)
    await hass.async_block_till_done()
    assert len(added_to(hass)) == 1 + count


async def test_one_of_the_others_is_denied(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """The form says which one, and goes on without it."""
    second, first = add_sites(cloud, 2)
    shown = await others_step(hass, site)
    cloud.faults.add(Fault(kind="status", status=403, path=f"meter_info/{first.id}"))
    shown = await submit(hass, shown, sites=[first.id, second.id])
    assert shown["errors"] == {"base": "others_denied"}
    assert shown["description_placeholders"] == {"denied": "Immeuble 001, Lausanne"}
    assert suggestions(shown) == {"sites": [second.id]}
    cloud.requests.clear()
    result = await submit(hass, shown, sites=[second.id])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(cloud.requests) == 0
    await hass.async_block_till_done()
    assert set(added_to(hass)) == {site.id, second.id}


async def test_one_of_the_others_is_set_up_meanwhile(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """It keeps its entry and its options."""
    (other,) = add_sites(cloud, 1)
    shown = await others_step(hass, site)
    entry = entry_for(other, meters=[])
    entry.add_to_hass(hass)
    await submit(hass, shown, sites=[other.id])
    await hass.async_block_till_done()
    assert hass.config_entries.async_entries(DOMAIN)[0] is entry
    assert entry.options == {CONF_METERS: []}
    assert len(added_to(hass)) == 2
