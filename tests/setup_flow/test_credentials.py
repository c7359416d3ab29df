"""Credentials as they are typed: right, refused, and of sites that are set up."""

from unittest.mock import patch

from homeassistant.const import CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.climkit.api import ClimkitClient
from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, DOMAIN
from tests.conftest import entry_for
from tests.simulator import SimulatedSite, Simulator

from .dialog import (
    CREDENTIALS,
    ERRORS,
    Trouble,
    accept,
    choices,
    log_in,
    offered,
    preselected,
    repair,
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
