"""Which stored costs were priced by the mean of hours with two prices.

They are exact only once the quarter hours are known. Pure, apart from what it keeps.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ..metering.spans import Span, clipped, merged, without

PUT_OFF: Final = timedelta(hours=23)
"""So long what the cloud does not give is not asked for again."""


class CoarseHours:
    """By statistic, the spans in which hours with two prices lack their quarters."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._spans: dict[str, list[Span]] = {}
        self._doing: dict[str, list[Span]] = {}
        self._put_off: dict[str, list[Span]] = {}
        self._since: datetime | None = None

    def as_dict(self) -> dict[str, list[list[str]]]:
        """Return all of them, and what is under way, as plain data."""
        ids = self._spans.keys() | self._doing.keys()
        spans = {
            id_: merged([*self._spans.get(id_, ()), *self._doing.get(id_, ())])
            for id_ in sorted(ids)
        }
        return {
            id_: [[start.isoformat(), end.isoformat()] for start, end in some]
            for id_, some in spans.items()
            if some
        }

    def recall(self, data: Mapping[str, Any]) -> None:
        """Know what `as_dict` told. Raises ValueError or TypeError."""
        for id_, spans in data.items():
            for start, end in spans:
                span = datetime.fromisoformat(start), datetime.fromisoformat(end)
                self.add(id_, span)

    def add(self, id_: str, span: Span) -> None:
        """Note a span."""
        self._spans[id_] = merged([*self._spans.get(id_, ()), span])

    def remove(self, id_: str, spans: Iterable[Span]) -> None:
        """Forget some spans: they are exact, or priced anew."""
        self._spans[id_] = without(self._spans.get(id_, ()), spans)

    def begin(self, id_: str, span: Span) -> None:
        """Take a span off the list while it is priced: what is noted meanwhile stays."""
        self.remove(id_, [span])
        self._doing[id_] = [*self._doing.get(id_, ()), span]

    def end(self, id_: str, span: Span, *, done: bool) -> None:
        """Note that a span has been priced, or not."""
        self._doing[id_].remove(span)
        if not done:
            self.add(id_, span)

    def put_off(self, id_: str, span: Span, now: datetime) -> None:
        """Leave a span for the next day."""
        self._since = self._since or now
        self._put_off[id_] = merged([*self._put_off.get(id_, ()), span])

    def due(self, id_: str, now: datetime, before: datetime) -> list[Span]:
        """Return the spans of a statistic, up to a moment, that may be asked for."""
        if self._since and now - self._since > PUT_OFF:
            self._since = None
            self._put_off.clear()
        spans = without(self._spans.get(id_, ()), self._put_off.get(id_, ()))
        return [part for span in spans if (part := clipped(span, span[0], before))]
