"""Spans of time: what is left of them, and that pieces cover them once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.climkit.metering.spans import (
    Span,
    clipped,
    cut,
    in_words,
    merged,
    without,
)

ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def at(hour: int) -> datetime:
    """Return an hour of that day, or of a later one."""
    return ZERO + timedelta(hours=hour)


def spans(*pairs: tuple[int, int]) -> list[Span]:
    """Return spans by their hours."""
    return [(at(start), at(end)) for start, end in pairs]


def test_merged() -> None:
    assert merged(spans((3, 4), (0, 2), (1, 3), (6, 6))) == spans((0, 4))


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], [(0, 10)]),
        ([(0, 10)], []),
        ([(2, 3), (5, 7)], [(0, 2), (3, 5), (7, 10)]),
        ([(-5, 1), (9, 20)], [(1, 9)]),
        ([(10, 12)], [(0, 10)]),
    ],
)
def test_without(taken: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    assert without(spans((0, 10)), spans(*taken)) == spans(*left)


def test_clipped() -> None:
    (span,) = spans((2, 8))
    assert clipped(span, at(4), at(20)) == (at(4), at(8))
    assert clipped(span, at(8), at(20)) is None


def test_cut_from_either_end() -> None:
    (span,) = spans((0, 10))
    assert cut(span, timedelta(hours=4)) == (at(0), at(4))
    assert cut(span, timedelta(hours=4), newest_first=True) == (at(6), at(10))
    assert cut(span, timedelta(hours=40)) == span


@given(
    length=st.integers(1, 500),
    pieces=st.lists(st.integers(1, 60), min_size=1, max_size=40),
    newest_first=st.booleans(),
)
def test_pieces_cover_a_span_once(
    length: int, pieces: list[int], newest_first: bool
) -> None:
    """However long each piece is, none is longer, and nothing is left or told twice."""
    todo = spans((0, length))
    covered: set[int] = set()
    turn = 0
    while todo:
        longest = pieces[turn % len(pieces)]
        turn += 1
        start, end = cut(
            todo[-1 if newest_first else 0],
            timedelta(hours=longest),
            newest_first=newest_first,
        )
        hours = set(
            range(
                (start - ZERO).days * 24 + (start - ZERO).seconds // 3600,
                (end - ZERO).days * 24 + (end - ZERO).seconds // 3600,
            )
        )
        assert 0 < len(hours) <= longest
        assert not hours & covered
        covered |= hours
        todo = without(todo, [(start, end)])
    assert covered == set(range(length))


def test_many_spans_in_a_few_words() -> None:
    """A log has room for the days of three."""
    days = spans(*((n * 48, n * 48 + 24) for n in range(5)))
    first = "2026-01-01 to 2026-01-02, 2026-01-03 to 2026-01-04"
    third = "2026-01-05 to 2026-01-06"
    assert in_words(days[:2]) == first
    assert in_words(days[:3]) == f"{first}, {third}"
    assert in_words(days) == f"{first}, {third}, and 2 more"
