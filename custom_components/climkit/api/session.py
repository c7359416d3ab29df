"""The session of an account: whose turn it is, which token, what the cloud refuses."""

from collections.abc import Awaitable, Callable
from typing import Final

from .auth import ClimkitAuth
from .body import Body
from .exceptions import ClimkitAccessError, ClimkitRateLimitError
from .queue import LONGEST_PAUSE, Priority, RequestQueue
from .shape_report import Observations
from .transport import Call, Transport

NO_ACCESS: Final = {401, 403, 404}


class Session:
    """Fetches bodies, one after the other."""

    def __init__(
        self,
        transport: Transport,
        auth: ClimkitAuth,
        queue: RequestQueue,
        observations: Observations,
    ) -> None:
        self._transport = transport
        self._auth = auth
        self._queue = queue
        self._observations = observations

    async def authenticate(self) -> None:
        """Log in now; raises ClimkitAuthenticationError if the credentials are refused."""
        await self._in_turn(self._auth.log_in, Priority.LIVE)

    async def fetch(self, call: Call, priority: Priority) -> Body:
        """Return what the cloud answers; raises every ClimkitError."""
        refusals = self._auth.refusals
        return await self._in_turn(lambda: self._fetch(call, refusals), priority)

    async def _in_turn[T](
        self, action: Callable[[], Awaitable[T]], priority: Priority
    ) -> T:
        """Do something in one's turn, again if the cloud was asked too often."""
        waited = 0.0
        while True:
            try:
                self._refuse_long_pause()
                async with self._queue.turn(priority):
                    self._refuse_long_pause()
                    return await action()
            except ClimkitRateLimitError as err:
                waited += err.retry_after
                if waited > LONGEST_PAUSE:
                    raise

    def _refuse_long_pause(self) -> None:
        if (seconds := self._queue.paused_for) > LONGEST_PAUSE:
            raise ClimkitRateLimitError(seconds)

    async def _fetch(self, call: Call, refusals: int) -> Body:
        """Return a good answer, with a new token if the cloud refuses the one there is."""
        token = await self._auth.token(refusals)
        reply = await self._transport.send(call, token)
        if self._auth.worth_renewing(reply.status):
            token = await self._auth.log_in()
            reply = await self._transport.send(call, token)
            self._auth.renewed(reply.status)
        if reply.status in NO_ACCESS:
            raise ClimkitAccessError(call.endpoint, reply.status)
        body = Body(call.endpoint, reply.content, self._observations.note, reply.status)
        if not reply.ok:
            raise body.error("unexpected status")
        return body
