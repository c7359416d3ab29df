"""The values of a column behave as the tuple that they stand for."""

from collections.abc import Sequence

import pytest

from custom_components.climkit.api.column_values import ColumnValues

SOME: tuple[float | None, ...] = (1.0, None, -0.5, 0.0, 1e-7, None)


def test_values() -> None:
    """What is not known is None, and nothing else is."""
    values = ColumnValues(SOME[:-1])
    values.append(SOME[-1])

    assert len(values) == len(SOME)
    assert [*values] == [values[index] for index in range(len(SOME))] == [*SOME]
    assert [*reversed(values)] == [*reversed(SOME)]
    assert values[-2] == SOME[-2]
    assert values[-1] is None
    assert values[1:4] == SOME[1:4]
    assert values.picked([2, 1]) == (-0.5, None)
    with pytest.raises(IndexError):
        values[len(SOME)]


@pytest.mark.parametrize("value", [None, 1.0, 0.0, 7.0])
@pytest.mark.parametrize("some", [SOME, (1.0, 2.0), ()])
def test_contains(value: float | None, some: Sequence[float | None]) -> None:
    """None is looked for wherever gaps are."""
    assert (value in ColumnValues(some)) == (value in some)


@pytest.mark.parametrize("other", [SOME[:-1], (*SOME[:-1], 0.0), (), "text", None])
def test_other_values(other: object) -> None:
    """They are compared value by value."""
    values = ColumnValues(SOME)
    same = tuple(SOME)
    assert values == same
    assert same == values
    assert values == ColumnValues(SOME)
    assert values != other
