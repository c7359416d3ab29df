"""One account for the whole of Home Assistant, however many sites and dialogs use it.

Climkit counts requests by account, which is a user name. Entries, config flows and
background tasks of one account therefore share a queue, and those with the same password
a client and its token as well. What the account sees is asked once a day for all of them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import filterfalse
from operator import attrgetter
from typing import Final
from weakref import WeakSet

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.signal_type import SignalType

from ..api import (
    ClimkitAccessError,
    ClimkitClient,
    ClimkitError,
    ClimkitResponseError,
    RequestQueue,
    Site,
)
from ..const import DOMAIN
from .errors import home_assistant_errors, is_of_server

DAILY: Final = timedelta(days=1)

SOON: Final = timedelta(minutes=50)
"""After a start, and after a look that failed or that saw less, what is asked waits so
long: a restart costs nothing but the values, and a short list is not believed for long."""

MOST_NAMED: Final = 10
"""Of so many sites without an entry the names are looked up, of more of none."""


class ClimkitAccount:
    """A user name: its queue, its clients, who uses it, and which sites it sees."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Know nothing yet; `name` is the user name, casefolded."""
        self.name = name
        self.queue = RequestQueue()
        self.visible: tuple[str, ...] | None = None
        """The ids of the sites that it sees; None while nobody has asked."""
        self.sites: dict[str, Site] = {}
        """Those of them that were described, by id."""
        self._hass = hass
        # A client has a password in it, so it ends with the last one who holds it: an
        # entry, as long as there is one, or a dialog.
        self._clients: WeakSet[ClimkitClient] = WeakSet()
        self._users: dict[str, ClimkitClient] = {}
        self._running: set[str] = set()
        self._expected: frozenset[str] = frozenset()
        self._speaker: str | None = None
        """The entry that has told that the cloud is away, as long as it is."""
        self._doubts = False
        """Whether a password was asked for because log-ins are answered oddly."""
        self._due = dt_util.utcnow() + SOON
        self._cancel: Callable[[], None] | None = None

    @property
    def is_used(self) -> bool:
        """Return whether an entry uses it."""
        return bool(self._users)

    @property
    def is_needed(self) -> bool:
        """Return whether forgetting it would forget requests that still count."""
        queue = self.queue
        return bool(self._clients or queue.requests_last_hour or queue.paused_for)

    @callback
    def client(self, username: str, password: str) -> ClimkitClient:
        """Return the client that everyone with these credentials shares."""
        for client in self._clients:
            if client.username == username and client.has_password(password):
                return client
        client = ClimkitClient(
            async_get_clientsession(self._hass), username, password, queue=self.queue
        )
        self._clients.add(client)
        return client

    async def async_look(self, client: ClimkitClient) -> tuple[str, ...]:
        """Ask for the sites and return their ids; raises the client's errors."""
        visible = await client.site_ids()
        fewer = not set(visible).issuperset(self.visible or ())
        self.visible = visible
        self.sites = {id_: self.sites[id_] for id_ in visible if id_ in self.sites}
        self._expected = frozenset()
        self._due = dt_util.utcnow() + (SOON if fewer else DAILY)
        self._schedule()
        return visible

    async def async_describe(self, client: ClimkitClient, site_id: str) -> Site | None:
        """Return a site's description, or None where the cloud refuses just this one.

        Raises the client's errors when the fault is not the site's.
        """
        try:
            self.sites[site_id] = await client.site(site_id)
        except (ClimkitAccessError, ClimkitResponseError) as err:
            if is_of_server(err):
                raise
        return self.sites.get(site_id)

    @callback
    def async_expect(self, site_ids: Iterable[str]) -> None:
        """Note that a dialog is about to add entries for these sites."""
        self._expected = frozenset(site_ids)

    @callback
    def without_entry(self) -> list[str]:
        """Return the ids of the sites that are neither set up, nor ignored."""
        entries = self._hass.config_entries.async_entries(DOMAIN)
        known = {entry.unique_id for entry in entries} | self._expected
        return [id_ for id_ in self.visible or () if id_ not in known]

    @callback
    def speaks(self, entry_id: str) -> bool:
        """Return whether an entry tells that the cloud is away: the first one does."""
        self._speaker = self._speaker or entry_id
        return self._speaker == entry_id

    @callback
    def answered(self) -> None:
        """Note that the cloud has answered; whoever fails next tells it anew."""
        self._speaker = None
        if self._doubts:
            self._doubts = False
            for flow in self._asking():
                self._hass.config_entries.flow.async_abort(flow["flow_id"])

    @callback
    def failed(self, entry: ConfigEntry) -> None:
        """Ask for a password if log-ins have been answered oddly for over a day.

        The question is taken back when one is answered properly after all.
        """
        client = self._users.get(entry.entry_id)
        if client and client.is_doubtful and not self._doubts:
            self._doubts = True
            async_ask_for_password(self._hass, entry)

    @callback
    def asks_by_another(self, entry_id: str) -> bool:
        """Return whether an entry other than this one asks for a new password."""
        asking = {flow["context"].get("entry_id") for flow in self._asking()}
        return bool(asking - {entry_id})

    def _asking(self) -> list[ConfigFlowResult]:
        """Return the dialogs that ask for a new password of this account."""
        return [
            flow
            for entry in self._hass.config_entries.async_entries(
                DOMAIN, include_ignore=False
            )
            if entry.data[CONF_USERNAME].casefold() == self.name
            for flow in entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})
        ]

    @callback
    def async_join(self, entry: ConfigEntry, client: ClimkitClient) -> None:
        """Keep an entry's client, and look at the sites for it while it is loaded."""
        self._users[entry.entry_id] = client
        self._expected -= {entry.unique_id}
        self._running.add(entry.entry_id)
        self._schedule()

        @callback
        def rest() -> None:
            self._running.discard(entry.entry_id)
            self._schedule()

        entry.async_on_unload(rest)
        if self.visible is not None:
            self._tell()

    @callback
    def async_leave(self, entry_id: str) -> None:
        """Forget an entry, and with it its password if no other entry has the same."""
        if self._users.pop(entry_id, None):
            self._running.discard(entry_id)
            self._schedule()
            self._tell()

    @callback
    def _schedule(self) -> None:
        """Look again when it is time, as long as a loaded entry wants to know."""
        if self._cancel:
            self._cancel()
            self._cancel = None
        if self._running:
            self._cancel = async_track_point_in_utc_time(
                self._hass, self._async_look_again, self._due
            )

    async def _async_look_again(self, now: datetime) -> None:
        """Look at the sites, and name the new ones; what fails is tried again soon."""
        self._due = now + SOON
        self._schedule()
        client = self._client_in_order()
        if client is None:
            return
        with suppress(ClimkitError):
            await self.async_look(client)
            left = self.without_entry()
            for site_id in left if len(left) <= MOST_NAMED else ():
                if site_id not in self.sites:
                    await self.async_describe(client, site_id)
        self._tell()

    def _client_in_order(self) -> ClimkitClient | None:
        """Return the client of an entry that does not wait for a new password."""
        for entry_id in self._running:
            entry = self._hass.config_entries.async_get_known_entry(entry_id)
            if not any(entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})):
                return self._users[entry_id]
        return None

    @callback
    def _tell(self) -> None:
        async_dispatcher_send(self._hass, SIGNAL_SITES, self)


SIGNAL_SITES: Final[SignalType[ClimkitAccount]] = SignalType(f"{DOMAIN}_sites")
"""Sent when it may have changed which sites of an account have no entry."""

_ACCOUNTS: Final[HassKey[dict[str, ClimkitAccount]]] = HassKey(f"{DOMAIN}_accounts")


@callback
def async_get_account(hass: HomeAssistant, username: str) -> ClimkitAccount:
    """Return the account of a user name, however it is spelled; sends nothing.

    It stays after its last user, as long as its requests count: otherwise two log-ins in
    a row could come within one second.
    """
    accounts = hass.data.setdefault(_ACCOUNTS, {})
    name = username.casefold()
    if name not in accounts:
        for idle in [*filterfalse(attrgetter("is_needed"), accounts.values())]:
            del accounts[idle.name]
        accounts[name] = ClimkitAccount(hass, name)
    return accounts[name]


@callback
def async_get_client(
    hass: HomeAssistant, username: str, password: str
) -> ClimkitClient:
    """Return the client that everyone with these credentials shares; sends nothing.

    It, and the password, are forgotten with the last one who holds it.
    """
    return async_get_account(hass, username).client(username, password)


@callback
def async_join(hass: HomeAssistant, entry: ConfigEntry) -> ClimkitClient:
    """Return the client of an entry that is being set up; its account keeps it."""
    username, password = entry.data[CONF_USERNAME], entry.data[CONF_PASSWORD]
    account = async_get_account(hass, username)
    client = account.client(username, password)
    for other in hass.data[_ACCOUNTS].values():
        if other is not account:
            other.async_leave(entry.entry_id)
    account.async_join(entry, client)
    if not account.asks_by_another(entry.entry_id):
        client.try_again()  # who has set up the entry anew may have put things right
    return client


@callback
def async_ask_for_password(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Ask the user for a new password, unless another entry of the account does so."""
    account = async_get_account(hass, entry.data[CONF_USERNAME])
    if not account.asks_by_another(entry.entry_id):
        entry.async_start_reauth(hass)


@callback
def async_leave(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a removed entry, and its password."""
    for account in hass.data.get(_ACCOUNTS, {}).values():
        account.async_leave(entry_id)


@callback
def async_known_credentials(hass: HomeAssistant) -> dict[str, dict[str, str]]:
    """Return user name and password of every account that entries use, by its name.

    Of several passwords, that of an entry that is loaded, and then the latest one.
    """
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    entries.sort(key=lambda e: (e.state is ConfigEntryState.LOADED, e.modified_at))
    return {
        entry.data[CONF_USERNAME].casefold(): {
            key: entry.data[key] for key in (CONF_USERNAME, CONF_PASSWORD)
        }
        for entry in entries
    }


@contextmanager
def action_errors(hass: HomeAssistant, entry: ConfigEntry) -> Iterator[None]:
    """Turn the client's errors into those of an action; ask for other credentials."""
    try:
        with home_assistant_errors(entry.title):
            yield
    except (ConfigEntryAuthFailed, UpdateFailed) as err:
        if isinstance(err, ConfigEntryAuthFailed):
            async_ask_for_password(hass, entry)
        raise HomeAssistantError(
            translation_domain=err.translation_domain,
            translation_key=err.translation_key,
            translation_placeholders=err.translation_placeholders,
        ) from err
