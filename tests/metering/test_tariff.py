"""What a subentry's data may say, and how they are refused."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from custom_components.climkit.metering.tariff import Component, Pricing, Tariff, Zone

from .examples import GRID, WEEK


def test_data_there_and_back() -> None:
    data = {
        "component": "grid",
        "meters": ["7", "12"],
        "valid_from": "2026-01-01",
        "pricing": "times",
        "price": -0.05,
        "zones": [
            {
                "price": 0.0,
                "from": "06:30:00",
                "to": "12:00:00",
                "days": ["mon", "sat"],
                "months": ["jan", "dec"],
            },
            {"price": 0.3, "from": "18:00:00", "to": "00:00:00"},
        ],
        "workday": "binary_sensor.workday",
        "monthly_fee": 5.0,
    }
    version = Tariff.from_dict(data)
    assert version.zones[0] == Zone(
        0.0, time(6, 30), time(12), ("mon", "sat"), ("jan", "dec")
    )
    assert version.as_dict() == data | {"meters": ["12", "7"]}
    assert Tariff.from_dict(version.as_dict()) == version
    entity = {
        "component": "solar",
        "meters": [],
        "valid_from": "2026-01-01",
        "pricing": "entity",
        "entity_id": "sensor.price",
        "surcharge": -0.01,
        "vat": 8.1,
    }
    assert Tariff.from_dict(entity).as_dict() == entity


def test_data_of_other_purposes() -> None:
    """A form's remains of another pricing count for nothing, nor do flags of others."""
    version = Tariff.from_dict(
        {
            "component": "cold_water",
            "valid_from": date(2026, 1, 1),
            "pricing": "fixed",
            "price": 4,
            "zones": "anything",
            "entity_id": 5,
            "meters": ["a", "a"],
            "dashboard": True,
        }
    )
    assert version == Tariff(
        Component.COLD_WATER, date(2026, 1, 1), Pricing.FIXED, ("a",), 4.0
    )
    assert version.component.unit == "m³"
    assert GRID.unit == "kWh"


FIXED = {
    "component": "grid",
    "valid_from": "2026-01-01",
    "pricing": "fixed",
    "price": 1,
}
TIMES = FIXED | {"pricing": "times"}
ENTITY = FIXED | {"pricing": "entity"}


def zone(**data: Any) -> dict[str, Any]:
    """Return times with one zone."""
    return TIMES | {"zones": [{"price": 1, "from": "07:00", "to": "20:00"} | data]}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "pricing"),
        (FIXED | {"pricing": "free"}, "pricing"),
        (FIXED | {"component": "gas"}, "component"),
        (FIXED | {"component": None}, "component"),
        (FIXED | {"component": ["grid"]}, "component"),
        (FIXED | {"valid_from": None}, "valid_from"),
        (FIXED | {"valid_from": "1.1.2026"}, "valid_from"),
        (FIXED | {"valid_from": datetime(2026, 1, 1, tzinfo=UTC)}, "valid_from"),
        (FIXED | {"price": None}, "price: missing"),
        (FIXED | {"price": "0.3"}, "price"),
        (FIXED | {"price": True}, "price"),
        (FIXED | {"price": float("nan")}, "price"),
        (FIXED | {"price": float("inf")}, "price"),
        (FIXED | {"meters": "12"}, "meters"),
        (FIXED | {"meters": [12]}, "meters"),
        (FIXED | {"monthly_fee": "5"}, "monthly_fee"),
        (TIMES | {"zones": {"price": 1}}, "zones"),
        (TIMES | {"zones": ["07:00"]}, "zones: number 1"),
        (TIMES | {"price": None, "zones": []}, "do not cover"),
        (zone() | {"price": None}, "do not cover"),
        (
            zone(**{"from": "00:00", "to": "00:00", "days": WEEK}) | {"price": None},
            "do not cover",
        ),
        (zone() | {"workday": 5}, "workday"),
        (zone(price=None), "zones: number 1: price: missing"),
        (zone(**{"from": "25:00"}), "zones: number 1: from"),
        (zone(**{"from": "7"}), "zones: number 1: from"),
        (zone(to=7), "zones: number 1: to"),
        (zone(to="07:00+01:00"), "zones: number 1: to"),
        (zone(days=["monday"]), "zones: number 1: days"),
        (zone(days="mon"), "zones: number 1: days"),
        (zone(months=[1]), "zones: number 1: months"),
        (ENTITY, "entity_id: missing"),
        (ENTITY | {"entity_id": 5}, "entity_id"),
        (ENTITY | {"entity_id": "sensor.price", "vat": "8.1"}, "vat"),
    ],
)
def test_bad_data(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Tariff.from_dict(data)
