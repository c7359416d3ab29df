"""Spans of time, and what is left of them. Pure; times are aware, in UTC."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

type Span = tuple[datetime, datetime]
"""From the first moment up to, and without, the second."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same time in as few spans as possible, oldest first."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what of the spans is not in any of those taken, oldest first."""
    left = merged(spans)
    for first, last in merged(taken):
        left = [
            piece
            for start, end in left
            for piece in ((start, min(end, first)), (max(start, last), end))
            if piece[0] < piece[1]
        ]
    return left


def clipped(span: Span, start: datetime, end: datetime) -> Span | None:
    """Return what of a span lies between two moments, or None if nothing does."""
    first, last = max(span[0], start), min(span[1], end)
    return (first, last) if first < last else None


def parts_within(spans: Iterable[Span], start: datetime, end: datetime) -> list[Span]:
    """Return what of some spans lies between two moments, in their order."""
    return [part for span in spans if (part := clipped(span, start, end))]


def cut(span: Span, length: timedelta, *, newest_first: bool = False) -> Span:
    """Return the first piece of a span, no longer than `length`; or the last one."""
    start, end = span
    if end - start <= length:
        return span
    return (end - length, end) if newest_first else (start, start + length)


def in_words(spans: Sequence[Span], at_most: int = 3) -> str:
    """Return the days of some spans in words, of the first ones at least."""
    words = [f"{start.date()} to {end.date()}" for start, end in spans[:at_most]]
    if (more := len(spans) - at_most) > 0:
        words.append(f"and {more} more")
    return ", ".join(words)
