"""What was stored, as far as it can be read: somebody may have changed it by hand."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def mapping_of(data: object) -> Mapping[str, Any]:
    """Return what was stored as a mapping; anything else is as good as nothing."""
    return data if isinstance(data, Mapping) else {}


def readable[T](data: object, read: Callable[[Any], T]) -> Iterator[tuple[str, T]]:
    """Yield what `read` makes of each value that it can read, with its key.

    Where it raises AttributeError, KeyError, TypeError or ValueError, it can't.
    """
    for key, value in mapping_of(data).items():
        try:
            yield key, read(value)
        except AttributeError, KeyError, TypeError, ValueError:
            continue
