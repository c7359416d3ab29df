"""Work behind the polls: done as soon as it can be, and tried again for as long as not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from ..const import LOGGER
from .updates import RecorderError

RETRIES: Final = (5, 15, 60, 300)
"""Seconds between attempts while the recorder can't serve."""


class BackgroundWork:
    """Works off what there is to do, one thing at a time."""

    def __init__(
        self,
        hass: HomeAssistant,
        name: str,
        has_work: Callable[[], bool],
        work: Callable[[], Awaitable[None]],
        done: Callable[[], None],
    ) -> None:
        """Call `work` for as long as there is any; `done` after it, or after a failure."""
        self.is_working = False
        self._hass = hass
        self._name = name
        self._has_work = has_work
        self._work = work
        self._done = done
        self._failures = 0
        self._stopped = False
        self._retry: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None

        @callback
        def started(_: HomeAssistant) -> None:
            self.wake()

        # The recorder works off its queue only then.
        self._at_started = async_at_started(hass, started)

    @callback
    def wake(self) -> None:
        """Begin, unless that is under way or was put off, or there is nothing to do."""
        if self._may_begin and self._has_work():
            self.is_working = True
            self._task = self._hass.async_create_background_task(
                self._async_work(), self._name
            )

    @property
    def _may_begin(self) -> bool:
        return not (self.is_working or self._retry or self._stopped)

    @callback
    def stop(self) -> None:
        """Do nothing any more."""
        self._stopped = True
        self._at_started()
        if self._retry:
            self._retry()
        if self._task:
            self._task.cancel()

    async def _async_work(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever wakes it has worked already
            while self._has_work():
                await self._work()
            self._failures = 0
        except RecorderError as err:
            LOGGER.debug("%s: %s", self._name, err)
            self._put_off()
        except Exception:  # noqa: BLE001
            LOGGER.exception("%s", self._name)
            self._put_off()
        finally:
            self.is_working = False
            self._done()

    def _put_off(self) -> None:
        @callback
        def again(_: datetime) -> None:
            self._retry = None
            self.wake()

        pause = RETRIES[min(self._failures, len(RETRIES) - 1)]
        self._failures += 1
        self._retry = async_call_later(self._hass, pause, again)
