"""SQLite forgets what was read; other databases are not told to."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

from custom_components.climkit.statistics.pages import LOOK_UPS, forgetting_pages

SHRINK = "PRAGMA shrink_memory"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Return a session of a new database."""
    engine = create_engine(f"sqlite:///{tmp_path}/test.db")
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_some_at_a_time(session: Session) -> None:
    """Pages are forgotten before more are read than were promised."""
    seen: list[object] = []

    @event.listens_for(session.connection(), "before_cursor_execute")
    def note(*args: object) -> None:
        seen.append(args[2])

    deque(map(seen.append, forgetting_pages(session, range(5), LOOK_UPS // 2)), 0)
    assert seen == [0, 1, SHRINK, 2, 3, SHRINK, 4, SHRINK]


def test_one_that_needs_more_than_all(session: Session) -> None:
    """It is alone then."""
    items = forgetting_pages(session, range(3), 10 * LOOK_UPS)
    assert list(items) == [0, 1, 2]


def test_other_databases() -> None:
    """They keep their pages elsewhere, and do not know the word."""
    session = MagicMock(Session)
    session.connection.return_value.dialect.name = "postgresql"
    assert list(forgetting_pages(session, range(3), 1)) == [0, 1, 2]
    session.execute.assert_not_called()
