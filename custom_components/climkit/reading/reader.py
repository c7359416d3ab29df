"""Where readings come from: the fewest requests that bring the wanted flows.

One request brings a medium's totals of the site and the columns of all meters. Only
a meter without a column, or credentials that may not read the site, cost a request
per meter. Nothing of Home Assistant.
"""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final

from ..api import (
    ClimkitAccessError,
    ClimkitClient,
    ClimkitError,
    ClimkitResponseError,
    Column,
    Priority,
    Resolution,
    Series,
)
from ..metering.flows import OPTIONAL_COLUMNS, Flow, FlowKind, Medium

PROOF: Final = 0.001
"""kWh in one interval that prove that something produces: less may be an artefact."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one or several replies of the cloud say of one medium."""

    replies: Sequence[Series]
    missing: Mapping[str, ClimkitError] = field(default_factory=dict)
    """Meters of which nothing came this time, though at other times it does."""

    def of(self, flow: Flow) -> dict[datetime, float]:
        """Return the amounts of a flow by the start of the interval, in UTC."""
        for series in self.replies:
            if flow.column in series.columns:
                return series.values(flow.column)
        return {}

    @property
    def newest(self) -> datetime | None:
        """Return the start of the newest interval with a value, in UTC."""
        return max(filter(None, map(_newest, self.replies)), default=None)

    @property
    def seen(self) -> frozenset[FlowKind]:
        """Return the kinds of flows that these values prove to exist at the site."""
        return frozenset(
            kind
            for column, kind in OPTIONAL_COLUMNS.items()
            for series in self.replies
            if any((amount or 0.0) > PROOF for amount in series.columns.get(column, ()))
        )


def _newest(series: Series) -> datetime | None:
    # Rows without any value may be there before what they stand for is published.
    for index in reversed(range(len(series.starts))):
        if any(values[index] is not None for values in series.columns.values()):
            return series.starts[index]
    return None


class SeriesReader:
    """Reads the series of one site."""

    def __init__(self, client: ClimkitClient, site_id: str) -> None:
        """Read through the account's client."""
        self._client = client
        self._site_id = site_id
        self._given: set[str] = set()
        """Media, and meters by their ids, that were read."""
        self.refused: set[str] = set()
        """Those that may not be read, and never could be."""
        self.silent: set[str] = set()
        """Meters that had nothing to say when they were asked for the present."""

    def try_all_again(self) -> None:
        """Forget what was refused and what was not: the owner may have changed that."""
        for known in (self._given, self.refused, self.silent):
            known.clear()

    def gives(self, flow: Flow) -> bool:
        """Return whether the cloud gives a flow, as far as is known."""
        return (flow.meter_id or flow.medium) not in self.refused

    async def async_read(
        self,
        medium: Medium,
        flows: Iterable[Flow],
        resolution: Resolution,
        start: datetime,
        end: datetime | None = None,
        *,
        priority: Priority = Priority.LIVE,
    ) -> Answer:
        """Read the flows of a medium with start <= interval < end.

        Raises ClimkitError; ClimkitAccessError only if nothing at all may be read. One
        meter that fails costs the others nothing, except in the background, where time
        is no matter and what is missing would be taken for nothing.
        """
        ask = _Question(resolution, start, end, priority)
        replies: list[Series] = []
        errors: dict[str, ClimkitError] = {}
        if medium not in self.refused:
            try:
                replies.append(await self._async_ask_site(medium, ask))
            except ClimkitAccessError as err:
                if priority is Priority.BACKGROUND or medium in self._given:
                    raise  # perhaps only so far back, or for a while
                errors[medium] = err
        wanted = [flow for flow in flows if flow.medium == medium]
        for meter_id in self._meters_to_ask(wanted, replies, ask):
            try:
                replies.append(await self._async_ask_meter(meter_id, ask))
            except ClimkitAccessError as err:
                errors[meter_id] = err
            except ClimkitResponseError as err:
                if priority is Priority.BACKGROUND:
                    raise
                errors[meter_id] = err
        if not replies:
            self.refused.discard(medium)  # to notice when access is given again
            nothing = ClimkitAccessError("site_data", HTTPStatus.FORBIDDEN)
            raise [nothing, *errors.values()][-1]
        return Answer(
            replies, {id_: e for id_, e in errors.items() if id_ not in self.refused}
        )

    async def _async_ask_site(self, medium: Medium, ask: _Question) -> Series:
        series = await self._async_ask(
            medium,
            ask,
            self._client.site_series(
                self._site_id,
                medium,
                ask.resolution,
                ask.start,
                ask.end,
                priority=ask.priority,
            ),
        )
        # A meter whose column comes now need not be asked for by itself.
        self.refused -= {column.meter_id for column in series.columns}
        return series

    async def _async_ask_meter(self, meter_id: str, ask: _Question) -> Series:
        series = await self._async_ask(
            meter_id,
            ask,
            self._client.meter_series(
                self._site_id,
                meter_id,
                ask.resolution,
                ask.start,
                ask.end,
                priority=ask.priority,
            ),
        )
        if ask.end is None and not any(map(series.values, series.columns)):
            self.silent.add(meter_id)
        return series

    async def _async_ask(
        self, what: str, ask: _Question, answer: Awaitable[Series]
    ) -> Series:
        """Return the answer; remember what may be read, and what never could be."""
        try:
            series = await answer
        except ClimkitAccessError:
            # Only of the present: a refused past may be too long ago, and no more.
            if ask.end is None and what not in self._given:
                self.refused.add(what)
            raise
        self._given.add(what)
        return series

    def _meters_to_ask(
        self, flows: Iterable[Flow], replies: Sequence[Series], ask: _Question
    ) -> list[str]:
        """Return the meters whose series did not come with the site's."""
        if replies and not replies[0].starts:
            return []  # nothing in this window, so no columns either
        columns: set[Column] = set().union(*(series.columns for series in replies))
        missing = {
            flow.meter_id: None
            for flow in flows
            if flow.meter_id is not None and flow.column not in columns
        }
        vain = self.refused
        if replies and ask.end is None:
            vain = vain | self.silent
        return [meter for meter in missing if meter not in vain]


@dataclass(frozen=True, slots=True)
class _Question:
    resolution: Resolution
    start: datetime
    end: datetime | None
    priority: Priority
