"""The token: got, kept for as long as it lives, renewed. Knows nothing of endpoints."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest
import re
import time
from typing import Final

from .body import Body
from .exceptions import ClimkitAuthenticationError, ClimkitResponseError
from .shape_report import Observations, moment_form
from .transport import Call, Reply, Transport
from .values import moment

LIFE: Final = 15 * 60.0
"""Seconds that a token lives at most, says the documentation."""

ASSUMED_LIFE: Final = 14 * 60.0
"""Seconds that a token lives if the cloud does not say, or one of the clocks is wrong."""

EARLY: Final = 60.0
"""Seconds before its end when a token is not used any more."""

REFUSALS: Final = {400, 401, 403, 422}
"""How an API says that user name or password are wrong."""

DAY: Final = 24 * 3600.0
"""Seconds after which log-ins that are answered oddly are no weather any more."""

PATIENCE: Final = 25 * 60.0
"""Seconds between two log-ins then."""

IN_VAIN: Final = 60.0
"""Seconds for which a new token that did not help is not renewed again."""

SHORT_TEXT: Final = 200
"""Characters of the longest refusal that is not written as JSON."""

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    received: float
    life: float

    @property
    def age(self) -> float:
        """Return for how many seconds it has been here."""
        return time.monotonic() - self.received

    @property
    def is_usable(self) -> bool:
        """Return whether it lives for a while yet."""
        return self.age < self.life - EARLY


_NONE_YET: Final = _Token("", float("-inf"), 0.0)
"""Before the first log-in, and while there is one: it has long since ended."""


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
        self._token = _NONE_YET
        self._odd_since: float | None = None
        self._next_try = 0.0
        self._in_vain: str | None = None
        """A token that was refused as well as the one before it."""
        self.refusals = 0
        """How often the cloud has refused the credentials."""
        self.rests = False
        """Whether they were refused: nobody logs in until somebody has looked at it."""

    def has_password(self, password: str) -> bool:
        """Return whether this is the password."""
        mine, other = (
            text.encode(errors="surrogatepass") for text in (self._password, password)
        )
        return compare_digest(mine, other)

    @property
    def is_odd(self) -> bool:
        """Return whether log-ins have been answered oddly for over a day."""
        since = self._odd_since
        return since is not None and time.monotonic() - since > DAY

    async def token(self, refusals: int) -> str:
        """Return a token that lives for a while yet, logging in if needed.

        `refusals` is how many there were when the caller began to wait: of many
        callers with wrong credentials, only the first one tries; and nobody does after a
        refusal, or the account might get locked. Raises like `log_in`.
        """
        if self.rests or refusals != self.refusals:
            raise ClimkitAuthenticationError
        if self._token.is_usable:
            return self._token.value
        self._refuse_while_odd()
        return await self.log_in()

    def _refuse_while_odd(self) -> None:
        """Raise ClimkitResponseError where another log-in so soon would be in vain."""
        if self.is_odd and time.monotonic() < self._next_try:
            raise ClimkitResponseError("auth", "answered oddly for over a day")

    def worth_renewing(self, status: int) -> bool:
        """Return whether a new token may help against a refusal with this status."""
        token = self._token
        if status == 401:
            return token.value != self._in_vain or token.age > IN_VAIN
        return status == 403 and token.age > token.life / 2

    def renewed(self, status: int) -> None:
        """Note what came of a new token: refused too, it is not the token's fault."""
        if status == 401:
            self._in_vain = self._token.value

    async def log_in(self) -> str:
        """Return a new token.

        Raises ClimkitAuthenticationError only if the cloud refuses the credentials as an
        API does. A page of HTML, an empty body, an answer without a token or another
        status may come from anything on the way: ClimkitResponseError.
        """
        self._token = _NONE_YET
        self._next_try = time.monotonic() + PATIENCE
        try:
            self._token = await self._new_token()
        except ClimkitResponseError:
            self._odd_since = self._odd_since or time.monotonic()
            raise
        self._odd_since = None
        self.rests = False
        return self._token.value

    async def _new_token(self) -> _Token:
        payload = {"username": self.username, "password": self._password}
        reply = await self._transport.send(Call("auth", ("auth",), payload))
        body = Body("auth", reply.content, self._observations.note, reply.status)
        if _refuses(reply, body):
            self.refusals += 1
            self.rests = True
            raise ClimkitAuthenticationError(reply.status)
        if not reply.ok:
            raise body.error("unexpected status")
        answer = body.object()
        token = answer.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise body.error("no usable access_token")
        return _Token(token, time.monotonic(), self._life(answer.get("valid_until")))

    def _life(self, valid_until: object) -> float:
        """Return for how many seconds the token lives."""
        self._observations.note("auth valid_until", moment_form(valid_until))
        until = moment(valid_until)
        left = (until - datetime.now(UTC)).total_seconds() if until else 0.0
        # By a clock that is wrong every token may seem to have ended: a 401 will tell.
        return min(left, LIFE) if left > EARLY else ASSUMED_LIFE


def _refuses(reply: Reply, body: Body) -> bool:
    """Return whether this is how an API refuses credentials: JSON, or a short text.

    What begins with "<" is a page, and an empty body says nothing: a firewall, or
    maintenance. The type that a reply says it has is no help, as some frameworks call
    every text a page.
    """
    if reply.status not in REFUSALS or body.text[:1] in {"", "<"}:
        return False
    return len(body.text) <= SHORT_TEXT or body.is_json
