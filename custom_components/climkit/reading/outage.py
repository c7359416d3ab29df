"""One outage of the cloud, one line in the log, whoever of a site's coordinators meet it.

The leader asks most often and speaks at once, as coordinators do. Whoever else fails
waits for the leader's next poll: if that fails as well, the cloud is away and the leader
has said so; if not, the failure is one of its own and told then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import LOGGER
from .errors import home_assistant_errors


class Outage:
    """Decides who of a site's coordinators tells what."""

    def __init__(self) -> None:
        """Begin with all well."""
        self.leader: DataUpdateCoordinator[Any] | None = None
        self._noticed: dict[str, Exception] = {}
        self._told: set[str] = set()

    @contextmanager
    def told_once(self, coordinator: DataUpdateCoordinator[Any]) -> Iterator[None]:
        """Ask the cloud for a coordinator's data within this.

        Errors of the client become Home Assistant's. Home Assistant logs the leader's
        alone: it logs changes of `last_update_success`, and those of the others are made
        here, before it looks.
        """
        leads = coordinator is self.leader
        assert coordinator.config_entry
        try:
            with home_assistant_errors(coordinator.config_entry.title):
                yield
        except HomeAssistantError as err:
            if leads:
                self._noticed.clear()
            else:
                coordinator.last_update_success = False
                self.heard(coordinator.name, err)
            raise
        if leads:
            self._tell()
        else:
            coordinator.last_update_success = True
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
        if name not in self._told and self.leader and self.leader.last_update_success:
            self._noticed.setdefault(name, err)

    @callback
    def _tell(self) -> None:
        for name, err in self._noticed.items():
            LOGGER.warning("%s: %s", name, err)
        self._told |= self._noticed.keys()
        self._noticed.clear()
