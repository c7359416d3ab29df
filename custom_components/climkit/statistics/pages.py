"""The pages of a database that SQLite keeps in memory: 16 MB for each connection."""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

LOOK_UPS: Final = 500
"""So many rows are looked up, each of which may take two pages of 4 kB."""

_SHRINK: Final = text("PRAGMA shrink_memory")


def forgetting_pages[T](
    session: Session, items: Iterable[T], look_ups: int
) -> Iterator[T]:
    """Yield items for each of which so many rows are looked up before the next is due.

    After some of them SQLite forgets the pages that were read, which hardly anybody will
    need: each connection of the recorder's pool of readers would keep them for ever.
    """
    for some in batched(items, max(LOOK_UPS // look_ups, 1), strict=False):
        yield from some
        forget_pages(session)


def forget_pages(session: Session) -> None:
    """Let SQLite keep none of the pages that were read or written."""
    if session.connection().dialect.name == "sqlite":
        session.execute(_SHRINK)
