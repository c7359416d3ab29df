"""One outage of the cloud, one line in the log, whoever of a site's coordinators meet it.

The leader asks most often, which is the live coordinator, or the daily one of a site
that has nothing live; it speaks at once, as coordinators do. Whoever else fails
waits for the leader's next poll: if that fails as well, the cloud is away and the leader
has said so; if not, the failure is one of its own and told then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from typing import Any, Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import LOGGER
from .errors import home_assistant_errors

_OTHERS: Final = LOGGER.getChild("others")
"""The logger of all but the leaders: of what Home Assistant says by itself of a
coordinator, it passes on what is unexpected; the rest is said here."""


def _is_unexpected(record: logging.LogRecord) -> bool:
    return record.levelno < logging.INFO or record.exc_info is not None


_OTHERS.addFilter(_is_unexpected)


class Outage:
    """Decides who of a site's coordinators tells what."""

    def __init__(self) -> None:
        """Begin with all well."""
        self._leader: DataUpdateCoordinator[Any] | None = None
        self._noticed: dict[str, Exception] = {}
        self._told: set[str] = set()

    def logger_of(
        self, coordinator: DataUpdateCoordinator[Any], *, leads: bool = False
    ) -> logging.Logger:
        """Return the logger that a coordinator is made with; the first to lead leads."""
        if leads and self._leader is None:
            self._leader = coordinator
        return LOGGER if coordinator is self._leader else _OTHERS

    @contextmanager
    def told_once(self, coordinator: DataUpdateCoordinator[Any]) -> Iterator[None]:
        """Ask the cloud for a coordinator's data within this.

        Errors of the client become Home Assistant's.
        """
        leads = coordinator is self._leader
        assert coordinator.config_entry
        try:
            with home_assistant_errors(coordinator.config_entry.title):
                yield
        except HomeAssistantError as err:
            if leads:
                self._noticed.clear()
            else:
                self.heard(coordinator.name, err)
            raise
        if leads:
            self._tell()
        else:
            self.heard(coordinator.name, None)

    @callback
    def heard(self, name: str, err: Exception | None) -> None:
        """Note what is wrong with something that is not the leader, or that it works."""
        if err is None:
            self._noticed.pop(name, None)
            if name in self._told:
                self._told.discard(name)
                LOGGER.info("%s: back again", name)
            return
        LOGGER.debug("%s: %s", name, err)
        if name not in self._told and self._leader and self._leader.last_update_success:
            self._noticed.setdefault(name, err)

    @callback
    def _tell(self) -> None:
        for name, err in self._noticed.items():
            LOGGER.warning("%s: %s", name, err)
        self._told |= self._noticed.keys()
        self._noticed.clear()
