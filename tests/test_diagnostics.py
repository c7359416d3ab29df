"""Diagnostics and system health: useful, and without anything of anybody."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.climkit.const import CONF_METERS, CONF_OFFERED, DOMAIN
from custom_components.climkit.diagnostics import pseudonym

from .conftest import NOW, entry_for, history_done, later, set_up
from .simulator import Fault, SimulatedSite, Simulator, sites

CREATED = datetime(2026, 6, 12, 22, tzinfo=UTC)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a house with sensors, and with heat, of which nothing may be told."""
    site = sites.with_environment_sensors(created=CREATED)
    heat = sites.heat_only(created=CREATED)
    site.meters.append(heat.meters[0])
    site.publication["heating"] = heat.publication["heating"]
    return site


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry that was told what there is, and has a meter as home."""
    flat = site.meter("Appartement 1.1").id
    return entry_for(
        site, options={CONF_METERS: [flat], CONF_OFFERED: [flat], "home": flat}
    )


def leaves(node: Any) -> Iterator[Any]:
    """Yield every key and every value of a tree."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value)
    else:
        yield node


async def diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> dict[str, Any]:
    assert await async_setup_component(hass, "diagnostics", {})
    await hass.async_block_till_done(wait_background_tasks=True)
    found: dict[str, Any] = await get_diagnostics_for_config_entry(
        hass, hass_client, entry
    )
    return found


@pytest.mark.freeze_time(NOW)
async def test_nothing_of_anybody(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """No name, place, id, credential or measured value, neither as value nor as key."""
    await set_up(hass, entry)
    await history_done(entry)
    told = await diagnostics(hass, hass_client, entry)
    text = json.dumps(told, ensure_ascii=False)
    secrets = [site.id, site.name, site.city, site.street, str(site.latitude)]
    secrets += ["demo", entry.entry_id, cloud.url]
    secrets += [meter.id for meter in site.meters]
    secrets += [meter.name or meter.id for meter in site.meters]
    secrets += [text for sensor in site.sensors for text in (sensor.id, sensor.name)]
    assert [secret for secret in secrets if secret in text] == []
    amounts = {
        round(amount, 3)
        for coordinator in entry.runtime_data.live
        for quarters in coordinator.data.quarters.values()
        for amount in quarters.values()
    }
    told_numbers = {
        leaf
        for leaf in leaves(told)
        if isinstance(leaf, float) and not leaf.is_integer()
    }
    assert not told_numbers & amounts


@pytest.mark.freeze_time(NOW)
async def test_what_helps(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """What is metered, how far it has come, how the cloud speaks; by stable pseudonyms."""
    await set_up(hass, entry)
    await history_done(entry)
    told = await diagnostics(hass, hass_client, entry)
    flat = pseudonym(site.meter("Appartement 1.1").id)
    assert told["options"] == {"meters": [flat], "offered": [flat], "home": flat}
    assert told["site"]["media"] == ["electricity", "heating"]
    assert len(told["meters"]) == len(site.meters)
    assert told["meters"][flat] == {
        "type": "electricity",
        "mode": "consumption",
        "prim_ad": 11,
        "is_rule_meter": False,
        "is_chosen": True,
    }
    sensors = told["sensors"].values()
    assert {
        "type": "odour",
        "unit": "OU",
        "model": "EM300",
        "device_class": None,
    } in sensors
    live = told["coordinators"]["live"]
    assert live["media"] == ["electricity"]
    assert live["quarters"][f"{flat} consumption"] > 180
    assert 17 * 60 <= live["publication_delay"] <= 35 * 60
    assert live["age_of_newest"] == live["publication_delay"]
    assert told["history"]["percent"] == 100
    assert told["history"]["left_out"] == []
    assert f"{flat} consumption" in told["history"]["flows"]
    assert told["requests_last_hour"] == len(cloud.requests)
    assert told["shape"] == entry.runtime_data.client.observations.as_dict() != {}


@pytest.mark.freeze_time(NOW)
async def test_meters_that_may_not_be_read(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """Meters that may not be read any more, by their pseudonyms."""
    await set_up(hass, entry)
    await history_done(entry)
    told = await diagnostics(hass, hass_client, entry)
    assert told["source"]["refused"] == told["source"]["silent"] == []
    # A resident's replies: the others' columns are gone, nor may they be asked for.
    cloud.quirks.resident_rows = "own"
    cloud.grant("demo", [site.id], [site.meter("Appartement 1.2").id])
    await later(hass, freezer, timedelta(minutes=16))
    told = await diagnostics(hass, hass_client, entry)
    others = [site.meter(name) for name in ("Appartement 1.1", "Installation solaire")]
    refused = sorted(pseudonym(meter.id) for meter in others)
    assert told["source"]["refused"] == refused
    assert told["source"]["silent"] == []


@pytest.mark.freeze_time(NOW)
async def test_errors(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """An error is told by kind, endpoint and status; also the one behind it."""
    await set_up(hass, entry)
    cloud.faults.add(Fault("status", path="site_data", status=502))
    await later(hass, freezer, timedelta(minutes=20))
    told = await diagnostics(hass, hass_client, entry)
    error = told["coordinators"]["live"]["last_error"]
    assert error["key"] == "server_error"
    assert error["cause"]["type"] == "ClimkitResponseError"
    assert (error["cause"]["endpoint"], error["cause"]["status"]) == ("site_data", 502)


@pytest.mark.freeze_time(NOW)
async def test_sensors_not_known_yet(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    cloud.faults.add(Fault("status", path="sensors_list", status=500))
    await set_up(hass, entry)
    told = await diagnostics(hass, hass_client, entry)
    assert told["sensors"] is None


async def health(hass: HomeAssistant) -> dict[str, Any]:
    """Return what system health shows of this integration."""
    found: dict[str, Any] = await get_system_health_info(hass, DOMAIN)
    for key, value in found.items():
        if hasattr(value, "__await__"):
            found[key] = await value
    return found


@pytest.mark.freeze_time(NOW)
async def test_system_health(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> None:
    """One look at all sites, loaded or not; nobody's name."""
    other = sites.no_pv(created=CREATED)
    cloud.sites.append(other)
    assert await async_setup_component(hass, "system_health", {})
    await set_up(hass, entry)
    await history_done(entry)
    away = entry_for(other)
    away.add_to_hass(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    requests = len(cloud.requests)
    assert await health(hass) == {
        "sites": "1/2",
        "requests_last_hour": requests,
        "can_reach_server": "ok",
        "last_reading": datetime(2026, 6, 16, 9, 45, tzinfo=UTC),
        "statistics_backend": "table",
        "history_import": "100 %",
    }
    await hass.config_entries.async_unload(entry.entry_id)
    await cloud.stop()
    found = await health(hass)
    assert found.keys() == {"sites", "requests_last_hour", "can_reach_server"}
    assert found["can_reach_server"] == {"type": "failed", "error": "unreachable"}
    for some in (entry, away):
        await hass.config_entries.async_remove(some.entry_id)
    assert await health(hass) == {"sites": "0/0", "requests_last_hour": 0}
