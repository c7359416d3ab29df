"""Everything that is metered, at a site of each kind: what there is, and its names.

Snapshots say what entities, devices and statistics there are, one a line, so that they
can be read.
"""

import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from tests.conftest import NOW, entry_for
from tests.ledger import assert_equal, model_hours, rows_of
from tests.simulator import SimulatedSite, Simulator, sites

from .kinds import CREATED, KINDS, large
from .listing import described, entities, ready, statistics


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", KINDS, indirect=True)
async def test_what_there_is(
    hass: HomeAssistant,
    snapshot: SnapshotAssertion,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Reviewed line by line: names, classes, units, and what is disabled by default."""
    await ready(hass, cloud, entry)
    devices = {
        device.id: device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }
    assert {
        "devices": [
            " | ".join(
                filter(
                    None,
                    [
                        device.name,
                        device.model,
                        device.entry_type and str(device.entry_type),
                        device.via_device_id
                        and f"via {devices[device.via_device_id].name}",
                    ],
                )
            )
            for device in devices.values()
        ],
        "entities": [described(e) for e in entities(hass, entry)],
        "statistics": await statistics(hass),
    } == snapshot


@pytest.mark.slow
@pytest.mark.statistics_only
@pytest.mark.freeze_time(NOW)
async def test_hundreds_of_meters(
    hass: HomeAssistant,
    *,
    recorder_mock: object,
    enable_custom_integrations: None,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hundred meters cost no request more than four; all of them are there."""
    counts = []
    for site in (sites.large(4, created=CREATED), large()):
        async with Simulator([site], clock=dt_util.utcnow, min_interval=0) as cloud:
            monkeypatch.setenv("CLIMKIT_API_URL", cloud.url)
            entry = entry_for(site, options={}, username=site.id)
            cloud.accounts[site.id] = "demo"
            await ready(hass, cloud, entry)
            counts.append(len(cloud.requests))
            devices = dr.async_entries_for_config_entry(
                dr.async_get(hass), entry.entry_id
            )
            shown = [meter for meter in site.meters if meter.mode != "introduction"]
            assert len(devices) == 1 + len(shown)
            newest = site.meters[-1]
            rows = await rows_of(hass, f"climkit:{newest.id}_consumption")
            now = dt_util.utcnow()
            assert_equal(
                rows, model_hours(site, f"total_{newest.id}", CREATED, now, at=now)
            )
            await hass.config_entries.async_unload(entry.entry_id)
    assert counts[0] == counts[1]


@pytest.mark.freeze_time(NOW)
@pytest.mark.usefixtures("everything_enabled")
@pytest.mark.parametrize("language", ["en", "de", "fr", "it"])
async def test_no_raw_key_shows(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    language: str,
) -> None:
    """Every name is in the language of the system, and no two at a device are the same."""
    hass.config.language = language
    await ready(hass, cloud, entry)
    names: dict[str, Any] = {}
    for e in entities(hass, entry):
        assert e.original_name, e.entity_id
        assert not re.search(r"[_{}]|component\.", e.original_name), e.original_name
        names[f"{e.device_id} {e.original_name}"] = e.unique_id
    assert len(names) == len(entities(hass, entry))
    listed = await statistics(hass)
    assert len({line.split(" | ")[0] for line in listed}) == len(listed)
    assert not [line for line in listed if re.search(r"[_{}]", line.split(" | ")[0])]
    word = {"en": "Hot water", "de": "Warmwasser", "fr": "Eau chaude"}
    expected = word.get(language, "Acqua calda")
    assert [line for line in listed if line.startswith(f"{site.name} {expected} |")]


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("kind", ["nameless"], indirect=True)
@pytest.mark.parametrize(
    ("language", "name", "model"),
    [
        ("en", "Electricity consumption 11", "Electricity meter"),
        ("de", "Stromverbrauch 11", "Stromzähler"),
        ("fr", "Consommation d\u2019électricité 11", "Compteur électrique"),
        ("it", "Consumo di elettricità 11", "Contatore elettrico"),
    ],
)
async def test_meters_without_a_name(
    hass: HomeAssistant,
    *,
    cloud: Simulator,
    entry: MockConfigEntry,
    language: str,
    name: str,
    model: str,
) -> None:
    """They are called what they meter, and by the number that is on their bus."""
    hass.config.language = language
    await ready(hass, cloud, entry)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert (name, model) in {(device.name, device.model) for device in devices}
    assert [line for line in await statistics(hass) if f" {name} " in line]
