"""Who asks as the reader does, and whom: a real client asks the real simulator.

Only what is refused is decided by the test, by who is asked, in which resolution, for
which span.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from homeassistant.util import dt as dt_util

from custom_components.climkit.api import ClimkitClient, Column, Priority, Resolution
from custom_components.climkit.reading.answers import Question
from custom_components.climkit.reading.limits import Kind, Limits
from custom_components.climkit.reading.questioner import Questioner

from ..simulator import Fault, SimulatedSite, Simulator

DAY = timedelta(days=1)
CREATED = datetime(2025, 12, 31, 23, tzinfo=UTC)
PADDING = timedelta(hours=3)
"""The client asks for that much more on either side, in vain where nothing is cut."""
EARLIER = PADDING + timedelta(hours=2)
"""So much earlier the rows begin, in summer: the cloud takes times for local ones."""
POLL = datetime(2026, 6, 14, 10, tzinfo=UTC)
"""Since when a poll asks."""
HOURS = Kind("electricity", Resolution.HOUR)

type Rule = Callable[[str, datetime, datetime], bool]
"""Whether to refuse a resolution from a start, without the client's padding, to an end."""


@dataclass
class Asker:
    """A questioner, what it asks with, and whom."""

    questioner: Questioner
    limits: Limits
    cloud: Simulator
    site: SimulatedSite
    client: ClimkitClient

    def restart(self) -> None:
        """Go on with what is kept."""
        self.limits = Limits.from_dict(self.limits.as_dict())
        self.questioner = Questioner(self.client, self.site.id, self.limits)

    def refuse(
        self, rule: Rule, *, status: int = 400, times: int | None = None
    ) -> None:
        """Refuse what a rule says, some times or always."""
        left = [times]

        def hitting(endpoint: str, path: str) -> Fault | None:
            body = self.cloud.requests[-1].json
            if endpoint != "site_data" or not body or left[0] == 0:
                return None
            if not rule(body["sampling_frequency"].upper(), *self._window(body)):
                return None
            left[0] = None if left[0] is None else left[0] - 1
            return Fault("status", status=status)

        self.cloud.faults.hitting = hitting  # type: ignore[method-assign]

    def _window(self, body: dict[str, str]) -> tuple[datetime, datetime]:
        start = datetime.fromisoformat(body["t_s"]).replace(tzinfo=UTC) + PADDING
        if "t_e" not in body:
            return start, dt_util.utcnow()
        end = datetime.fromisoformat(body["t_e"]).replace(tzinfo=UTC) - PADDING
        return start, end

    @property
    def asked(self) -> list[tuple[str, float]]:
        """Return resolution and length, in days, of all that was asked.

        Without the second spelling that the client tries of what no cloud has accepted.
        """
        return [
            (body["sampling_frequency"], round((end - start) / DAY, 2))
            for request in self.cloud.requests.to("site_data")
            if (body := request.json) and body["sampling_frequency"] != "h"
            for start, end in [self._window(body)]
        ]

    async def settle(
        self, start: datetime, end: datetime | None, medium: str = "electricity"
    ) -> set[datetime]:
        """Settle a span of hours of consumption, and return those that came."""
        present = dt_util.utcnow()
        question = Question(
            medium, (), Resolution.HOUR, start, end, Priority.BACKGROUND
        )
        settled = await self.questioner.async_settle(
            medium, question, (start, end or present), present
        )
        self.error = settled.error
        column = Column(None, "conso_total")
        return {hour for series in settled.replies for hour in series.values(column)}


def hours(start: datetime, end: datetime) -> set[datetime]:
    """Return every hour between two."""
    return {
        start + n * timedelta(hours=1)
        for n in range((end - start) // timedelta(hours=1))
    }
