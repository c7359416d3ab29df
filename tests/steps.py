"""Counts what the integration does while nobody else in Home Assistant has a turn.

By the steps of its own code, in the event loop's thread: how many functions begin and
how often loops go round. Unlike time they are the same on a machine that is busy.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
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
TOOL: Final = 4
"""Free of debuggers, profilers and coverage."""

_EVENTS: Final = sys.monitoring.events


@dataclass
class Steps:
    """How many steps were made in one go, at most."""

    most: int = 0
    where: list[tuple[str, int]] = field(default_factory=list)
    """The functions that made most of them."""
    _now: list[CodeType] = field(default_factory=list)
    _thread: int = field(default_factory=threading.get_ident)

    def count(self, code: CodeType, *_: Any) -> Any:
        """Count a step, if it is one of the integration."""
        if not code.co_filename.startswith(OWN):
            return sys.monitoring.DISABLE
        if threading.get_ident() == self._thread:
            self._now.append(code)  # counted at the end: hashing one is dear
        return None

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

    sys.monitoring.use_tool_id(TOOL, __name__)
    try:
        for event in (_EVENTS.PY_START, _EVENTS.JUMP):
            sys.monitoring.register_callback(TOOL, event, steps.count)
        sys.monitoring.set_events(TOOL, _EVENTS.PY_START | _EVENTS.JUMP)
        with patch.object(asyncio.Handle, "_run", run_and_end):
            yield steps
    finally:
        sys.monitoring.set_events(TOOL, 0)
        sys.monitoring.free_tool_id(TOOL)
        sys.monitoring.restart_events()
