"""The set-up dialog as a whole: what the page gets, and what nobody may see."""

import json
from typing import Any

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.climkit.const import DOMAIN

from .setup_flow.dialog import offered
from .simulator import SimulatedSite, Simulator


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
