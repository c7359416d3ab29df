"""The token: got by logging in, reused until shortly before its end."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import time
from typing import Any, Final, override

from .exceptions import ClimkitAuthenticationError
from .models import parse_time

LIFE: Final = 15 * 60.0
"""Seconds that a token lives (API documentation)."""
LIFE_UNSAID: Final = 14 * 60.0
"""Assumed where the cloud says nothing, or something impossible, about its end."""
MARGIN: Final = 60.0
"""Seconds before its end from which on a token is renewed."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    received: float
    expires: float


class ClimkitAuth:
    """Holds the credentials and the token; knows nothing of endpoints.

    Used within a turn of the request queue, so that one log-in happens at a time.
    """

    def __init__(
        self,
        username: str,
        password: str,
        log_in: Callable[[Mapping[str, str]], Awaitable[Mapping[str, Any]]],
    ) -> None:
        """Log in by `log_in`, which sends credentials and returns the cloud's answer."""
        self.username = username
        self._password = password
        self._log_in = log_in
        self._token: _Token | None = None

    @override
    def __repr__(self) -> str:
        """Return nothing that is secret."""
        return f"<{type(self).__name__}>"

    def has_password(self, password: str) -> bool:
        """Return whether this is the password in use."""
        return password == self._password

    async def token(self) -> str:
        """Return a token that is good for a while; log in if there is none.

        Raises ClimkitAuthenticationError when the cloud refuses the credentials.
        """
        if self._token is None or time.monotonic() > self._token.expires - MARGIN:
            self._token = None
            answer = await self._log_in(
                {"username": self.username, "password": self._password}
            )
            self._token = _read_token(answer)
        return self._token.text

    @property
    def is_fresh(self) -> bool:
        """Return whether the token is so young that a refusal cannot be due to its age."""
        token = self._token
        return (
            token is not None
            and time.monotonic() - token.received < (token.expires - token.received) / 2
        )

    def forget(self) -> None:
        """Log in before the next request."""
        self._token = None


def _read_token(answer: Mapping[str, Any]) -> _Token:
    text = answer.get("access_token")
    if not isinstance(text, str) or not text:
        raise ClimkitAuthenticationError("auth: no token given")
    now = time.monotonic()
    try:
        left = (
            parse_time(answer.get("valid_until")) - datetime.now(UTC)
        ).total_seconds()
    except ValueError:
        left = 0.0
    # A clock that is wrong, ours or theirs, must not make us log in for each request.
    life = min(left, LIFE) if left > 2 * MARGIN else LIFE_UNSAID
    return _Token(text, now, now + life)
