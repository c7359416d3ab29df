"""What environmental sensors measure: the cloud's free words in Home Assistant's terms.

Nobody has documented which types and units the cloud uses. So words are compared
without case, spaces, accents and spelling; what is not in the tables is passed through
as it came. Pure tables, no I/O.
"""

from dataclasses import dataclass
from itertools import filterfalse
import re
from typing import Final
import unicodedata

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    LIGHT_LUX,
    SIGNAL_STRENGTH_DECIBELS,
    UnitOfDensity,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfIrradiance,
    UnitOfPower,
    UnitOfPressure,
    UnitOfRatio,
    UnitOfSpeed,
    UnitOfTemperature,
    UnitOfVolume,
    UnitOfVolumeFlowRate,
)

from ..api import Sensor


@dataclass(frozen=True, slots=True)
class Measurand:
    """What a sensor measures, as Home Assistant puts it."""

    device_class: SensorDeviceClass | None = None
    unit: str | None = None
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT


_UNITS: Final[dict[str, tuple[str, ...]]] = {
    UnitOfTemperature.CELSIUS: (
        *("°c", "c", "degc", "degree", "degrees", "degreec", "degreesc"),
        *("celsius", "degreecelsius", "degreescelsius", "gradcelsius", "grad"),
        *("degrecelsius", "degrescelsius", "degre", "gradi", "gradicelsius"),
    ),
    UnitOfTemperature.FAHRENHEIT: ("°f", "f", "degf", "fahrenheit"),
    UnitOfTemperature.KELVIN: ("k", "kelvin"),
    UnitOfRatio.PERCENTAGE: (
        *("%", "percent", "percentage", "pct", "prozent", "pourcent", "percento"),
        *("percentuale", "%rh", "%r.h.", "rh%", "%rf", "%r.f.", "%hr", "%h.r.", "rh"),
    ),
    UnitOfRatio.PARTS_PER_MILLION: ("ppm", "partspermillion"),
    UnitOfRatio.PARTS_PER_BILLION: ("ppb", "partsperbillion"),
    UnitOfDensity.MICROGRAMS_PER_CUBIC_METER: ("ug/m3", "ugm3", "ug/m^3"),
    UnitOfPower.WATT: ("w", "watt", "watts"),
    UnitOfPower.KILO_WATT: ("kw", "kilowatt", "kilowatts"),
    UnitOfPower.MEGA_WATT: ("megawatt",),
    UnitOfEnergy.WATT_HOUR: ("wh", "watthour", "watthours", "wattstunden"),
    UnitOfEnergy.KILO_WATT_HOUR: ("kwh", "kilowatthour", "kilowatthours", "kw/h"),
    UnitOfEnergy.MEGA_WATT_HOUR: ("mwh", "megawatthour"),
    UnitOfVolume.CUBIC_METERS: (
        *("m3", "m^3", "m**3", "cbm", "cubicmeter", "cubicmeters", "cubicmetre"),
        *("cubicmetres", "kubikmeter", "metrecube", "metrescubes", "metrocubo"),
        "metricubi",
    ),
    UnitOfVolume.LITERS: (
        *("l", "liter", "liters", "litre", "litres", "ltr", "litro", "litri"),
    ),
    UnitOfVolumeFlowRate.CUBIC_METERS_PER_HOUR: ("m3/h", "m^3/h", "cbm/h"),
    UnitOfVolumeFlowRate.LITERS_PER_HOUR: ("l/h",),
    UnitOfVolumeFlowRate.LITERS_PER_MINUTE: ("l/min",),
    UnitOfVolumeFlowRate.LITERS_PER_SECOND: ("l/s",),
    UnitOfPressure.PA: ("pa", "pascal", "pascals"),
    UnitOfPressure.HPA: ("hpa", "hectopascal", "hektopascal"),
    UnitOfPressure.KPA: ("kpa", "kilopascal"),
    UnitOfPressure.MBAR: ("mbar", "millibar"),
    UnitOfPressure.BAR: ("bar", "bars"),
    UnitOfElectricPotential.VOLT: ("v", "volt", "volts"),
    UnitOfElectricPotential.MILLIVOLT: ("mv", "millivolt"),
    UnitOfElectricCurrent.AMPERE: ("a", "amp", "amps", "ampere", "amperes"),
    UnitOfElectricCurrent.MILLIAMPERE: ("ma", "milliampere"),
    LIGHT_LUX: ("lx", "lux"),
    UnitOfIrradiance.WATTS_PER_SQUARE_METER: ("w/m2", "w/m^2", "wm2"),
    UnitOfFrequency.HERTZ: ("hz", "hertz"),
    SIGNAL_STRENGTH_DECIBELS: ("db", "decibel", "decibels", "dezibel"),
    UnitOfSpeed.METERS_PER_SECOND: ("m/s", "ms1"),
    UnitOfSpeed.KILOMETERS_PER_HOUR: ("km/h", "kmh", "kph"),
}
"""Units, and how they may be written once `_folded`."""

_SPELLINGS: Final = {
    spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings
}

_EXACT: Final = {
    "mW": UnitOfPower.MILLIWATT,
    "MW": UnitOfPower.MEGA_WATT,
    "MV": UnitOfElectricPotential.MEGAVOLT,
    "mWh": UnitOfEnergy.MILLIWATT_HOUR,
}
"""Units that only their capitals tell apart from others."""

_SAME: Final = str.maketrans("º˚µμ", "°°uu")
"""Characters that are taken for others."""

_LEFT_OUT: Final = str.maketrans("", "", "_-")

_TEMPERATURE_ONLY: Final = frozenset({"c", "f", "k", "degree", "degrees", "grad"})
"""Spellings that are a temperature only if the type says so."""

_BY_UNIT: Final[dict[str, SensorDeviceClass]] = {
    UnitOfTemperature.CELSIUS: SensorDeviceClass.TEMPERATURE,
    UnitOfTemperature.FAHRENHEIT: SensorDeviceClass.TEMPERATURE,
    UnitOfTemperature.KELVIN: SensorDeviceClass.TEMPERATURE,
    UnitOfPower.MILLIWATT: SensorDeviceClass.POWER,
    UnitOfPower.WATT: SensorDeviceClass.POWER,
    UnitOfPower.KILO_WATT: SensorDeviceClass.POWER,
    UnitOfPower.MEGA_WATT: SensorDeviceClass.POWER,
    UnitOfEnergy.MILLIWATT_HOUR: SensorDeviceClass.ENERGY,
    UnitOfEnergy.WATT_HOUR: SensorDeviceClass.ENERGY,
    UnitOfEnergy.KILO_WATT_HOUR: SensorDeviceClass.ENERGY,
    UnitOfEnergy.MEGA_WATT_HOUR: SensorDeviceClass.ENERGY,
    UnitOfVolume.CUBIC_METERS: SensorDeviceClass.VOLUME,
    UnitOfVolume.LITERS: SensorDeviceClass.VOLUME,
    UnitOfVolumeFlowRate.CUBIC_METERS_PER_HOUR: SensorDeviceClass.VOLUME_FLOW_RATE,
    UnitOfVolumeFlowRate.LITERS_PER_HOUR: SensorDeviceClass.VOLUME_FLOW_RATE,
    UnitOfVolumeFlowRate.LITERS_PER_MINUTE: SensorDeviceClass.VOLUME_FLOW_RATE,
    UnitOfVolumeFlowRate.LITERS_PER_SECOND: SensorDeviceClass.VOLUME_FLOW_RATE,
    UnitOfPressure.PA: SensorDeviceClass.PRESSURE,
    UnitOfPressure.HPA: SensorDeviceClass.PRESSURE,
    UnitOfPressure.KPA: SensorDeviceClass.PRESSURE,
    UnitOfPressure.MBAR: SensorDeviceClass.PRESSURE,
    UnitOfPressure.BAR: SensorDeviceClass.PRESSURE,
    UnitOfElectricPotential.VOLT: SensorDeviceClass.VOLTAGE,
    UnitOfElectricPotential.MILLIVOLT: SensorDeviceClass.VOLTAGE,
    UnitOfElectricPotential.MEGAVOLT: SensorDeviceClass.VOLTAGE,
    UnitOfElectricCurrent.AMPERE: SensorDeviceClass.CURRENT,
    UnitOfElectricCurrent.MILLIAMPERE: SensorDeviceClass.CURRENT,
    LIGHT_LUX: SensorDeviceClass.ILLUMINANCE,
    UnitOfIrradiance.WATTS_PER_SQUARE_METER: SensorDeviceClass.IRRADIANCE,
    UnitOfFrequency.HERTZ: SensorDeviceClass.FREQUENCY,
    SIGNAL_STRENGTH_DECIBELS: SensorDeviceClass.SOUND_PRESSURE,
    UnitOfSpeed.METERS_PER_SECOND: SensorDeviceClass.SPEED,
    UnitOfSpeed.KILOMETERS_PER_HOUR: SensorDeviceClass.SPEED,
}
"""What a unit means by itself. A percentage or a concentration needs its type."""

_BY_TYPE: Final[tuple[tuple[str, str, SensorDeviceClass], ...]] = (
    (
        UnitOfRatio.PERCENTAGE,
        r"hum|humid|feucht|umid|hygro|^rh$|^hr$|^rf$",
        SensorDeviceClass.HUMIDITY,
    ),
    (
        UnitOfRatio.PERCENTAGE,
        r"batter|akku|^soc$|stateofcharge",
        SensorDeviceClass.BATTERY,
    ),
    (
        UnitOfRatio.PARTS_PER_MILLION,
        r"co2|carbondioxide|kohlendioxid|dioxydedecarbone|anidridecarbonica",
        SensorDeviceClass.CO2,
    ),
    (
        UnitOfRatio.PARTS_PER_MILLION,
        r"^co$|carbonmonoxide|kohlenmonoxid|monoxyde",
        SensorDeviceClass.CO,
    ),
    (
        UnitOfRatio.PARTS_PER_MILLION,
        r"voc|cov",
        SensorDeviceClass.VOLATILE_ORGANIC_COMPOUNDS_PARTS,
    ),
    (
        UnitOfRatio.PARTS_PER_BILLION,
        r"voc|cov",
        SensorDeviceClass.VOLATILE_ORGANIC_COMPOUNDS_PARTS,
    ),
    (
        UnitOfDensity.MICROGRAMS_PER_CUBIC_METER,
        r"voc|cov",
        SensorDeviceClass.VOLATILE_ORGANIC_COMPOUNDS,
    ),
    (
        UnitOfDensity.MICROGRAMS_PER_CUBIC_METER,
        r"pm2[.,]?5",
        SensorDeviceClass.PM25,
    ),
    (UnitOfDensity.MICROGRAMS_PER_CUBIC_METER, r"pm10", SensorDeviceClass.PM10),
    *(
        (
            unit,
            r"atmos|baro|luftdruck|airpressure",
            SensorDeviceClass.ATMOSPHERIC_PRESSURE,
        )
        for unit in (
            UnitOfPressure.PA,
            UnitOfPressure.HPA,
            UnitOfPressure.KPA,
            UnitOfPressure.MBAR,
        )
    ),
    *(
        (unit, r"water|wasser|^eau|acqua", SensorDeviceClass.WATER)
        for unit in (UnitOfVolume.CUBIC_METERS, UnitOfVolume.LITERS)
    ),
    *(
        (unit, r"gas", SensorDeviceClass.GAS)
        for unit in (UnitOfVolume.CUBIC_METERS, UnitOfVolume.LITERS)
    ),
    *(
        (unit, r"wind|vent", SensorDeviceClass.WIND_SPEED)
        for unit in (UnitOfSpeed.METERS_PER_SECOND, UnitOfSpeed.KILOMETERS_PER_HOUR)
    ),
    (
        SIGNAL_STRENGTH_DECIBELS,
        r"signal|rssi|snr",
        SensorDeviceClass.SIGNAL_STRENGTH,
    ),
)
"""What a unit means together with a type: unit, words in the `_folded` type, class."""

_COUNTED: Final = frozenset(
    {
        SensorDeviceClass.ENERGY,
        SensorDeviceClass.VOLUME,
        SensorDeviceClass.WATER,
        SensorDeviceClass.GAS,
    }
)
"""Of these nobody knows whether it is an index or an amount: no state class, so that
none is offered for the Energy dashboard."""


def measurand_of(sensor: Sensor) -> Measurand:
    """Return what a sensor measures; an unknown unit as it came, without a class."""
    type_ = _folded(sensor.type)
    unit = _unit_of(sensor.unit, type_)
    if unit is None:
        return Measurand(unit=sensor.unit)
    device_class = _device_class_of(unit, type_)
    counted = device_class in _COUNTED
    return Measurand(
        device_class, unit, None if counted else SensorStateClass.MEASUREMENT
    )


def _device_class_of(unit: str, type_: str) -> SensorDeviceClass | None:
    """Return what a unit means together with a type, or by itself."""
    by_type = (
        device_class
        for of, words, device_class in _BY_TYPE
        if of == unit and re.search(words, type_)
    )
    return next(by_type, _BY_UNIT.get(unit))


def _unit_of(written: str | None, type_: str) -> str | None:
    """Return Home Assistant's unit for one of the cloud's, or None if there is none."""
    if written is None:
        return None
    if exact := _EXACT.get(written.strip()):
        return exact
    spelling = _folded(written)
    if spelling in _TEMPERATURE_ONLY and "temp" not in type_:
        return None
    return _SPELLINGS.get(spelling)


def _folded(text: str) -> str:
    """Return a text without case, accents, spaces, underscores and raised digits."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_SAME)).casefold()
    letters = "".join(filterfalse(unicodedata.combining, decomposed))
    return "".join(letters.translate(_LEFT_OUT).split())
