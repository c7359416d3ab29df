"""The Energy preferences as plain data: what of ours is missing in them, or twice.

They are what Home Assistant stores: three lists of dictionaries. Nothing here changes
what it is given, and nothing here reads or saves them; `dashboard` does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
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
    ids: frozenset[str]
    """The ids of the statistics that it names."""


@dataclass(frozen=True, slots=True)
class _Source:
    type: str
    kinds: Mapping[str, FlowKind]
    """What it names, by the key."""
    needs: frozenset[str] = frozenset({_FROM})
    """The keys of what must be there; all else it names if it is."""

    def flows_in(self, flows: Mapping[FlowKind, Flow]) -> dict[str, Flow]:
        """Return which of some flows it names, by the key."""
        return {key: flows[kind] for key, kind in self.kinds.items() if kind in flows}


_SITE_SOURCES: Final = (
    _Source("grid", {_FROM: FlowKind.GRID_IMPORT, _TO: FlowKind.GRID_EXPORT}),
    _Source("solar", {_FROM: FlowKind.PRODUCTION}),
    _Source(
        "battery",
        {_FROM: FlowKind.BATTERY_DISCHARGE, _TO: FlowKind.BATTERY_CHARGE},
        needs=frozenset({_FROM, _TO}),
    ),
    _Source("water", {_FROM: FlowKind.COLD_WATER}),
    _Source("water", {_FROM: FlowKind.HOT_WATER}),
)
_METER_SOURCES: Final = (
    _Source("grid", {_FROM: FlowKind.GRID_CONSUMPTION}),
    _Source("solar", {_FROM: FlowKind.SOLAR_CONSUMPTION}),
)

_DEVICE_LISTS: Final[dict[str, str]] = {
    MeterType.ELECTRICITY: DEVICES,
    MeterType.CHARGE_POINT: DEVICES,
    MeterType.COLD_WATER: WATER_DEVICES,
    MeterType.HOT_WATER: WATER_DEVICES,
}
"""Heat and cold are kilowatt-hours too, but no part of the electricity."""


def additions(
    home: str,
    site_id: str,
    flows: Iterable[Flow],
    meters: Iterable[Meter],
    id_of: Callable[[Flow], str] = statistic_id,
) -> list[Addition]:
    """Return what belongs in the dashboard for a `home`: "site" or a meter's id.

    `meters` are the chosen ones. None of them is said to be included in another: the
    cloud does not tell which meter is behind which, and a wrong guess would hide
    consumption. Whoever knows can say it in the dashboard.
    """
    flows = tuple(flows)
    if home != HOME_SITE:
        return list(_sources(_METER_SOURCES, _by_kind(flows, home), id_of))
    return [
        *_sources(_SITE_SOURCES, _by_kind(flows, site_id), id_of),
        *_devices(meters, flows, id_of),
    ]


def _by_kind(flows: Iterable[Flow], owner_id: str) -> dict[FlowKind, Flow]:
    return {flow.kind: flow for flow in flows if flow.owner_id == owner_id}


def _sources(
    table: Iterable[_Source],
    flows: Mapping[FlowKind, Flow],
    id_of: Callable[[Flow], str],
) -> Iterator[Addition]:
    for source in table:
        used = source.flows_in(flows)
        if source.needs <= used.keys():
            ids = {key: id_of(flow) for key, flow in used.items()}
            content = {"type": source.type, _FROM: None} | _REST[source.type] | ids
            yield Addition(
                SOURCES, content, tuple(used.values()), frozenset(ids.values())
            )


def _devices(
    meters: Iterable[Meter], flows: Sequence[Flow], id_of: Callable[[Flow], str]
) -> Iterator[Addition]:
    for meter in meters:
        flow = _by_kind(flows, meter.id).get(FlowKind.CONSUMPTION)
        where = _DEVICE_LISTS.get(meter.type)
        if flow and where:
            id_ = id_of(flow)
            content = {_CONSUMPTION: id_, "name": meter.name}
            yield Addition(where, content, (flow,), frozenset({id_}))


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
    """Yield every text anywhere in the preferences, or in a part of them."""
    match node:
        case str():
            yield node
        case Mapping():
            yield from _texts(list(node.values()))
        case Sequence():
            yield from chain.from_iterable(map(_texts, node))
