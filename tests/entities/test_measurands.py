"""Words of environmental sensors in Home Assistant's terms."""

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.components.sensor.const import DEVICE_CLASS_UNITS
import pytest

from custom_components.climkit.api import Sensor
from custom_components.climkit.entities import measurands
from custom_components.climkit.entities.measurands import measurand_of


@pytest.mark.parametrize(
    ("type_", "unit", "device_class", "home_assistants_unit"),
    [
        ("temperature", "°C", "temperature", "°C"),
        ("Temperature", " ° c ", "temperature", "°C"),
        ("Température", "degC", "temperature", "°C"),
        ("temp", "C", "temperature", "°C"),
        ("Raumtemperatur", "℃", "temperature", "°C"),
        ("charge", "C", None, "C"),
        ("temperature", "K", "temperature", "K"),
        ("humidity", "%", "humidity", "%"),
        ("Luftfeuchtigkeit", "Prozent", "humidity", "%"),
        ("relative_humidity", "% RH", "humidity", "%"),
        ("Umidità", "%", "humidity", "%"),
        ("battery level", "%", "battery", "%"),
        ("valve position", "%", None, "%"),
        ("co2", "ppm", "carbon_dioxide", "ppm"),
        ("CO 2", "PPM", "carbon_dioxide", "ppm"),
        ("CO₂", "ppm", "carbon_dioxide", "ppm"),
        ("CO", "ppm", "carbon_monoxide", "ppm"),
        ("TVOC", "ppb", "volatile_organic_compounds_parts", "ppb"),
        ("gas", "ppm", None, "ppm"),
        ("PM 2.5", "µg / m³", "pm25", "μg/m³"),
        ("power", "W", "power", "W"),
        ("power", "k W", "power", "kW"),
        ("power", "mW", "power", "mW"),
        ("power", "MW", "power", "MW"),
        ("energy", "KWH", "energy", "kWh"),
        ("energy", "kWh", "energy", "kWh"),
        ("volume", "m3", "volume", "m³"),
        ("volume", "M³", "volume", "m³"),
        ("cold water", "m3", "water", "m³"),
        ("volume", "l", "volume", "L"),
        ("volume", "Litres", "volume", "L"),
        ("flow", "m3 / h", "volume_flow_rate", "m³/h"),
        ("pressure", "Pa", "pressure", "Pa"),
        ("atmospheric pressure", "hPa", "atmospheric_pressure", "hPa"),
        ("air-pressure", "MBAR", "atmospheric_pressure", "mbar"),
        ("pressure", "bar", "pressure", "bar"),
        ("voltage", "v", "voltage", "V"),
        ("current", "A", "current", "A"),
        ("brightness", "lx", "illuminance", "lx"),
        ("brightness", "Lux", "illuminance", "lx"),
        ("irradiation", "W/m²", "irradiance", "W/m²"),
        ("noise", "dB", "sound_pressure", "dB"),
        ("wind speed", "m/s", "wind_speed", "m/s"),
        ("odour", "OU", None, "OU"),
        ("temperature", None, None, None),
        ("", "furlong", None, "furlong"),
    ],
)
def test_words(
    type_: str, unit: str | None, device_class: str | None, home_assistants_unit: str
) -> None:
    measurand = measurand_of(Sensor("id", "name", type_, unit))
    assert (measurand.device_class, measurand.unit) == (
        device_class,
        home_assistants_unit,
    )


def test_counters_are_not_offered_as_energy() -> None:
    """Whether kWh or m³ of a sensor is an index or an amount, nobody knows."""
    for unit, counts in {"kWh": True, "m3": True, "W": False, "OU": False}.items():
        state_class = measurand_of(Sensor("id", "name", "", unit)).state_class
        assert (state_class is None) is counts


def test_every_unit_fits_its_class() -> None:
    pairs: list[tuple[str, SensorDeviceClass]] = [*measurands._BY_UNIT.items()]
    pairs += [(unit, class_) for unit, _, class_ in measurands._BY_TYPE]
    assert not [
        (unit, class_)
        for unit, class_ in pairs
        if unit not in DEVICE_CLASS_UNITS[class_]
    ]
    known = set(measurands._SPELLINGS.values())
    assert known <= {
        *measurands._BY_UNIT,
        *(unit for unit, *_ in measurands._BY_TYPE),
    }
    assert all(measurands._folded(word) == word for word in measurands._SPELLINGS)
