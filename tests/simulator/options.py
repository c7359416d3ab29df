"""The unknowns and faults of the cloud as options of a command line.

What limits people most has an option of its own; `--quirk` sets the other fields of
`Quirks`, and `--fault` those of `Fault`.
"""

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
import re
from typing import Any, Final, get_type_hints
from zoneinfo import ZoneInfo

from .faults import Fault
from .local_time import local_start, moment_of
from .meters import SimulatedMeter
from .quirks import Quirks, Refusal
from .site import SimulatedSite
from .typed import value_of

SAMPLINGS: Final = ("15T", "H", "D", "M", "Y")
OWN: Final = frozenset(
    {
        *("window_limit", "longest", "window_refusal"),
        *("depth", "depth_refusal", "depth_lifted", "kept", "most_rows", "kept_rows"),
        *("failing", "failing_before", "replica_lag", "unlisted"),
    }
)
"""The fields of `Quirks` that have options of their own."""
EXAMPLES: Final = """\
examples of faults:
  --fault status,status=502,after=50,times=20
  --fault empty_list,path=all_installations,times=3
  --fault 'status,path=auth,status=403,body=<html>Blocked</html>'
  --fault 'status,status=429,times=1,headers={"Retry-After": "900"}'
"""
_ZONE: Final = ZoneInfo("Europe/Zurich")
_QUIRKS: Final = get_type_hints(Quirks)
_FAULT: Final = get_type_hints(Fault)


def _typed(hint: Any, text: str) -> Any:
    """Return what a text says as this type; raises argparse's error."""
    try:
        return value_of(hint, text)
    except ValueError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def _field(hints: Mapping[str, Any], text: str) -> tuple[str, Any]:
    """Return a field and its value of "name=value"."""
    name, _, value = text.partition("=")
    if name not in hints:
        raise argparse.ArgumentTypeError(
            f"there is no {name}, but {', '.join(sorted(hints))}"
        )
    try:
        return name, _typed(hints[name], value)
    except argparse.ArgumentTypeError as err:
        raise argparse.ArgumentTypeError(f"{name}: {err}") from err


def _fault(text: str) -> Fault:
    """Return a fault of "kind,name=value,..."."""
    kind, *settings = re.split(r",(?=\w+=)", text)
    hints = {name: _FAULT[name] for name in _FAULT.keys() - {"kind", "seen", "hits"}}
    fault = Fault(
        _typed(_FAULT["kind"], kind), **dict(_field(hints, one) for one in settings)
    )
    try:
        re.compile(fault.path)
    except re.PatternError as err:
        raise argparse.ArgumentTypeError(f"path: {err}") from err
    return fault


def _quirk(text: str) -> tuple[str, Any]:
    return _field({name: _QUIRKS[name] for name in _QUIRKS.keys() - OWN}, text)


def _amount(text: str) -> float:
    if (number := _typed(float, text)) < 0:
        raise argparse.ArgumentTypeError("not below 0")
    return float(number)


def _days(text: str) -> timedelta:
    return timedelta(days=_amount(text))


def _by_sampling(text: str) -> tuple[str, timedelta]:
    """Return the sampling, "" for the others, and the time of "H=31" or "31"."""
    sampling, sign, days = text.rpartition("=")
    if sign and sampling not in SAMPLINGS:
        raise argparse.ArgumentTypeError(
            f"no sampling is called {sampling}, but {', '.join(SAMPLINGS)}"
        )
    return sampling, _days(days)


def _minutes(text: str) -> timedelta:
    return timedelta(minutes=_amount(text))


def _refusal(hint: Any, text: str) -> Any:
    """Return a way to say no; a status is one that says no."""
    how = _typed(hint, text)
    if isinstance(how, int) and not 300 <= how < 600:
        raise argparse.ArgumentTypeError(f"{how} is no status of a refusal")
    return how


def _failing(text: str) -> tuple[str, Refusal]:
    """Return who fails and how, with 500 unless it is said."""
    name, _, how = text.partition("=")
    return name, _refusal(Refusal, how or "500")


@dataclass(frozen=True, kw_only=True)
class _Option:
    value: str
    text: str
    read: Callable[[str], Any]
    field: str = ""
    """Of `Quirks`, if the value is what it takes."""
    often: bool = False
    """Whether it may be given several times."""

    def add_to(self, group: Any, name: str) -> None:
        """Add it to a parser or a group of one."""
        default = getattr(Quirks, self.field) if self.field else None
        again: dict[str, Any] = {"action": "append"} if self.often else {}
        group.add_argument(
            name,
            metavar=self.value,
            help=self.text,
            type=self.read,
            default=[] if self.often else default,
            **again,
        )


def _plain(
    field: str, value: str, text: str, read: Callable[[Any, str], Any] = _typed
) -> _Option:
    """Return an option that takes what a field of `Quirks` takes."""
    return _Option(
        value=value, text=text, read=partial(read, _QUIRKS[field]), field=field
    )


_OPTIONS: Final[Mapping[str, _Option]] = {
    "--longest": _Option(
        value="[SAMPLING=]DAYS",
        text="the longest window it gives, of all samplings or of 15T, H, D, M or Y",
        read=_by_sampling,
        often=True,
    ),
    "--refusal": _plain(
        *("window_refusal", "HOW"),
        "how it refuses what is longer: a status (413), hang, error_object, html, empty",
        _refusal,
    ),
    "--depth-days": _Option(
        value="[SAMPLING=]DAYS",
        text="how far back it gives, in days before today",
        read=_by_sampling,
        often=True,
    ),
    "--kept-days": _Option(
        value="[SAMPLING=]DAYS",
        text="the same, but it moves on by a day every day",
        read=_by_sampling,
        often=True,
    ),
    "--depth-refusal": _plain(
        *("depth_refusal", "HOW"),
        "how it refuses what begins before: as --refusal (400), or clipped",
        _refusal,
    ),
    "--depth-lifted": _Option(
        value="MINUTES",
        text="after the start, from when on all is given",
        read=_minutes,
    ),
    "--most-rows": _plain("most_rows", "N", "the most rows of a reply"),
    "--kept-rows": _plain("kept_rows", "WHICH", "of them: first (usual) or last"),
    "--failing": _Option(
        value="METER[=HOW]",
        text="a meter (id or name) or type of meters that is refused, with 500",
        read=_failing,
        often=True,
    ),
    "--failing-before": _Option(
        value="DAYS",
        text="only what begins so many days before today or earlier",
        read=_days,
    ),
    "--unlisted": _Option(
        value="ID",
        text="a site or meter (id or name) that lists leave out",
        read=str,
        often=True,
    ),
    "--replica-lag": _Option(
        value="MINUTES",
        text="every third reply with data is as old as that",
        read=_minutes,
        field="replica_lag",
    ),
    "--quirk": _Option(
        value="NAME=VALUE",
        text="another field of tests/simulator/quirks.py; a wrong one lists them",
        read=_quirk,
        often=True,
    ),
    "--fault": _Option(
        value="KIND[,NAME=VALUE...]",
        text="what goes wrong, from tests/simulator/faults.py; a wrong one lists them",
        read=_fault,
        often=True,
    ),
}


def switches() -> argparse.ArgumentParser:
    """Return the options that limit or spoil the cloud, as a parent of a parser."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("what the cloud refuses, leaves out or spoils")
    for name, option in _OPTIONS.items():
        option.add_to(group, name)
    return parser


def quirks_of(
    options: argparse.Namespace, sites: Sequence[SimulatedSite], now: datetime
) -> Quirks:
    """Return what the options make of a cloud with these sites that starts now (aware).

    Raises ValueError for a site or meter that is not among them.
    """
    today = now.astimezone(_ZONE).date()
    longest = dict(options.longest)
    before, lifted = options.failing_before, options.depth_lifted
    return Quirks(
        window_limit=longest.pop("", None),
        longest=longest,
        window_refusal=options.refusal,
        depth={sampling: midnight(today - age) for sampling, age in options.depth_days},
        kept=dict(options.kept_days),
        depth_refusal=options.depth_refusal,
        depth_lifted=None if lifted is None else now + lifted,
        most_rows=options.most_rows,
        kept_rows=options.kept_rows,
        failing={
            id_: how
            for name, how in options.failing
            for id_ in _ids(name, sites, _types(sites))
        },
        failing_before=None if before is None else midnight(today - before),
        unlisted=[id_ for name in options.unlisted for id_ in _ids(name, sites)],
        replica_lag=options.replica_lag,
        **dict(options.quirk),
    )


def midnight(day: date) -> datetime:
    """Return the aware moment at which a day begins in Switzerland."""
    return moment_of(local_start(day, _ZONE.key))


def _types(sites: Sequence[SimulatedSite]) -> list[str]:
    return sorted({meter.type for site in sites for meter in site.meters})


def _ids(
    name: str, sites: Sequence[SimulatedSite], types: Collection[str] = ()
) -> list[str]:
    """Return the ids of what has this name or id, or the type of this name."""
    things: list[SimulatedSite | SimulatedMeter] = [*sites]
    things += [meter for site in sites for meter in site.meters]
    found = [thing.id for thing in things if name in (thing.name, thing.id)]
    found += [kind for kind in types if kind == name]
    if not found:
        names = dict.fromkeys([*(thing.name or thing.id for thing in things), *types])
        raise ValueError(f"there is no {name}, but {', '.join(names)}")
    return found
