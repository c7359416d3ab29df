"""Which site: by name and place, and what goes wrong while it is read."""

from homeassistant.const import CONF_USERNAME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
)
import pytest

from custom_components.climkit.const import CONF_SITE
from tests.conftest import entry_for
from tests.simulator import Fault, SimulatedSite, Simulator

from .dialog import (
    CREDENTIALS,
    accept,
    add_sites,
    alone,
    choices,
    log_in,
    mode,
    repair,
    start,
    submit,
    suggestions,
    wrong_password,
)

pytestmark = pytest.mark.usefixtures("every_text_exists", "without_set_up")


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

    @callback  # or it would be heard in a thread, in any order
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
    shown = await submit(hass, await submit(hass, shown, site=other.id))
    result = await alone(hass, shown)
    assert result["title"] == other.id
    assert result["result"].unique_id == other.id


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
