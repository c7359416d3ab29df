"""Reads the words of a command line as the type that a field is declared with."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
import json
from types import NoneType
from typing import Any, Final, Literal, TypeAliasType, Union, get_args, get_origin


def value_of(hint: Any, text: str) -> Any:
    """Return what a text says as this type; raises ValueError that tells what fits."""
    choices = list(_choices(hint))
    if text in choices:
        return text
    for choice in choices:
        if choice in _READERS:
            try:
                return _READERS[choice][1](text)
            except KeyError, ValueError:
                continue
    raise ValueError(f"not {text}, but {' or '.join(map(_name, choices))}")


def _choices(hint: Any) -> Iterator[Any]:
    """Return the words and the types that a type consists of, "none" first."""
    if isinstance(hint, TypeAliasType):
        yield from _choices(hint.__value__)
    elif get_origin(hint) is Union:
        for part in sorted(get_args(hint), key=lambda part: part is not NoneType):
            yield from _choices(part)
    elif get_origin(hint) is Literal:
        yield from get_args(hint)
    else:
        yield get_origin(hint) or hint


def _name(choice: Any) -> str:
    return _READERS[choice][0] if choice in _READERS else str(choice)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(text)  # noqa: TRY004 - as all that does not fit
    return found


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


_READERS: Final[Mapping[Any, tuple[str, Callable[[str], Any]]]] = {
    NoneType: ("none", {"none": None}.__getitem__),
    bool: ("yes or no", {"yes": True, "no": False}.__getitem__),
    int: ("a whole number", int),
    float: ("a number", float),
    str: ("a text", str),
    datetime: ("a time with its offset", _aware),
    Collection: ("words with commas between", _listed),
    dict: ("a JSON object", _object),
    Mapping: ("a JSON object", _object),
}
"""By type: what it is called, and what reads it."""
