"""A table of text: what was measured beside what was promised."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One figure."""

    what: str
    bar: str
    measured: str
    field: str = ""
    """What the same would be the way existing clients do it."""
    met: bool | None = None
    """Whether it meets the bar; None where there is none."""


HEAD = Line("what", "bar", "measured", "as others do it")


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a table for a terminal."""
    rows = [
        (line.what, line.bar, line.measured, line.field, _verdict(line))
        for line in (HEAD, *lines)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    texts = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join([texts[0], "-" * len(texts[0].rstrip()), *texts[1:]])


def _verdict(line: Line) -> str:
    return "" if line.met is None else "met" if line.met else "MISSED"
