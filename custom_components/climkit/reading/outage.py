"""One outage of the cloud, one line in the log, whoever of an account's sites meets it.

The leader of a site asks most often, which is the live coordinator, or the daily one of a
site that has nothing live. The first leader of an account that fails speaks at once, and
for all until somebody is answered again. Whoever else of a site fails waits for the
leader's next poll: if that fails as well, the cloud is away and that has been said; if
not, the failure is one of its own and told then. Likewise one entry asks for a new
password, for the whole account.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
import logging
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import callback
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from .account import ClimkitAccount
from .errors import home_assistant_errors, waits_for_another

QUIET: Final = LOGGER.getChild("coordinators")
"""The logger of all coordinators: of what Home Assistant says by itself of them, it
passes on what is unexpected; the rest is said here, in its words."""


def _is_unexpected(record: logging.LogRecord) -> bool:
    return record.levelno < logging.INFO or record.exc_info is not None


QUIET.addFilter(_is_unexpected)


_WHAT: Final[dict[type[Exception], str]] = {
    ConfigEntryAuthFailed: "Authentication failed while"
}
"""What has happened, where it is more than an error."""


class Outage:
    """Decides who of a site's coordinators tells what."""

    def __init__(self, account: ClimkitAccount) -> None:
        """Begin with all well; other sites of the account may know better."""
        self._account = account
        self._leader: DataUpdateCoordinator[Any] | None = None
        self._is_away = False
        """Whether the leader has told so."""
        self._has_failed = False
        self.recovered_at: datetime | None = None
        """When the leader was answered again, after it was not."""
        self._noticed: dict[str, Exception] = {}
        self._told: set[str] = set()

    @callback
    def lead(self, coordinator: DataUpdateCoordinator[Any]) -> None:
        """Let a coordinator lead; the first one does."""
        self._leader = self._leader or coordinator

    @contextmanager
    def told_once(self, coordinator: DataUpdateCoordinator[Any]) -> Iterator[None]:
        """Ask the cloud for a coordinator's data within this.

        Errors of the client become Home Assistant's.
        """
        entry = coordinator.config_entry
        assert entry
        try:
            with home_assistant_errors(entry.title):
                yield
        except ConfigEntryAuthFailed as err:
            self._failed(entry, coordinator, err)
            if self._account.asks_by_another(entry.entry_id):
                raise waits_for_another() from err
            raise
        except HomeAssistantError as err:
            self._failed(entry, coordinator, err)
            self._account.failed(entry)
            raise
        self._worked(coordinator)

    @callback
    def _failed(
        self,
        entry: ConfigEntry,
        coordinator: DataUpdateCoordinator[Any],
        err: HomeAssistantError,
    ) -> None:
        if coordinator is self._leader:
            self._leader_failed(entry, coordinator.name, err)
        else:
            self.heard(coordinator.name, err)

    @callback
    def _leader_failed(
        self, entry: ConfigEntry, name: str, err: HomeAssistantError
    ) -> None:
        """Note that the cloud is away, and tell so unless that has been said."""
        self._noticed.clear()
        self._has_failed = True
        # What stops a set-up is told by Home Assistant. Who has spoken already may be
        # alone with the trouble: the next one to fail speaks for the others.
        if entry.state is ConfigEntryState.SETUP_IN_PROGRESS or self._is_away:
            return
        self._is_away = self._account.speaks(entry.entry_id)
        level = logging.ERROR if self._is_away else logging.DEBUG
        what = _WHAT.get(type(err), "Error")
        LOGGER.log(level, "%s fetching %s data: %s", what, name, err)

    @callback
    def _worked(self, coordinator: DataUpdateCoordinator[Any]) -> None:
        if coordinator is self._leader:
            self._leader_worked(coordinator.name)
        else:
            self.heard(coordinator.name, None)

    @callback
    def _leader_worked(self, name: str) -> None:
        """Note that the cloud is there, and tell what the others have noticed."""
        self._account.answered()
        if self._has_failed:
            self._has_failed, self.recovered_at = False, dt_util.utcnow()
        if self._is_away:
            self._is_away = False
            LOGGER.info("Fetching %s data recovered", name)
        self._tell()

    @callback
    def heard(self, name: str, err: Exception | None) -> None:
        """Note what is wrong with something that is not the leader, or that it works."""
        if err is None:
            self._worked_again(name)
            return
        LOGGER.debug("%s: %s", name, err)
        if name not in self._told and self._is_led:
            self._noticed.setdefault(name, err)

    @property
    def _is_led(self) -> bool:
        """Return whether there is a leader that was answered the last time."""
        return self._leader is not None and self._leader.last_update_success

    @callback
    def _worked_again(self, name: str) -> None:
        self._noticed.pop(name, None)
        if name in self._told:
            self._told.discard(name)
            LOGGER.info("%s: back again", name)

    @callback
    def _tell(self) -> None:
        for name, err in self._noticed.items():
            LOGGER.warning("%s: %s", name, err)
        self._told |= self._noticed.keys()
        self._noticed.clear()
