"""The error tree. No text of it ever holds credentials, tokens, ids or contents."""


class ClimkitError(Exception):
    """Anything that can go wrong with Climkit's cloud."""


class ClimkitConnectionError(ClimkitError):
    """The cloud could not be reached, or the connection broke."""


class ClimkitTimeoutError(ClimkitConnectionError, TimeoutError):
    """The cloud did not answer in time."""


class ClimkitResponseError(ClimkitError):
    """The cloud answered with something that is not what its documentation says."""

    def __init__(self, endpoint: str, reason: str, status: int | None = None) -> None:
        suffix = "" if status is None else f" (status {status})"
        super().__init__(f"{endpoint}: {reason}{suffix}")
        self.endpoint = endpoint
        self.reason = reason
        self.status = status


class ClimkitAuthenticationError(ClimkitError):
    """The cloud refuses the user name or the password."""


class ClimkitAccessError(ClimkitError):
    """The credentials are right, but may not read this resource, or it is gone."""

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
