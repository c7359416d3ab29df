"""What can go wrong between this client and the cloud.

Texts name an endpoint and a reason; never an address, an id, a value or a credential.
"""


class ClimkitError(Exception):
    """Any failure of the client."""


class ClimkitConnectionError(ClimkitError):
    """The cloud could not be reached, or the connection broke."""


class ClimkitTimeoutError(ClimkitConnectionError, TimeoutError):
    """The cloud did not answer in time."""


class ClimkitResponseError(ClimkitError):
    """The cloud answered something that cannot be used."""

    def __init__(self, endpoint: str, reason: str, status: int | None = None) -> None:
        """Say which endpoint answered what."""
        super().__init__(f"{endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason
        self.status = status


class ClimkitAuthenticationError(ClimkitError):
    """The cloud refused the credentials themselves."""


class ClimkitAccessError(ClimkitError):
    """These credentials may not read this resource, or it does not exist."""

    def __init__(self, endpoint: str, status: int) -> None:
        """Say which endpoint refused."""
        super().__init__(f"{endpoint}: no access (HTTP {status})")
        self.endpoint = endpoint
        self.status = status


class ClimkitRateLimitError(ClimkitError):
    """The cloud asks for patience."""

    def __init__(self, retry_after: float) -> None:
        """Say for how many seconds."""
        super().__init__(f"too many requests, again in {retry_after:.0f} s")
        self.retry_after = retry_after
