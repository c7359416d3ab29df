"""The Energy preferences as plain data: what of ours is missing in them, or twice.

They are what Home Assistant stores: three lists of dictionaries. Nothing here changes
what it is given, and nothing here reads or saves them; `dashboard` does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..api import Meter, MeterType
from ..const import HOME_SITE
from ..metering.flows import Flow, FlowKind
from ..statistics.metadata import statistic_id

type Preferences = dict[str, Any]

SOURCES: Final = "energy_sources"
DEVICES: Final = "device_consumption"
WATER_DEVICES: Final = "device_consumption_water"
LISTS: Final = (SOURCES, DEVICES, WATER_DEVICES)

_FROM: Final = "stat_energy_from"
_TO: Final = "stat_energy_to"
_CONSUMPTION: Final = "stat_consumption"
COUNTED: Final = (_FROM, _TO, _CONSUMPTION)
"""The keys of what is added up; the others name prices, powers and relations."""

_NO_PRICE: Final = {
    "stat_cost": None,
    "entity_energy_price": None,
    "number_energy_price": None,
}
_NO_COMPENSATION: Final = {
    "stat_compensation": None,
    "entity_energy_price_export": None,
    "number_energy_price_export": None,
}
_REST: Final[dict[str, dict[str, Any]]] = {
    "grid": {_TO: None, **_NO_PRICE, **_NO_COMPENSATION, "cost_adjustment_day": 0.0},
    "solar": {"config_entry_solar_forecast": None},
    "battery": {},
    "water": _NO_PRICE,
}
"""What a source has when somebody adds it in the dashboard and fills in no more."""


@dataclass(frozen=True, slots=True)
class Addition:
    """One entry of ours, and the list in which it belongs."""

    where: str
    content: Mapping[str, Any]
    flows: tuple[Flow, ...]

    @property
    def ids(self) -> set[str]:
        """Return the ids of the statistics that it names."""
        return {statistic_id(flow) for flow in self.flows}


@dataclass(frozen=True, slots=True)
class _Source:
    type: str
    energy_from: FlowKind
    energy_to: FlowKind | None = None
    needs_both: bool = False


_SITE_SOURCES: Final = (
    _Source("grid", FlowKind.GRID_IMPORT, FlowKind.GRID_EXPORT),
    _Source("solar", FlowKind.PRODUCTION),
    _Source(
        "battery", FlowKind.BATTERY_DISCHARGE, FlowKind.BATTERY_CHARGE, needs_both=True
    ),
    _Source("water", FlowKind.COLD_WATER),
    _Source("water", FlowKind.HOT_WATER),
)
_METER_SOURCES: Final = (
    _Source("grid", FlowKind.GRID_CONSUMPTION),
    _Source("solar", FlowKind.SOLAR_CONSUMPTION),
)

_DEVICE_LISTS: Final[dict[str, str]] = {
    MeterType.ELECTRICITY: DEVICES,
    MeterType.CHARGE_POINT: DEVICES,
    MeterType.COLD_WATER: WATER_DEVICES,
    MeterType.HOT_WATER: WATER_DEVICES,
}
"""Heat and cold are kilowatt-hours too, but no part of the electricity."""


def additions(
    home: str, site_id: str, flows: Iterable[Flow], meters: Iterable[Meter]
) -> list[Addition]:
    """Return what belongs in the dashboard for a `home`: "site" or a meter's id.

    `meters` are the chosen ones. None of them is said to be included in another: the
    cloud does not tell which meter is behind which, and a wrong guess would hide
    consumption. Whoever knows can say it in the dashboard.
    """
    flows = tuple(flows)
    if home != HOME_SITE:
        return list(_sources(_METER_SOURCES, _by_kind(flows, home)))
    found = list(_sources(_SITE_SOURCES, _by_kind(flows, site_id)))
    for meter in meters:
        flow = _by_kind(flows, meter.id).get(FlowKind.CONSUMPTION)
        where = _DEVICE_LISTS.get(meter.type)
        if flow and where:
            content = {_CONSUMPTION: statistic_id(flow), "name": meter.name}
            found.append(Addition(where, content, (flow,)))
    return found


def _by_kind(flows: Iterable[Flow], owner_id: str) -> dict[FlowKind, Flow]:
    return {flow.kind: flow for flow in flows if flow.owner_id == owner_id}


def _sources(
    table: Iterable[_Source], flows: Mapping[FlowKind, Flow]
) -> Iterator[Addition]:
    for source in table:
        energy_from = flows.get(source.energy_from)
        energy_to = flows.get(source.energy_to) if source.energy_to else None
        if energy_from is None or (source.needs_both and energy_to is None):
            continue
        content = {"type": source.type, _FROM: statistic_id(energy_from)}
        content |= _REST[source.type]
        if energy_to:
            content[_TO] = statistic_id(energy_to)
        used = (energy_from, energy_to) if energy_to else (energy_from,)
        yield Addition(SOURCES, content, used)


def missing(
    preferences: Preferences, wanted: Iterable[Addition]
) -> tuple[Addition, ...]:
    """Return the additions of which nothing is anywhere in the preferences yet."""
    present = set(_texts(preferences))
    return tuple(addition for addition in wanted if not present & addition.ids)


def has_grid(preferences: Preferences) -> bool:
    """Return whether the dashboard has a grid connection."""
    return any(entry.get("type") == "grid" for entry in _entries(preferences, SOURCES))


def _entries(preferences: Preferences, name: str) -> Sequence[dict[str, Any]]:
    entries = preferences.get(name)
    if not isinstance(entries, list):
        return ()
    return [entry for entry in entries if isinstance(entry, dict)]


def _texts(node: Any) -> Iterator[str]:
    """Yield every text anywhere in the preferences."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, Sequence):
        for value in node:
            yield from _texts(value)
