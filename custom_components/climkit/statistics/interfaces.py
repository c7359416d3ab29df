"""Whether an interface that may move with any version still is as it is used."""

from annotationlib import Format
from collections.abc import Callable, Collection, Iterator, Mapping
from inspect import signature
from typing import Any


def missing_names(names: Mapping[type, Collection[str]]) -> Iterator[str]:
    """Yield the names that classes no longer have."""
    return (
        f"{owner.__name__}.{name}"
        for owner, some in names.items()
        for name in some
        if not hasattr(owner, name)
    )


def other_arguments(
    calls: Mapping[Callable[..., Any], Collection[str]],
) -> Iterator[str]:
    """Yield the functions that no longer take the arguments, by name, that they did."""
    for call, args in calls.items():
        try:
            signature(call, annotation_format=Format.FORWARDREF).bind(
                **dict.fromkeys(args)
            )
        except TypeError as err:
            yield f"{call.__qualname__}: {err}"
