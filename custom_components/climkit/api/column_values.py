"""The values of one column of a reply: eight bytes each, as there may be a million."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from math import isnan, nan
from operator import eq
from typing import Final, overload, override

_NONE: Final = nan
"""In place of None: no value of the cloud is read as one that is no number."""


class ColumnValues(Sequence[float | None]):
    """Finite numbers, and None where the cloud has no value."""

    __slots__ = ("_values",)

    def __init__(self, values: Iterable[float | None] = ()) -> None:
        self._values = array("d", map(_number, values))

    def append(self, value: float | None) -> None:
        """Add a value at the end."""
        self._values.append(_NONE if value is None else value)

    def fill(self, index: int, earlier: int) -> None:
        """Have the value of an earlier place where there is none."""
        if isnan(self._values[index]):
            self._values[index] = self._values[earlier]

    def picked(self, order: Iterable[int]) -> ColumnValues:
        """Return the values at these places, in their order."""
        result = ColumnValues()
        result._values.extend(map(self._values.__getitem__, order))
        return result

    @override
    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> float | None: ...
    @overload
    def __getitem__(self, index: slice) -> ColumnValues: ...
    @override
    def __getitem__(self, index: int | slice) -> float | ColumnValues | None:
        if isinstance(index, slice):
            return self.picked(range(*index.indices(len(self))))
        return _value(self._values[index])

    @override
    def __iter__(self) -> Iterator[float | None]:
        return map(_value, self._values)

    @override
    def __contains__(self, value: object) -> bool:
        if value is None:
            return any(map(isnan, self._values))
        return value in self._values

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


def _number(value: float | None) -> float:
    return _NONE if value is None else value


def _value(number: float) -> float | None:
    return None if isnan(number) else number
