"""Where readings come from: the fewest requests that bring the wanted flows.

One request brings a medium's totals of the site and the columns of all meters. Only
a meter without a column, or credentials that may not read the site, cost a request
per meter. Nothing of Home Assistant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from .api import ClimkitAccessError, ClimkitClient, Column, Priority, Resolution, Series
from .flows import OPTIONAL_COLUMNS, Flow, FlowKind, Medium

PROOF: Final = 0.001
"""kWh in one interval that prove that something produces: less may be an artefact."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What one or several replies of the cloud say of one medium."""

    replies: Sequence[Series]

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


class Source:
    """Reads the series of one site."""

    def __init__(self, client: ClimkitClient, site_id: str) -> None:
        """Read through the account's client."""
        self._client = client
        self._site_id = site_id
        self._open_media: set[Medium] = set()
        self._closed_media: set[Medium] = set()
        self._open_meters: set[str] = set()
        self._closed_meters: set[str] = set()
        self._silent_meters: set[str] = set()
        """Meters that had nothing to say when they were asked for the present."""

    def try_all_again(self) -> None:
        """Forget what was refused and what was not: the owner may have changed that."""
        self._open_media.clear()
        self._closed_media.clear()
        self._open_meters.clear()
        self._closed_meters.clear()
        self._silent_meters.clear()

    def gives(self, flow: Flow) -> bool:
        """Return whether the cloud gives a flow, as far as is known."""
        if flow.meter_id is None:
            return flow.medium not in self._closed_media
        return flow.meter_id not in self._closed_meters

    async def async_read(
        self,
        medium: Medium,
        flows: Iterable[Flow],
        resolution: Resolution,
        start: datetime,
        end: datetime | None = None,
        *,
        priority: Priority = Priority.LIVE,
    ) -> Readings:
        """Read the flows of a medium with start <= interval < end.

        Raises ClimkitError; ClimkitAccessError only if nothing at all may be read.
        """
        flows = [flow for flow in flows if flow.medium == medium]
        replies: list[Series] = []
        refusal: ClimkitAccessError | None = None
        if medium not in self._closed_media:
            try:
                replies.append(
                    await self._client.site_series(
                        self._site_id, medium, resolution, start, end, priority=priority
                    )
                )
                self._open_media.add(medium)
            except ClimkitAccessError as err:
                if priority is Priority.BACKGROUND or medium in self._open_media:
                    raise  # perhaps only so far back, or for a while
                refusal = err
                self._closed_media.add(medium)
        silent = self._silent_meters if replies and end is None else set()
        for meter_id in self._meters_to_ask(flows, replies):
            if meter_id in silent:
                continue
            try:
                series = await self._client.meter_series(
                    self._site_id, meter_id, resolution, start, end, priority=priority
                )
            except ClimkitAccessError as err:
                refusal = err
                if priority is Priority.LIVE or meter_id not in self._open_meters:
                    self._closed_meters.add(meter_id)
                continue
            replies.append(series)
            self._open_meters.add(meter_id)
            if end is None and not any(map(series.values, series.columns)):
                self._silent_meters.add(meter_id)
        if not replies:
            self._closed_media.discard(medium)  # to notice when access is given again
            raise refusal or ClimkitAccessError("site_data", HTTPStatus.FORBIDDEN)
        return Readings(replies)

    def _meters_to_ask(
        self, flows: Iterable[Flow], replies: Sequence[Series]
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
        return [meter for meter in missing if meter not in self._closed_meters]
