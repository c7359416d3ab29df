"""One task of a site in the recorder's queue at a time, however long it waits there.

The recorder may be busy for many minutes (a backup, a purge): polls go on meanwhile, and
must not queue a task each. Whoever writes takes turns, in the order of asking.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import async_migration_in_progress, get_instance

from .updates import RecorderError

PATIENCE: Final = 60
"""Seconds after which it is looked whether a recorder that does not answer still runs."""


def check_recorder(hass: HomeAssistant) -> None:
    """Raise RecorderError if the recorder can't serve now."""
    if async_migration_in_progress(hass) or not get_instance(hass).recording:
        raise RecorderError


class RecorderTurn:
    """Lets one task after the other into the recorder's queue."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Serve one site."""
        self._hass = hass
        self._lock = asyncio.Lock()
        self._queued: asyncio.Future[Any] | None = None

    async def async_run[T](
        self, queue: Callable[[Callable[[T | None], None]], None]
    ) -> T:
        """Queue a task and return what it tells by the function that `queue` is given.

        Raises RecorderError if it tells None, which is that nothing came of it, or if
        the recorder has stopped. Whoever waits no longer leaves the task in the queue:
        it comes to its turn some day, and until then nobody queues another.
        """
        async with self._lock:
            if self._queued is not None:
                await self._async_wait(self._queued)
            check_recorder(self._hass)
            loop = self._hass.loop
            done: asyncio.Future[T | None] = loop.create_future()

            def finish(result: T | None) -> None:
                loop.call_soon_threadsafe(done.set_result, result)

            queue(finish)
            self._queued = done
            await self._async_wait(done)
        if (result := done.result()) is None:
            raise RecorderError
        return result

    async def _async_wait(self, done: asyncio.Future[Any]) -> None:
        """Wait for as long as it takes a recorder that runs."""
        while not done.done():
            await asyncio.wait([done], timeout=PATIENCE)
            recorder = get_instance(self._hass)
            if not (done.done() or (recorder.is_alive() and recorder.recording)):
                raise RecorderError
