"""The error tree. No text of it ever holds credentials, tokens, ids or contents."""


class ClimkitError(Exception):
    """Anything that can go wrong with Climkit's cloud."""

    endpoint: str | None = None
    """What was asked for, without ids; "auth" for a log-in. None if it was not sent."""
    status: int | None = None
    """The HTTP status of the answer; None if there was none."""


class ClimkitConnectionError(ClimkitError):
    """The cloud could not be reached, or the connection broke."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"{endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class ClimkitTimeoutError(ClimkitConnectionError, TimeoutError):
    """The cloud did not answer in time."""


class ClimkitResponseError(ClimkitError):
    """The cloud answered with something that is not what its documentation says.

    A body that is not what was expected has the status that it came with, 200 mostly.
    """

    endpoint: str

    def __init__(self, endpoint: str, reason: str, status: int | None = None) -> None:
        suffix = "" if status is None else f" (status {status})"
        super().__init__(f"{endpoint}: {reason}{suffix}")
        self.endpoint = endpoint
        self.reason = reason
        self.status = status


class ClimkitAuthenticationError(ClimkitError):
    """The cloud refuses the user name or the password."""

    endpoint = "auth"

    def __init__(self, status: int | None = None) -> None:
        super().__init__("user name or password refused")
        self.status = status


class ClimkitAccessError(ClimkitError):
    """The credentials are right, but may not read this resource, or it is gone."""

    endpoint: str
    status: int

    def __init__(self, endpoint: str, status: int) -> None:
        super().__init__(f"{endpoint}: no access (status {status})")
        self.endpoint = endpoint
        self.status = status


class ClimkitRateLimitError(ClimkitError):
    """The cloud asks for a longer pause than a caller should wait for."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many requests, wait {retry_after:.0f} s")
        self.retry_after = retry_after
        """Seconds from now until it makes sense to ask again."""
