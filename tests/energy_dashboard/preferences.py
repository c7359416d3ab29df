"""Entries of the Energy dashboard's preferences, as Home Assistant keeps them."""

from collections.abc import Callable
from typing import Any

from tests.simulator import SimulatedSite

NO_PRICE = {
    "stat_cost": None,
    "entity_energy_price": None,
    "number_energy_price": None,
}


def grid(imported: str, exported: str | None = None) -> dict[str, Any]:
    """Return a grid connection as Home Assistant keeps it."""
    return {
        "type": "grid",
        "stat_energy_from": imported,
        "stat_energy_to": exported,
        **NO_PRICE,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0.0,
    }


def solar(produced: str) -> dict[str, Any]:
    return {
        "type": "solar",
        "stat_energy_from": produced,
        "config_entry_solar_forecast": None,
    }


def battery(discharged: str, charged: str) -> dict[str, Any]:
    return {
        "type": "battery",
        "stat_energy_from": discharged,
        "stat_energy_to": charged,
    }


def water(used: str) -> dict[str, Any]:
    return {"type": "water", "stat_energy_from": used, **NO_PRICE}


def devices(site: SimulatedSite, *kinds: str) -> list[dict[str, Any]]:
    """Return the consumption meters of some types as individual devices."""
    return [
        {"stat_consumption": f"climkit:{meter.id}_consumption", "name": meter.name}
        for meter in site.meters
        if meter.type in kinds and meter.mode == "consumption"
    ]


def of_site(site: SimulatedSite) -> Callable[[str], str]:
    return lambda flow: f"climkit:{site.id}_{flow}"


def produced_and_bought(site: SimulatedSite) -> list[dict[str, Any]]:
    own = of_site(site)
    return [grid(own("grid_import"), own("grid_export")), solar(own("production"))]


def with_battery(site: SimulatedSite) -> list[dict[str, Any]]:
    own = of_site(site)
    battery_flows = own("battery_discharge"), own("battery_charge")
    return [*produced_and_bought(site), battery(*battery_flows)]


def with_water(site: SimulatedSite) -> list[dict[str, Any]]:
    own = of_site(site)
    return [
        *produced_and_bought(site),
        water(own("cold_water")),
        water(own("hot_water")),
    ]


def water_alone(site: SimulatedSite) -> list[dict[str, Any]]:
    return with_water(site)[2:]


def bought(site: SimulatedSite) -> list[dict[str, Any]]:
    return [grid(of_site(site)("grid_import"))]


RICH: dict[str, Any] = {
    "energy_sources": [
        grid("sensor.day_tariff", "sensor.feed_in")
        | {
            "number_energy_price": 0.27,
            "entity_energy_price_export": "sensor.spot",
            "cost_adjustment_day": 1.5,
            "name": "Tag",
        },
        grid("sensor.night_tariff") | {"stat_cost": "sensor.night_cost"},
        {
            "type": "grid",
            "cost_adjustment_day": 0,
            "stat_energy_from": None,
            "stat_energy_to": "sensor.second_feed_in",
            "power_config": {"stat_rate_inverted": "sensor.grid_power"},
            "stat_rate": "sensor.grid_power_inverted",
        },
        solar("sensor.roof")
        | {"config_entry_solar_forecast": ["forecast"], "stat_rate": "sensor.roof_w"},
        {
            **battery("sensor.battery_out", "sensor.battery_in"),
            "capacity": 10,
            "stat_soc": "sensor.battery_level",
        },
        {
            "type": "gas",
            "stat_energy_from": "sensor.gas",
            "stat_cost": None,
            "entity_energy_from": None,
            "entity_energy_price": None,
            "number_energy_price": 1.1,
        },
        water("sensor.garden") | {"stat_rate": "sensor.garden_flow"},
    ],
    "device_consumption": [
        {
            "stat_consumption": "sensor.rack",
            "name": "Rack",
            "stat_rate": "sensor.rack_w",
        },
        {"stat_consumption": "sensor.server", "included_in_stat": "sensor.rack"},
    ],
    "device_consumption_water": [{"stat_consumption": "sensor.garden"}],
    "some_future_key": {"nested": [1, 2.50, None, "ä"]},
}
