"""What is asked of the writers of statistics, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..metering.hours import HourlyAmounts
from ..metering.reconcile import StatisticRow


class RecorderError(HomeAssistantError):
    """The recorder can neither be read nor written at the moment."""

    def __init__(self) -> None:
        """Say it in the language of the user."""
        super().__init__(
            translation_domain=DOMAIN, translation_key="recorder_unavailable"
        )


@dataclass(frozen=True, slots=True)
class SeriesUpdate:
    """What is to be booked to one statistic."""

    hours: HourlyAmounts
    after: datetime | None = None
    """The hour of a row that must still be there, or else nothing is booked.

    Somebody may have cleared the statistic, or restored an older database: then its
    history is to be fetched again first, or the sums would start from nothing.
    """


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one statistic."""

    tail: tuple[StatisticRow, ...]
    """Its newest rows, TAIL at most, oldest first."""
    written: int = 0
    """How many rows were wrong or missing."""
    rows_missing: bool = False
    """Whether rows that should be there are not; nothing was booked then."""

    @property
    def newest(self) -> StatisticRow | None:
        """Return its newest row, or None while it has none."""
        return self.tail[-1] if self.tail else None
