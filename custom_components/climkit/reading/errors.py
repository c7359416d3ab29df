"""Errors of the client become Home Assistant's here, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import UpdateFailed

from ..api import (
    ClimkitAccessError,
    ClimkitAuthenticationError,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitRateLimitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
)
from ..const import DOMAIN

SHORTEST_PAUSE: Final = 300.0
"""Seconds before anybody asks again whom the cloud has told that it was too much."""

REFUSED: Final = "authentication_failed"

UNKNOWN: Final = "unknown"
"""What a form says to an error that is none of the client's."""


@contextmanager
def home_assistant_errors(site: str) -> Iterator[None]:
    """Turn the client's errors into Home Assistant's, in the user's language."""
    try:
        yield
    except ClimkitAuthenticationError as err:
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN, translation_key=REFUSED
        ) from err
    except ClimkitError as err:
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=_translation_key(err),
            translation_placeholders={"site": site},
            retry_after=_pause_after(err),
        ) from err


def waits_for_another() -> UpdateFailed:
    """Return the error of an entry for which another one asks for a new password."""
    return UpdateFailed(translation_domain=DOMAIN, translation_key=REFUSED)


def _pause_after(err: ClimkitError) -> float | None:
    """Return the seconds after which to ask again, or None for as soon as usual.

    The client has waited and asked again for a minute when it says that it was too much.
    """
    if isinstance(err, ClimkitRateLimitError):
        return max(err.retry_after, SHORTEST_PAUSE)
    return None


def is_of_server(err: ClimkitError) -> bool:
    """Return whether a server says that the fault is its own."""
    return (err.status or 0) >= 500


def _translation_key(err: ClimkitError) -> str:
    if isinstance(err, ClimkitResponseError) and is_of_server(err):
        return "server_error"
    return _TRANSLATION_KEYS.get(type(err), "invalid_response")


_TRANSLATION_KEYS: Final[dict[type[ClimkitError], str]] = {
    ClimkitTimeoutError: "timeout",
    ClimkitConnectionError: "connection_failed",
    ClimkitAccessError: "access_denied",
    ClimkitRateLimitError: "rate_limited",
}


_FORM_ERRORS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ClimkitAuthenticationError, "invalid_auth"),
    (ClimkitAccessError, "access_denied"),
    (ClimkitRateLimitError, "rate_limited"),
    (ClimkitError, "cannot_connect"),
)


def form_error(err: Exception) -> str:
    """Return what a form says to an error: a key of the texts."""
    return next((text for kind, text in _FORM_ERRORS if isinstance(err, kind)), UNKNOWN)
