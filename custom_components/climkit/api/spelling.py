"""How `sampling_frequency` is spelled: pandas has renamed what the cloud hands on to it."""

from collections.abc import Awaitable, Callable
import time
from typing import Final

from .exceptions import ClimkitResponseError
from .models import Resolution

NEW_SPELLINGS: Final = {
    Resolution.QUARTER_HOUR: "15min",
    Resolution.HOUR: "h",
    Resolution.MONTH: "ME",
    Resolution.YEAR: "YE",
}

PATIENCE: Final = 86400.0
"""Seconds until another spelling is tried again: most refusals have other reasons."""

REFUSALS: Final = {400, 422}


class Spelling:
    """Remembers the spellings that the cloud takes."""

    def __init__(self) -> None:
        self._spellings: dict[Resolution, str] = {}
        self._tried: dict[Resolution, float] = {}

    def of(self, resolution: Resolution) -> str:
        """Return the spelling in use."""
        return self._spellings.get(resolution, resolution.value)

    async def ask[T](
        self, resolution: Resolution, ask: Callable[[str], Awaitable[T]]
    ) -> T:
        """Ask with the spelling in use; with the other one if that is refused."""
        try:
            return await ask(self.of(resolution))
        except ClimkitResponseError as err:
            other = self._other(resolution) if _may_mean_spelling(err) else None
            if other is None:
                raise
            refusal = err
        self._tried[resolution] = time.monotonic()
        try:
            result = await ask(other)
        except ClimkitResponseError:
            raise refusal from None  # so the spelling was not the reason
        self._spellings[resolution] = other
        return result

    def _other(self, resolution: Resolution) -> str | None:
        """Return the spelling to try next, if it is worth a request."""
        tried = self._tried.get(resolution, float("-inf"))
        if resolution not in NEW_SPELLINGS or time.monotonic() < tried + PATIENCE:
            return None
        new = NEW_SPELLINGS[resolution]
        return new if self.of(resolution) != new else resolution.value


def _may_mean_spelling(err: ClimkitResponseError) -> bool:
    # The answer to a log-in on the way has nothing to do with it.
    return err.status in REFUSALS and err.endpoint != "auth"
