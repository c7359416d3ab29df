"""Waits for as long as something moves, however busy the machine is."""

import time
from typing import Final

STALLED: Final = 300.0
"""Real seconds in which nothing moves at all before somebody gives up."""


class Patience:
    """Of somebody who waits, and looks from time to time how far things are."""

    def __init__(self, stalled: float = STALLED) -> None:
        """Begin to wait, for at most so many seconds in which nothing moves."""
        self._stalled = stalled
        self._seen: object = None
        self._since = time.monotonic()

    def see(self, state: object) -> None:
        """Note how far it is; raises TimeoutError when that is for long the same."""
        if state != self._seen:
            self._seen, self._since = state, time.monotonic()
        elif time.monotonic() - self._since > self._stalled:
            raise TimeoutError(f"Nothing has moved for {self._stalled:.0f} s: {state}")
