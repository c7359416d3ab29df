"""What is measured: every energy or volume flow of a site and of its meters.

A flow is one series: it has one statistic, one energy sensor and one column in
the replies of the cloud. Pure descriptions, no I/O.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, override

from ..api import Column, Meter, MeterMode, MeterType

type Medium = str
"""What is metered, in the words of the API (`MeterType`); open, new ones may come."""

LIVE_MEDIA: Final = (MeterType.ELECTRICITY, MeterType.CHARGE_POINT)
"""Metered by quarter hour and published within the hour; the rest comes once a day."""


class FlowKind(StrEnum):
    """The name of a flow: part of statistic ids and unique ids, and translation key."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"
    SELF_CONSUMPTION = "self_consumption"
    GRID_IMPORT = "grid_import"
    GRID_EXPORT = "grid_export"
    BATTERY_CHARGE = "battery_charge"
    BATTERY_DISCHARGE = "battery_discharge"
    SOLAR_CONSUMPTION = "solar_consumption"
    GRID_CONSUMPTION = "grid_consumption"
    HEATING = "heating"
    COOLING = "cooling"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"
    CHARGE_POINTS = "charge_points"


class Quantity(StrEnum):
    """What a flow counts, which decides unit and device class."""

    ENERGY = "energy"
    """In kWh."""
    WATER = "water"
    """In m³."""
    UNKNOWN = "unknown"
    """Of a medium that this integration does not know: the unit is not known either."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One series of a site or of a meter."""

    owner_id: str
    """The id of the site or of the meter."""
    kind: FlowKind
    medium: Medium
    column: Column
    """Where the cloud's replies carry it."""

    @override
    def __hash__(self) -> int:
        """Return a hash of what tells almost all flows apart.

        Of all fields it would take four times as long, and hundreds of flows are looked
        up again and again.
        """
        return hash(self.column)

    @property
    def key(self) -> str:
        """Return the id of the flow, unique in one Climkit account."""
        return f"{self.owner_id}_{self.kind}"

    @property
    def quantity(self) -> Quantity:
        """Return whether the flow counts energy (kWh) or water (m³)."""
        return _QUANTITIES.get(self.medium, Quantity.UNKNOWN)

    @property
    def unit(self) -> str | None:
        """Return the unit of its amounts, or None of an unknown medium."""
        return _UNITS[self.quantity]

    @property
    def has_power(self) -> bool:
        """Return whether its quarter hours come soon enough to tell a present power."""
        return self.medium in LIVE_MEDIA

    @property
    def meter_id(self) -> str | None:
        """Return the id of the meter, or None for a flow of the whole site."""
        return self.column.meter_id


def among(flows: Iterable[Flow], some: Container[Flow]) -> list[Flow]:
    """Return those of the flows that are among some, in their order."""
    return [flow for flow in flows if flow in some]


def apart_from(flows: Iterable[Flow], some: Container[Flow]) -> list[Flow]:
    """Return those of the flows that are not among some, in their order."""
    return [flow for flow in flows if flow not in some]


_QUANTITIES: Final[dict[Medium, Quantity]] = {
    MeterType.ELECTRICITY: Quantity.ENERGY,
    MeterType.CHARGE_POINT: Quantity.ENERGY,
    MeterType.HEATING: Quantity.ENERGY,
    MeterType.COOLING: Quantity.ENERGY,
    MeterType.COLD_WATER: Quantity.WATER,
    MeterType.HOT_WATER: Quantity.WATER,
}

_UNITS: Final[dict[Quantity, str | None]] = {
    Quantity.ENERGY: "kWh",
    Quantity.WATER: "m³",
    Quantity.UNKNOWN: None,
}


@dataclass(frozen=True, slots=True)
class _SiteFlow:
    kind: FlowKind
    medium: Medium
    quantity: str
    """The name of its column in the cloud's replies."""
    needs: FlowKind | None = None
    """What the site must have beside the medium."""


_SITE_FLOWS: Final = (
    _SiteFlow(FlowKind.CONSUMPTION, MeterType.ELECTRICITY, "conso_total"),
    _SiteFlow(FlowKind.GRID_IMPORT, MeterType.ELECTRICITY, "from_ext"),
    *(
        _SiteFlow(kind, MeterType.ELECTRICITY, quantity, FlowKind.PRODUCTION)
        for kind, quantity in (
            (FlowKind.PRODUCTION, "prod_total"),
            (FlowKind.SELF_CONSUMPTION, "self"),
            (FlowKind.GRID_EXPORT, "to_ext"),
        )
    ),
    *(
        _SiteFlow(kind, MeterType.ELECTRICITY, quantity, FlowKind.BATTERY_CHARGE)
        for kind, quantity in (
            (FlowKind.BATTERY_CHARGE, "storage_charging_total"),
            (FlowKind.BATTERY_DISCHARGE, "storage_discharging_total"),
        )
    ),
    _SiteFlow(FlowKind.HEATING, MeterType.HEATING, "conso_total"),
    _SiteFlow(FlowKind.COOLING, MeterType.COOLING, "conso_total"),
    _SiteFlow(FlowKind.COLD_WATER, MeterType.COLD_WATER, "conso_total"),
    _SiteFlow(FlowKind.HOT_WATER, MeterType.HOT_WATER, "conso_total"),
    _SiteFlow(FlowKind.CHARGE_POINTS, MeterType.CHARGE_POINT, "conso_total"),
)
"""The flows of a site, the ones that people look at first, first."""

type _Sort = tuple[Medium, str]
"""Medium and mode of a meter."""

_PRODUCTION: Final = MeterType.ELECTRICITY, MeterMode.PRODUCTION
_INTRODUCTION: Final = MeterType.ELECTRICITY, MeterMode.INTRODUCTION
_BATTERY: Final = MeterType.ELECTRICITY, MeterMode.BATTERY

_PROVED_BY: Final[dict[_Sort, FlowKind]] = {
    _PRODUCTION: FlowKind.PRODUCTION,
    _BATTERY: FlowKind.BATTERY_CHARGE,
}
"""Meters that prove that a site has something."""

type _Columns = Mapping[FlowKind, str]
"""The flows of a meter, and the names of their columns in the cloud's replies."""

_CONSUMPTION: Final[_Columns] = {FlowKind.CONSUMPTION: "total"}
_SHARED_WITH_SUN: Final[_Columns] = {
    FlowKind.CONSUMPTION: "total",
    FlowKind.SOLAR_CONSUMPTION: "self",
    FlowKind.GRID_CONSUMPTION: "ext",
}
"""Of meters that tell their solar share from their grid share."""

_OF_MEDIUM: Final[dict[Medium, _Columns]] = {
    MeterType.ELECTRICITY: _SHARED_WITH_SUN,
    MeterType.CHARGE_POINT: _SHARED_WITH_SUN,
}
"""What the meters of a medium measure, if not consumption alone."""

_OF_SORT: Final[dict[_Sort, _Columns]] = {
    _PRODUCTION: {FlowKind.PRODUCTION: "total"},
    _INTRODUCTION: {},
    _BATTERY: {},
}
"""What other meters of a medium measure than most do. The introduction meter is the
site's import and export, a battery meter the site's charge and discharge; neither has
columns of its own."""

OPTIONAL_COLUMNS: Final[dict[Column, FlowKind]] = {
    Column(None, flow.quantity): flow.kind
    for flow in _SITE_FLOWS
    if flow.needs == flow.kind
}
"""Columns in which the first energy shows that a site produces, or stores."""


def site_flows(
    site_id: str, meters: Collection[Meter], seen: frozenset[FlowKind]
) -> Iterator[Flow]:
    """Yield the flows of a whole site, the ones that people look at first, first.

    `seen` has the kinds that proved to exist by their values although no meter
    shows them: a resident may see no production meter, yet has a share of the sun.
    """
    media = media_of(meters)
    proved = (_PROVED_BY.get((meter.type, meter.mode)) for meter in meters)
    present = {None, *seen, *proved}
    for flow in _SITE_FLOWS:
        if flow.medium in media and flow.needs in present:
            yield Flow(site_id, flow.kind, flow.medium, Column(None, flow.quantity))


def media_of(meters: Collection[Meter]) -> set[Medium]:
    """Return what some meters of a site measure: electricity if there are none."""
    return {meter.type for meter in meters} or {MeterType.ELECTRICITY}


def meter_flows(meter: Meter) -> Iterator[Flow]:
    """Yield the flows of one meter; none where the site's flows say it all."""
    for kind, quantity in _columns_of(meter).items():
        yield Flow(meter.id, kind, meter.type, Column(meter.id, quantity))


def has_series(meter: Meter) -> bool:
    """Return whether the cloud has a series of this meter alone."""
    return bool(_columns_of(meter))


def _columns_of(meter: Meter) -> _Columns:
    of_medium = _OF_MEDIUM.get(meter.type, _CONSUMPTION)
    return _OF_SORT.get((meter.type, meter.mode), of_medium)
