"""A Home Assistant within this process: its own core, a recorder on a file, nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import gc
from pathlib import Path
from unittest.mock import patch

from aiohttp.resolver import ThreadedResolver
from homeassistant import bootstrap, config_entries, loader
from homeassistant.components.recorder.const import DOMAIN as RECORDER
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import async_initialize_recorder, get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import METRIC_SYSTEM

from custom_components.climkit.const import CONF_METERS, CONF_SITE, DOMAIN
from tests.simulator import SimulatedSite


class _Resolver(ThreadedResolver):
    """Resolves names as the system does; Home Assistant asks also on the local network."""

    async def real_close(self) -> None:
        """Close, as Home Assistant's own resolver does at its end."""


@asynccontextmanager
async def home(directory: Path, url: str | None = None) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant in a folder, with a recorder on a file in it, or at `url`."""
    hass = HomeAssistant(str(directory))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    await hass.config.async_set_time_zone("Europe/Zurich")
    hass.config.units = METRIC_SYSTEM
    async_initialize_recorder(hass)
    config = {"db_url": url or f"sqlite:///{directory}/home-assistant_v2.db"}
    assert await async_setup_component(hass, RECORDER, {RECORDER: config})
    await hass.async_start()
    await hass.async_block_till_done()
    await get_instance(hass).async_recorder_ready.wait()
    # What was loaded until now is no rubbish; looking for some in it costs time.
    gc.collect()
    gc.freeze()
    with patch(
        "homeassistant.helpers.aiohttp_client._async_make_resolver",
        lambda _: _Resolver(),
    ):
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)


async def add(
    hass: HomeAssistant, site: SimulatedSite, meters: list[str], username: str = "demo"
) -> ConfigEntry:
    """Add a site, with devices for some of its meters; return when it is set up.

    In a folder that has it already, it is only set up.
    """
    if known := hass.config_entries.async_get_entry(site.id):
        await hass.config_entries.async_setup(known.entry_id)
        assert known.state is ConfigEntryState.LOADED, known.reason
        return known
    entry = ConfigEntry(
        data={CONF_USERNAME: username, CONF_PASSWORD: "demo", CONF_SITE: site.id},
        discovery_keys={},  # type: ignore[arg-type]
        domain=DOMAIN,
        entry_id=site.id,
        minor_version=1,
        options={CONF_METERS: meters},
        source="user",
        subentries_data=None,
        title=site.name,
        unique_id=site.id,
        version=1,
    )
    await hass.config_entries.async_add(entry)
    assert entry.state is ConfigEntryState.LOADED, entry.reason
    return entry
