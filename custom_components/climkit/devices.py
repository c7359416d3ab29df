"""Devices: the site, and a device for each chosen meter, named as in the cloud."""

from collections.abc import Mapping
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType

from .const import DOMAIN, MANUFACTURER
from .metering.site import SiteInfo
from .reading.meter_names import async_choice_texts, kind_in_words
from .runtime import ClimkitConfigEntry

APP_URL: Final = "https://app.climkit.io"


async def async_keep_devices(hass: HomeAssistant, entry: ClimkitConfigEntry) -> None:
    """Keep the devices in line with the cloud, from now on."""
    data = entry.runtime_data
    models = await async_choice_texts(hass, "model")

    @callback
    def update() -> None:
        _update_devices(hass, entry, models)

    update()
    for coordinator in (data.site, data.environment):
        entry.async_on_unload(coordinator.async_add_listener(update))


def _update_devices(
    hass: HomeAssistant, entry: ClimkitConfigEntry, models: Mapping[str, str]
) -> None:
    """Add and rename devices as the cloud has them; remove those that are gone."""
    info = entry.runtime_data.site.data
    sensors = entry.runtime_data.environment.sensors
    registry = dr.async_get(hass)
    _keep_name(hass, entry, info)
    site = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, info.site.id)},
        name=info.site.name,
        manufacturer=MANUFACTURER,
        model=models["site"],
        entry_type=DeviceEntryType.SERVICE,
        configuration_url=APP_URL,
    )
    for meter in info.chosen:
        registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(DOMAIN, meter.id)},
            name=meter.name,
            manufacturer=MANUFACTURER,
            model=kind_in_words(meter, models) or models["meter"],
            via_device_id=site.id,
        )
    for sensor in sensors or ():
        registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(DOMAIN, sensor.id)},
            name=sensor.name,
            manufacturer=MANUFACTURER,
            model=sensor.model or models["sensor"],
            via_device_id=site.id,
        )
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if not is_present(hass, entry, device):
            registry.async_remove_device(device.id)


def _keep_name(hass: HomeAssistant, entry: ClimkitConfigEntry, info: SiteInfo) -> None:
    """Rename the entry with its site, unless the user has given it another name."""
    site = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, info.site.id), entry.entry_id
    )
    if site and site.name == entry.title != info.site.name:
        hass.config_entries.async_update_entry(entry, title=info.site.name)


@callback
def is_present(
    hass: HomeAssistant, entry: ClimkitConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Return whether a device stands for something that the site has, or may have."""
    info = entry.runtime_data.site.data
    sensors = entry.runtime_data.environment.sensors
    present = {info.site.id, *(meter.id for meter in info.chosen)}
    present |= {sensor.id for sensor in sensors or ()}
    entities = er.async_get(hass)
    return any(
        id_ in present
        # While the list of sensors is not known, none of them is known to be gone.
        or (
            sensors is None
            and entities.async_get_entity_id(Platform.SENSOR, DOMAIN, id_)
        )
        for domain, id_ in device.identifiers
        if domain == DOMAIN
    )
