"""The forms of a tariff: their fields, and what was typed as a tariff's data."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TimeSelector,
)
import voluptuous as vol

from ..const import CONF_DASHBOARD, CONF_METERS
from ..metering.tariff import DAYS, MONTHS, Component, Pricing
from .schemas import select_options

CONF_COMPONENT: Final = "component"
CONF_CONFIRMED: Final = "confirmed"
CONF_ENTITY_ID: Final = "entity_id"
CONF_FROM: Final = "from"
CONF_HIGH_PRICE: Final = "high_price"
CONF_MONTHLY_FEE: Final = "monthly_fee"
CONF_PRESET: Final = "preset"
CONF_PRICE: Final = "price"
CONF_PRICING: Final = "pricing"
CONF_SURCHARGE: Final = "surcharge"
CONF_TO: Final = "to"
CONF_VALID_FROM: Final = "valid_from"
CONF_VAT: Final = "vat"
CONF_WORKDAY: Final = "workday"
CONF_ZONES: Final = "zones"

type Data = Mapping[str, Any]
type Fields = dict[vol.Marker, Any]

_WEEKDAYS: Final = DAYS[:5]


def _hours(start: str, end: str, days: Sequence[str] = ()) -> dict[str, Any]:
    clock = {CONF_FROM: f"{start}:00", CONF_TO: f"{end}:00"}
    return clock | ({"days": list(days)} if days else {})


PRESETS: Final[dict[str, list[dict[str, Any]]]] = {
    "mon_fri_07_20": [_hours("07:00", "20:00", _WEEKDAYS)],
    "mon_sat_06_21": [_hours("06:00", "21:00", DAYS[:6])],
    "daily_07_21": [_hours("07:00", "21:00")],
    "mon_fri_06_12_18_24": [
        _hours("06:00", "12:00", _WEEKDAYS),
        _hours("18:00", "00:00", _WEEKDAYS),
    ],
    "daily_07_12_17_23": [_hours("07:00", "12:00"), _hours("17:00", "23:00")],
}
"""The hours of the high price, as grid operators have them."""

ENTITY_DOMAINS: Final = [Platform.SENSOR, Platform.NUMBER, "input_number"]
"""Whose entities may tell a price."""
WORKDAY_DOMAIN: Final = Platform.BINARY_SENSOR


def _choice(
    options: Iterable[str], translation_key: str, *, multiple: bool = False
) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=list(options),
            translation_key=translation_key,
            multiple=multiple,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def _number(unit: str, minimum: float | None = None) -> NumberSelector:
    config = NumberSelectorConfig(
        mode=NumberSelectorMode.BOX, step="any", unit_of_measurement=unit
    )
    if minimum is not None:
        config["min"] = minimum
    return NumberSelector(config)


def user_fields(components: Iterable[Component], meters: Mapping[str, str]) -> Fields:
    """Return the fields for what, for whom and from when; `meters` has labels by id."""
    fields: Fields = {
        vol.Required(CONF_COMPONENT): _choice(components, "tariff_component")
    }
    if meters:
        fields[vol.Optional(CONF_METERS)] = SelectSelector(
            SelectSelectorConfig(
                options=select_options(meters),
                multiple=True,
                mode=SelectSelectorMode.DROPDOWN,
            )
        )
    return fields | {
        vol.Required(CONF_VALID_FROM): DateSelector(),
        vol.Required(CONF_PRICING): SelectSelector(
            SelectSelectorConfig(
                options=list(Pricing),
                translation_key="tariff_pricing",
                mode=SelectSelectorMode.LIST,
            )
        ),
        vol.Optional(CONF_MONTHLY_FEE): _number("CHF", 0),
    }


def fixed_fields(unit: str) -> Fields:
    """Return the field for the one price, in CHF per `unit`."""
    return {vol.Required(CONF_PRICE): _number(f"CHF/{unit}")}


def times_fields(unit: str) -> Fields:
    """Return the fields for prices by time."""
    return {
        vol.Optional(CONF_PRESET): _choice(PRESETS, "tariff_preset"),
        vol.Optional(CONF_HIGH_PRICE): _number(f"CHF/{unit}"),
        vol.Optional(CONF_PRICE): _number(f"CHF/{unit}"),
        vol.Optional(CONF_ZONES): ObjectSelector(
            ObjectSelectorConfig(
                multiple=True,
                translation_key="tariff_zones",
                label_field=CONF_FROM,
                description_field=CONF_TO,
                fields={
                    CONF_FROM: ObjectSelectorField(
                        required=True, selector=TimeSelector()
                    ),
                    CONF_TO: ObjectSelectorField(
                        required=True, selector=TimeSelector()
                    ),
                    CONF_PRICE: ObjectSelectorField(selector=_number(f"CHF/{unit}")),
                    "days": ObjectSelectorField(
                        selector=_choice(DAYS, "tariff_days", multiple=True)
                    ),
                    "months": ObjectSelectorField(
                        selector=_choice(MONTHS, "tariff_months", multiple=True)
                    ),
                },
            )
        ),
        vol.Optional(CONF_WORKDAY): EntitySelector(
            EntitySelectorConfig(domain=WORKDAY_DOMAIN, integration="workday")
        ),
    }


def entity_fields() -> Fields:
    """Return the fields for the price of an entity, and what comes on top."""
    return {
        vol.Required(CONF_ENTITY_ID): EntitySelector(
            EntitySelectorConfig(domain=ENTITY_DOMAINS)
        ),
        vol.Optional(CONF_SURCHARGE): _number("CHF/kWh"),
        vol.Optional(CONF_VAT): _number("%", 0),
    }


def confirmation_field() -> Fields:
    """Return the field by which an unlikely price is confirmed."""
    return {vol.Optional(CONF_CONFIRMED, default=False): BooleanSelector()}


def dashboard_field(preselected: bool) -> Fields:
    """Return the field by which costs are shown in the Energy dashboard."""
    return {vol.Optional(CONF_DASHBOARD, default=preselected): BooleanSelector()}


def given(data: Data, keys: Iterable[str]) -> dict[str, Any]:
    """Return what data have under these keys."""
    return {key: data[key] for key in keys if key in data}


def zones_as_typed(data: Data) -> dict[str, Any]:
    """Return stored zones as the form has them: a price that all share stands apart."""
    zones = data.get(CONF_ZONES, ())
    prices = {zone.get(CONF_PRICE) for zone in zones}
    if len(prices) != 1:
        return dict(data)
    alike = [_filled({**zone, CONF_PRICE: None}) for zone in zones]
    return dict(data) | {CONF_ZONES: alike, CONF_HIGH_PRICE: prices.pop()}


def with_zones_of_preset(typed: Data) -> dict[str, Any]:
    """Return what was typed; with the zones of a preset, if one is chosen."""
    filled = dict(typed)
    if preset := filled.pop(CONF_PRESET, None):
        filled[CONF_ZONES] = deepcopy(PRESETS[preset])
    return filled


def must_be_seen(typed: Data) -> bool:
    """Return whether the zones of a preset are to be shown before they are kept.

    So they are in place of zones that were typed, and while a price is missing.
    """
    if CONF_PRESET not in typed:
        return False
    has_prices = typed.keys() >= {CONF_HIGH_PRICE, CONF_PRICE}
    return not has_prices or bool(typed.get(CONF_ZONES))


def zones_as_stored(typed: Data) -> dict[str, Any]:
    """Return what was typed as a tariff's data: each zone has a price, if any is known.

    What is empty is left out of a zone: no days are all days.
    """
    shared = _filled({CONF_PRICE: typed.get(CONF_HIGH_PRICE)})
    zones = [shared | _filled(zone) for zone in typed.get(CONF_ZONES, ())]
    return given(typed, (CONF_PRICE, CONF_WORKDAY)) | {CONF_ZONES: zones}


def _filled(zone: Data) -> dict[str, Any]:
    """Return a zone without the fields that are empty."""
    return {key: value for key, value in zone.items() if value not in (None, [])}
