"""The token: got, kept for as long as it lives, renewed. Knows nothing of endpoints."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest
import re
import time
from typing import Final, NoReturn

from .document import Document
from .exceptions import ClimkitAuthenticationError, ClimkitResponseError
from .observations import Observations
from .transport import Call, Transport
from .wire import moment, moment_form

LIFE: Final = 15 * 60.0
"""Seconds that a token lives at most, says the documentation."""

ASSUMED_LIFE: Final = 14 * 60.0
"""Seconds that a token lives if the cloud does not say, or one of the clocks is wrong."""

EARLY: Final = 60.0
"""Seconds before its end when a token is not used any more."""

REFUSALS: Final = {400, 401, 403, 422}

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    received: float
    life: float


class ClimkitAuth:
    """Logs in, in the turn of whoever needs the token: so one at a time."""

    def __init__(
        self,
        transport: Transport,
        username: str,
        password: str,
        observations: Observations,
    ) -> None:
        self.username = username
        self._password = password
        self._transport = transport
        self._observations = observations
        self._token: _Token | None = None
        self.refusals = 0
        """How often the cloud has refused the credentials."""

    def has_password(self, password: str) -> bool:
        """Return whether this is the password."""
        mine, other = (
            text.encode(errors="surrogatepass") for text in (self._password, password)
        )
        return compare_digest(mine, other)

    async def token(self, refusals: int) -> str:
        """Return a token that lives for a while yet, logging in if needed.

        `refusals` is how many there were when the caller began to wait: of many
        callers with wrong credentials, only the first one tries. Raises like `log_in`.
        """
        if refusals != self.refusals:
            raise ClimkitAuthenticationError("user name or password refused")
        token = self._token
        if token and time.monotonic() < token.received + token.life - EARLY:
            return token.value
        return await self.log_in()

    def worth_renewing(self, status: int) -> bool:
        """Return whether a new token may help against a refusal with this status."""
        token = self._token
        aged = token and time.monotonic() > token.received + token.life / 2
        return status == 401 or (status == 403 and bool(aged))

    async def log_in(self) -> str:
        """Return a new token.

        Raises ClimkitAuthenticationError only if the cloud refuses the credentials.
        """
        self._token = None
        payload = {"username": self.username, "password": self._password}
        reply = await self._transport.send(Call("auth", ("auth",), payload))
        if reply.status in REFUSALS:
            self._refuse()
        if not reply.ok:
            raise ClimkitResponseError("auth", "unexpected status", reply.status)
        answer = Document("auth", reply.body, self._observations.note).object()
        token = answer.get("access_token")
        if token is None:
            self._refuse()
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise ClimkitResponseError("auth", "unusable access_token")
        self._token = _Token(
            token, time.monotonic(), self._life(answer.get("valid_until"))
        )
        return token

    def _refuse(self) -> NoReturn:
        self.refusals += 1
        raise ClimkitAuthenticationError("user name or password refused")

    def _life(self, valid_until: object) -> float:
        """Return for how many seconds the token lives."""
        self._observations.note("auth valid_until", moment_form(valid_until))
        until = moment(valid_until)
        left = (until - datetime.now(UTC)).total_seconds() if until else 0.0
        # By a clock that is wrong every token may seem to have ended: a 401 will tell.
        return min(left, LIFE) if left > EARLY else ASSUMED_LIFE
