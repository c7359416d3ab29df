"""One client per account for the whole of Home Assistant.

Climkit counts requests by account. Entries, config flows and background tasks of one
account therefore share a queue, and those with the same password a token as well.
"""

from dataclasses import dataclass, field
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey

from ..api import ClimkitClient, RequestQueue
from ..const import DOMAIN


@dataclass(slots=True)
class _Series:
    queue: RequestQueue = field(default_factory=RequestQueue)
    clients: list[ClimkitClient] = field(default_factory=list)


# Lives as long as Home Assistant: with a queue that ends with its last user, two
# log-ins in a row could come within one second.
_ACCOUNTS: Final[HassKey[dict[str, _Series]]] = HassKey(f"{DOMAIN}_accounts")


@callback
def async_get_client(
    hass: HomeAssistant, username: str, password: str
) -> ClimkitClient:
    """Return the client that everyone with these credentials shares; sends nothing."""
    account = hass.data.setdefault(_ACCOUNTS, {}).setdefault(
        username.casefold(), _Series()
    )
    for client in account.clients:
        if client.username == username and client.has_password(password):
            return client
    client = ClimkitClient(
        async_get_clientsession(hass), username, password, queue=account.queue
    )
    account.clients.append(client)
    return client
