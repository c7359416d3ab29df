"""The forms of the flows: their fields, what they preselect, how they show errors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..api import ClimkitClient, Meter, MeterMode, Site
from ..const import (
    ACCOUNT_NEW,
    CONF_ACCOUNT,
    CONF_HOME,
    CONF_METERS,
    CONF_SITE,
    CONF_SITES,
    HOME_NONE,
    HOME_SITE,
    LOGGER,
)
from ..metering.flows import FlowKind, has_series, meter_flows
from ..reading.errors import UNKNOWN, form_error
from ..reading.meter_names import async_choice_texts, async_kinds, async_named

FEW: Final = 10
"""So many choices are shown as a list, so many meters are all preselected."""

CREDENTIALS: Final = vol.Schema(
    {
        vol.Required(CONF_USERNAME): TextSelector(
            TextSelectorConfig(autocomplete="username")
        ),
        vol.Required(CONF_PASSWORD): TextSelector(
            TextSelectorConfig(
                type=TextSelectorType.PASSWORD, autocomplete="current-password"
            )
        ),
    }
)

type Errors = dict[str, str]


@contextmanager
def collecting(errors: Errors) -> Iterator[None]:
    """Note what went wrong inside, in the form's words, instead of raising it."""
    try:
        yield
    except Exception as err:  # noqa: BLE001
        errors["base"] = form_error(err)
        if errors["base"] == UNKNOWN:
            LOGGER.exception("Unexpected error while talking to Climkit")


async def async_meters_with_series(
    client: ClimkitClient, site_id: str
) -> tuple[Meter, ...]:
    """Return the meters that can be chosen; raises the client's errors."""
    return tuple(meter for meter in await client.meters(site_id) if has_series(meter))


async def async_account_schema(
    hass: HomeAssistant, usernames: Collection[str]
) -> vol.Schema:
    """Return the field for the account: one that is known, the first preselected."""
    names = sorted(usernames, key=str.casefold)
    texts = await async_choice_texts(hass, CONF_ACCOUNT)
    labels = {**{name: name for name in names}, ACCOUNT_NEW: texts[ACCOUNT_NEW]}
    field = vol.Required(CONF_ACCOUNT, default=names[0])
    return vol.Schema({field: _selector(labels, translation_key=CONF_ACCOUNT)})


def site_label(site_id: str, site: Site | None) -> str:
    """Return name and place of a site, or its id where nothing else is known."""
    if site is None:
        return site_id
    return f"{site.name}, {site.city}" if site.city else site.name


def site_schema(labels: Mapping[str, str]) -> vol.Schema:
    """Return the field for the site; `labels` has what each site is shown as, by id."""
    return vol.Schema({vol.Required(CONF_SITE): _selector(_ordered(labels))})


def others_schema(labels: Mapping[str, str]) -> vol.Schema:
    """Return the field for further sites, none of them preselected."""
    field = vol.Optional(CONF_SITES, default=list)
    return vol.Schema({field: _selector(_ordered(labels), multiple=True)})


async def async_meters_schema(
    hass: HomeAssistant, meters: Sequence[Meter], chosen: Collection[str]
) -> vol.Schema:
    """Return the field for the meters, `chosen` preselected; empty without meters."""
    if not meters:
        return vol.Schema({})
    labels = await async_meter_labels(hass, meters)
    # Optional, with a default: nobody needs a meter to go on, and what asks for no
    # particular ones gets those that most people want.
    default = [id_ for id_ in labels if id_ in chosen]
    field = vol.Optional(CONF_METERS, default=default)
    return vol.Schema({field: _selector(labels, multiple=True)})


def homes(meters: Sequence[Meter]) -> list[Meter]:
    """Return the meters that know what came from the grid and what from the sun."""
    return [*filter(_knows_its_sources, meters)]


def _knows_its_sources(meter: Meter) -> bool:
    return FlowKind.GRID_CONSUMPTION in {flow.kind for flow in meter_flows(meter)}


def with_home(
    chosen: Collection[str], home: str | None, meters: Sequence[Meter]
) -> list[str]:
    """Return the chosen meters and the one that is the home: it needs its history."""
    is_home = {meter.id for meter in meters} & {home}
    return [*chosen, *is_home.difference(chosen)]


async def async_home_schema(
    hass: HomeAssistant, meters: Sequence[Meter], preselected: str
) -> vol.Schema:
    """Return the field for what goes into the Energy dashboard: nothing, all, a meter."""
    texts = await async_choice_texts(hass, "home")
    labels = {home: texts.get(home, home) for home in (HOME_NONE, HOME_SITE)}
    labels |= await async_meter_labels(hass, meters)
    default = preselected if preselected in labels else HOME_NONE
    field = vol.Required(CONF_HOME, default=default)
    return vol.Schema({field: _selector(labels, translation_key="home")})


def preselection(meters: Sequence[Meter]) -> list[str]:
    """Return the ids of the meters that most people want: all, or of many a few."""
    return [
        meter.id
        for meter in meters
        if len(meters) <= FEW or meter.mode in (MeterMode.PRODUCTION, MeterMode.BATTERY)
    ]


async def async_meter_labels(
    hass: HomeAssistant, meters: Sequence[Meter]
) -> dict[str, str]:
    """Return name and kind of each meter by its id, in the language of the system."""
    kinds = await async_kinds(hass, meters)
    return {
        meter.id: f"{meter.name} ({kinds[meter.id]})"
        for meter in await async_named(hass, meters)
    }


def _ordered(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(labels.items(), key=lambda item: item[1].casefold()))


def select_options(labels: Mapping[str, str]) -> list[SelectOptionDict]:
    """Return ids, under their labels, as the options of a selector."""
    return [SelectOptionDict(value=id_, label=label) for id_, label in labels.items()]


def _selector(
    labels: Mapping[str, str],
    *,
    multiple: bool = False,
    translation_key: str | None = None,
) -> SelectSelector:
    """Return a selector for ids under their labels: a plain list if they are few.

    A label for which the integration has a translation is shown in the user's language.
    """
    few = len(labels) <= FEW
    config = SelectSelectorConfig(
        options=select_options(labels),
        multiple=multiple,
        mode=SelectSelectorMode.LIST if few else SelectSelectorMode.DROPDOWN,
    )
    if translation_key:
        config["translation_key"] = translation_key
    return SelectSelector(config)
