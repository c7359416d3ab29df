"""Accounts of the simulated cloud: passwords, tokens, grants, and the rate limit."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import secrets
import time
from typing import Final

_JITTER: Final = 0.002
"""Seconds by which a request may come early; the network is not exact either."""


def monotonic() -> float:
    """Return seconds that run on even where a test has frozen time.monotonic."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True)
class Token:
    """What a log-in gave."""

    username: str
    expires: datetime


class Accounts:
    """Who may do what, and how often."""

    def __init__(self, passwords: dict[str, str]) -> None:
        """Begin with these accounts, {username: password}; the dict stays shared."""
        self.passwords = passwords
        self._tokens: dict[str, Token] = {}
        self._grants: dict[str, dict[str, frozenset[str] | None]] = {}
        self._last_start: dict[str, float] = defaultdict(lambda: float("-inf"))

    def log_in(self, username: object, password: object, expires: datetime) -> str:
        """Return a new token; raises PermissionError for wrong credentials."""
        if not isinstance(username, str) or self.passwords.get(username) != password:
            raise PermissionError
        token = secrets.token_urlsafe(24)
        self._tokens[token] = Token(username, expires)
        return token

    def token(self, authorization: str) -> Token | None:
        """Return what the header "Bearer ..." stands for, be it expired."""
        scheme, _, token = authorization.partition(" ")
        return self._tokens.get(token) if scheme == "Bearer" else None

    def expire_tokens(self) -> None:
        """Make the cloud forget every token it has given."""
        self._tokens.clear()

    def grant(
        self, username: str, site_ids: Sequence[str], meters: Sequence[str] | None
    ) -> None:
        """Limit an account to these sites, and in them to these meters."""
        visible = None if meters is None else frozenset(meters)
        self._grants[username] = dict.fromkeys(site_ids, visible)

    def may_see(self, username: str, site_id: str) -> bool:
        """Return whether the account has this site; without a grant it has all."""
        return username not in self._grants or site_id in self._grants[username]

    def visible_meters(self, username: str, site_id: str) -> frozenset[str] | None:
        """Return the ids of the meters that the account may read, None for all."""
        return self._grants.get(username, {}).get(site_id)

    def starts_too_soon(self, username: str, now: float, interval: timedelta) -> bool:
        """Return whether a request comes too soon after the last one that did not.

        `now` is in seconds of `monotonic`.
        """
        if now - self._last_start[username] < interval.total_seconds() - _JITTER:
            return True
        self._last_start[username] = now
        return False
