"""What statistics are called: site, meter, flow, and what tells two of one name apart.

A statistic has no device and no area that would tell where it belongs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..api import Meter, Site
from ..const import DOMAIN
from ..metering.site import SiteInfo
from .ownership import async_owners

LONGEST_LABEL: Final = 180
"""Characters. The recorder keeps 255 of a name, with the flow and a mark."""

LONGEST_FLOW: Final = 40

SHORTEST_MARK: Final = 4


class Named(Protocol):
    """Something of the site, or of a meter, that has a statistic."""

    @property
    def owner_id(self) -> str:
        """Return the id of the site or of the meter."""

    @property
    def kind(self) -> str:
        """Return what it is: a key of the translations."""


def labels_of(info: SiteInfo) -> dict[str, str]:
    """Return what the site and its chosen meters are called, by their ids."""
    site = _name_of(info.site)
    labels = {info.site.id: _shortened(site, LONGEST_LABEL)}
    return labels | {meter.id: _joined(site, _name_of(meter)) for meter in info.chosen}


def _name_of(described: Site | Meter) -> str:
    return printable(described.name) or described.id


def _joined(site: str, meter: str) -> str:
    """Return both names, each cut to its half where there is no room for both."""
    if len(site) + len(meter) + 1 <= LONGEST_LABEL:
        return f"{site} {meter}"
    half = LONGEST_LABEL // 2
    return f"{_shortened(site, half - 1)} {_shortened(meter, half)}"


def printable(name: str) -> str:
    """Return a name without what can't be printed, which databases may refuse."""
    spaced = " ".join(name.split())  # of all white space only the space is printable
    return " ".join("".join(filter(str.isprintable, spaced)).split())


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def marked(
    label: str, owner: str, address: int | None, rivals: Mapping[str, int | None]
) -> str:
    """Return a label with what tells its owner from `rivals`, who are called the same.

    Its address on the bus if nobody else has it, or else the end of its id.
    """
    if not rivals:
        return label
    known = rivals.values()
    if address is not None and None not in known and address not in known:
        return f"{label} ({address})"
    return f"{label} ({_shortened(_end_of_its_own(owner, rivals), 24)})"


def _end_of_its_own(id_: str, rivals: Iterable[str]) -> str:
    """Return as much of the end of an id as none of its rivals has."""
    length = SHORTEST_MARK
    while length < len(id_) and any(o.endswith(id_[-length:]) for o in rivals):
        length += 1
    return id_[-length:]


async def async_statistic_names[T: Named](
    hass: HomeAssistant, info: SiteInfo, flows: Iterable[T]
) -> dict[T, str]:
    """Return the name of each statistic, in the language of the system.

    `flows` has flows of energy, or costs.
    """
    translations = await async_get_translations(
        hass, hass.config.language, "entity", {DOMAIN}
    )
    own = labels_of(info)
    whole = _told_apart(info, own, async_owners(hass).labels_beside(own))
    names = {}
    for flow in flows:
        key = f"component.{DOMAIN}.entity.sensor.{flow.kind}.name"
        what = translations.get(key, flow.kind.replace("_", " "))
        where = whole.get(flow.owner_id) or flow.owner_id
        names[flow] = f"{where} {_shortened(what, LONGEST_FLOW)}"
    return names


def _told_apart(
    info: SiteInfo, own: Mapping[str, str], others: Mapping[str, str]
) -> dict[str, str]:
    """Return our labels by owner, with a mark where somebody else is called the same."""
    addresses = {meter.id: meter.prim_ad for meter in info.meters}
    by_label: defaultdict[str, dict[str, int | None]] = defaultdict(dict)
    for owner, label in (*own.items(), *others.items()):
        by_label[label][owner] = addresses.get(owner)
    whole = {}
    for owner, label in own.items():
        rivals = {**by_label[label]}
        whole[owner] = marked(label, owner, rivals.pop(owner), rivals)
    return whole
