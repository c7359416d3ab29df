"""A simulated site: its description, its meters, and the truth about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import nan

from .effects import Effect, Late, Outage, Revision, as_ids
from .environment import SimulatedSensor
from .frames import Columns, Frame, MonthSums, Query, frame
from .local_time import quarter_at_or_after, quarter_at_or_before
from .meters import SimulatedMeter
from .publication import Publication


@dataclass(kw_only=True)
class SimulatedSite:
    """One installation; everything may be changed while a simulator serves it."""

    id: str
    name: str
    meters: list[SimulatedMeter]
    created: datetime = datetime(2023, 2, 28, 23, tzinfo=UTC)
    """`creation_date`; midnight of 2023-03-01 in Zurich."""
    first_data: datetime | None = None
    """The first measured quarter; None is from its creation on."""
    time_zone: str = "Europe/Zurich"
    city: str = "Lausanne"
    postal_code: int = 1000
    street: str = "Rue de l'Exemple"
    street_number: str = "12"
    latitude: float = 46.5
    longitude: float = 6.6
    seed: int = 1
    night_dust: float = 0.0
    """Plants count up to so much (kWh) below zero in quarters of the night."""
    sensors: list[SimulatedSensor] = field(default_factory=list)
    visible: frozenset[str] | None = None
    """The ids of the meters that accounts may read; None is all."""
    publication: dict[str, Publication] = field(default_factory=dict)
    """By meter type; "" is for all the others."""
    info: dict[str, object] = field(default_factory=dict)
    """What installation_infos says otherwise; None leaves a key out."""
    effects: list[Effect] = field(default_factory=list, repr=False)
    _kept: MonthSums = field(default_factory=dict, init=False, repr=False)

    @property
    def publication_delay(self) -> timedelta:
        """Return how long after its end a quarter hour is shown, unless its type says."""
        return self.publication_of("").delay

    @publication_delay.setter
    def publication_delay(self, delay: timedelta) -> None:
        usual = self.publication_of("")
        self.publication[""] = Publication(delay=delay, jitter=usual.jitter)

    def publication_of(self, meter_type: str) -> Publication:
        """Return when rows of a meter type are shown."""
        usual = self.publication.get("") or Publication()
        return self.publication.get(meter_type, usual)

    @property
    def meter_types(self) -> tuple[str, ...]:
        """Return the types of its meters, in their order."""
        return tuple(dict.fromkeys(meter.type for meter in self.meters))

    def meter(self, name_or_id: str) -> SimulatedMeter:
        """Return the meter with this id, or the first with this name; else KeyError."""
        for meter in self.meters:
            if name_or_id in (meter.id, meter.name):
                return meter
        raise KeyError(name_or_id)

    def model(
        self,
        meter_type: str,
        resolution: str,
        start: datetime,
        end: datetime,
        at: datetime | None = None,
        *,
        columns: Sequence[str] | None = None,
    ) -> Mapping[str, dict[datetime, float]]:
        """Return the truth, {wire column: {UTC start: unrounded amount}}.

        It has the quarters within start and end (aware), summed up to the periods
        of the resolution ("15T", "H", "D", "M", "Y"). `at` limits it to what was
        published then, as known then; None is all that will ever be known. What is
        not known is not there. `columns` picks some.
        """
        table = self.frame(meter_type, resolution, start, end, at)
        if columns is not None and len(table):
            table = table.only(columns)
        return Columns(table)

    def frame(
        self,
        meter_type: str,
        resolution: str,
        start: datetime,
        end: datetime,
        at: datetime | None = None,
        *,
        zeros: int = 0,
    ) -> Frame:
        """Return the same as arrays; `zeros` appends unpublished quarters as 0."""
        if meter_type not in self.meter_types:
            return frame(self, Query(meter_type, resolution, 0, 0), self._kept)
        first = max(quarter_at_or_after(start), self._first_quarter)
        wanted = last = quarter_at_or_before(end)
        if at is not None:
            last = min(last, self.horizon(meter_type, at))
            over = min(wanted, quarter_at_or_before(at))
            zeros = min(zeros, max(over - max(last, first), 0))
        query = Query(meter_type, resolution, first, last, at, zeros)
        return frame(self, query, self._kept)

    def horizon(self, meter_type: str, at: datetime) -> int:
        """Return the first quarter (of 900 s since 1970) not published at a moment."""
        return self.publication_of(meter_type).horizon(at, self.time_zone)

    @property
    def _first_quarter(self) -> int:
        return quarter_at_or_after(self.first_data or self.created)

    def outage(
        self,
        start: datetime,
        end: datetime,
        until: datetime,
        meters: Sequence[str] | None = None,
    ) -> None:
        """Let readings fail from start to end; filled in a straight line at `until`.

        Meanwhile the rows are absent, or of single meters null.
        """
        ids = as_ids(meters)
        self.effects.append(Outage(start=start, end=end, until=until, meters=ids))

    def late(
        self,
        start: datetime,
        end: datetime,
        until: datetime,
        meters: Sequence[str],
        *,
        value: float = nan,
    ) -> None:
        """Let single meters come later than the rest, with true values; NaN is null."""
        ids = as_ids(meters)
        self.effects.append(
            Late(start=start, end=end, until=until, meters=ids, value=value)
        )

    def revise(
        self,
        start: datetime,
        end: datetime,
        *,
        factor: float = 1.0,
        add: float = 0.0,
        at: datetime | None = None,
        meters: Sequence[str] | None = None,
    ) -> None:
        """Change what is known of consumers and plants, from the moment `at` on.

        `add` is per quarter hour and meter. All columns keep agreeing.
        """
        ids = as_ids(meters)
        self.effects.append(
            Revision(start=start, end=end, factor=factor, add=add, at=at, meters=ids)
        )
