"""Counts what the integration does while nobody else in Home Assistant has a turn.

By the steps of its own code, in the event loop's thread: how many functions begin and
how often loops go round. Unlike time they are the same on a machine that is busy.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
import sys
import threading
from types import CodeType
from typing import Any, Final
from unittest.mock import patch

import custom_components.climkit

OWN: Final = str(Path(custom_components.climkit.__file__).parent)
FINDING: Final = 4
COUNTING: Final = 3
"""Tools of their own, free of debuggers, profilers and coverage: one finds our functions
when they are first called, the other one is called at nothing but their steps."""

_EVENTS: Final = sys.monitoring.events
STEPS: Final = _EVENTS.PY_START | _EVENTS.JUMP


@dataclass
class Steps:
    """How many steps were made in one go, at most."""

    most: int = 0
    where: list[tuple[str, int]] = field(default_factory=list)
    """The functions that made most of them."""
    _now: list[CodeType] = field(default_factory=list)

    def counter(self) -> Callable[..., Any]:
        """Return what counts a step; it is called millions of times, and kept short."""
        here, ident, note = threading.get_ident(), threading.get_ident, self._now.append

        def count(code: CodeType, _: int, __: int = 0) -> None:
            if ident() == here:
                note(code)  # counted at the end: hashing one is dear

        return count

    def end(self) -> None:
        """Note that others have a turn now."""
        if (steps := len(self._now)) > self.most:
            self.most = steps
            most = Counter(self._now).most_common(5)
            self.where = [(code.co_qualname, times) for code, times in most]
        self._now.clear()


@contextmanager
def counted() -> Iterator[Steps]:
    """Count the steps between two turns of the running loop."""
    steps = Steps()
    run = asyncio.Handle._run

    def run_and_end(handle: asyncio.Handle) -> None:
        run(handle)
        steps.end()

    count = steps.counter()

    def begin(code: CodeType, offset: int) -> Any:
        """Have the steps of a function counted from the first one on, if it is ours."""
        if code.co_filename.startswith(OWN):
            sys.monitoring.set_local_events(COUNTING, code, STEPS)
            count(code, offset)
        return sys.monitoring.DISABLE

    for tool in (FINDING, COUNTING):
        sys.monitoring.use_tool_id(tool, __name__)
    try:
        for event in (_EVENTS.PY_START, _EVENTS.JUMP):
            sys.monitoring.register_callback(COUNTING, event, count)
        sys.monitoring.register_callback(FINDING, _EVENTS.PY_START, begin)
        sys.monitoring.set_events(FINDING, _EVENTS.PY_START)
        with patch.object(asyncio.Handle, "_run", run_and_end):
            yield steps
    finally:
        for tool in (FINDING, COUNTING):
            sys.monitoring.clear_tool_id(tool)
            sys.monitoring.free_tool_id(tool)
        sys.monitoring.restart_events()
