"""What became of a span that was asked for, of whoever was asked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from ..api import ClimkitError, Column, Series
from .answers import newest_value


@dataclass(slots=True)
class Settled:
    """What became of a span: what came, and why not all of it is known."""

    replies: list[Series] = field(default_factory=list)
    error: ClimkitError | None = None

    @classmethod
    def of(cls, some: Iterable[Settled]) -> Settled:
        """Return as one what became of a span of several: all that came, the last error."""
        whole = cls()
        for one in some:
            whole.replies += one.replies
            whole.error = one.error or whole.error
        return whole

    @property
    def has_values(self) -> bool:
        """Return whether anything was measured."""
        return any(map(newest_value, self.replies))

    @property
    def columns(self) -> set[Column]:
        """Return the columns that came."""
        return set().union(*map(attrgetter("columns"), self.replies))

    @property
    def meters(self) -> set[str]:
        """Return the meters that have a column, by their ids."""
        return set(filter(None, map(attrgetter("meter_id"), self.columns)))

    def raise_if_nothing_came(self) -> None:
        """Raise the error, if there is one, unless something came all the same."""
        if self.error and not self.replies:
            raise self.error
