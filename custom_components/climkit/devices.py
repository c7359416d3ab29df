"""Devices: the site, and a device for each chosen meter, named as in the cloud."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType

from .api import Meter, Sensor
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

    shown = data.statistics.foreign

    @callback
    def owners_changed() -> None:
        nonlocal shown
        if data.statistics.foreign != shown:
            shown = data.statistics.foreign
            update()

    update()
    entry.async_on_unload(data.statistics.async_listen(owners_changed))
    for coordinator in (data.site, data.environment):
        entry.async_on_unload(coordinator.async_add_listener(update))


def _update_devices(
    hass: HomeAssistant, entry: ClimkitConfigEntry, models: Mapping[str, str]
) -> None:
    """Add and rename devices as the cloud has them; remove those that are gone."""
    info = entry.runtime_data.site.data
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
    for id_, name, model in _parts(entry, models):
        registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(DOMAIN, id_)},
            name=name,
            manufacturer=MANUFACTURER,
            model=model,
            via_device_id=site.id,
        )
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if not is_present(hass, entry, device):
            registry.async_remove_device(device.id)


def _parts(
    entry: ClimkitConfigEntry, models: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield id, name and model of what has a device of its own beside the site."""
    for meter in _own_meters(entry):
        yield meter.id, meter.name, kind_in_words(meter, models) or models["meter"]
    for sensor in known_sensors(entry):
        yield sensor.id, sensor.name, sensor.model or models["sensor"]


def known_sensors(entry: ClimkitConfigEntry) -> tuple[Sensor, ...]:
    """Return the environmental sensors; none while it is not known which there are."""
    return entry.runtime_data.environment.sensors or ()


def _own_meters(entry: ClimkitConfigEntry) -> list[Meter]:
    """Return the chosen meters, but those that another entry shows."""
    data = entry.runtime_data
    foreign = data.statistics.foreign
    return [meter for meter in data.site.data.chosen if meter.id not in foreign]


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
    ids = ids_of(device)
    if not ids.isdisjoint(_known_ids(entry)):
        return True
    if entry.runtime_data.environment.sensors is not None:
        return False
    # None of the sensors is known to be gone.
    entity_of = partial(er.async_get(hass).async_get_entity_id, Platform.SENSOR, DOMAIN)
    return any(map(entity_of, ids))


def ids_of(device: dr.BaseDeviceEntry) -> set[str]:
    """Return the ids of what a device stands for: at most one, if it is one of ours."""
    return {id_ for domain, id_ in device.identifiers if domain == DOMAIN}


def _known_ids(entry: ClimkitConfigEntry) -> set[str]:
    """Return the ids of what is known to have a device."""
    return {
        entry.runtime_data.site.data.site.id,
        *(meter.id for meter in _own_meters(entry)),
        *(sensor.id for sensor in known_sensors(entry)),
    }
