"""What of a site costs something, and how its costs follow from what is stored.

Polls tell the quarter hours of the last two days, so these are priced exactly. What was
priced by the mean of an hour with two prices is told, so that its quarters are fetched.
"""

from collections import defaultdict
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set as AbstractSet,
)
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..metering.costs import (
    FEE_SERIES,
    CostSeries,
    costs_of_series,
    meter_costs,
    quarters_of,
    site_costs,
)
from ..metering.flows import Flow, Medium
from ..metering.hours import HOUR, hour_of_quarter
from ..metering.reconcile import HOUR_ROUNDING
from ..metering.site import SiteInfo
from ..metering.spans import Span, merged
from ..metering.tariff import Tariff
from ..metering.tariffs import Tariffs
from ..metering.timeline import HourPrices, PriceTimeline
from ..reading.site_coordinator import SiteCoordinator
from ..statistics.metadata import cost_metadata
from ..statistics.naming import async_statistic_names
from ..statistics.site_statistics import SiteStatistics
from ..statistics.updates import Amounts, Derivation, Derived
from .coarse_hours import CoarseHours

WITHIN: Final = timedelta(days=2)
"""Hours that are no farther apart are fetched together."""

type Quarters = Mapping[datetime, float]


@dataclass(frozen=True, slots=True)
class PricedSeries:
    """One statistic of costs, of the site or of a meter."""

    owner_id: str
    """The id of the site or of the meter."""
    meter_id: str | None
    """The id of the meter, or None of the site."""
    series: CostSeries
    statistic_id: str = field(compare=False)
    flows: tuple[Flow, ...]
    """The flows of energy that it prices, one for each term; none of the fees."""

    @property
    def kind(self) -> str:
        """Return what it is: the end of its id, and a key of the translations."""
        return self.series.kind

    def is_priced_by(self, tariffs: Tariffs) -> bool:
        """Return whether some tariff is for it."""
        if not self.flows:
            return tariffs.has_fee(self.meter_id)
        return self.series.has_price(tariffs, self.meter_id)

    def may_use(self, tariff: Tariff) -> bool:
        """Return whether its prices may be that tariff's."""
        return tariff.component in self.series.components and (
            not tariff.meters or self.meter_id in tariff.meters
        )

    def has_own_price(self, tariffs: Tariffs) -> bool:
        """Return whether some tariff is for its owner alone, be it a meter or the site."""
        return any(
            (component, self.meter_id) in tariffs.scopes
            for component in self.series.components
        )

    def timelines(self, tariffs: Tariffs) -> tuple[PriceTimeline, ...]:
        """Return the prices of its flows, in their order."""
        return tuple(
            tariffs.timeline(component, self.meter_id)
            for component in self.series.components
        )


def flows_of(some: Iterable[PricedSeries]) -> tuple[Flow, ...]:
    """Return the flows that some series price, each of them once."""
    return tuple(dict.fromkeys(chain.from_iterable(each.flows for each in some)))


def by_flow(some: Iterable[PricedSeries]) -> dict[Flow, list[PricedSeries]]:
    """Return those of some series that price energy, by each of their flows."""
    groups: defaultdict[Flow, list[PricedSeries]] = defaultdict(list)
    for priced in some:
        for flow in priced.flows:
            groups[flow].append(priced)
    return groups


def by_medium(some: Iterable[PricedSeries]) -> dict[Medium, list[PricedSeries]]:
    """Return those of some series that price energy, by the medium of their flows."""
    groups: defaultdict[Medium, list[PricedSeries]] = defaultdict(list)
    for priced in some:
        if priced.flows:
            groups[priced.flows[0].medium].append(priced)
    return groups


class PricedSite:
    """The costs of one site, by the tariffs of now."""

    def __init__(
        self,
        hass: HomeAssistant,
        site: SiteCoordinator,
        statistics: SiteStatistics,
        tariffs: Tariffs,
        became_coarse: Callable[[], None],
    ) -> None:
        """`became_coarse` is called when something was priced by the mean of hours."""
        self.coarse = CoarseHours()
        self.tariffs = tariffs
        self.site = site
        self.statistics = statistics
        self._hass = hass
        self._became_coarse = became_coarse
        self._names: dict[PricedSeries, str] = {}
        self._quarters: dict[Flow, Quarters] = {}
        self._known: tuple[SiteInfo, frozenset[str]] | None = None
        self._possible: tuple[PricedSeries, ...] = ()
        self._of_flow: dict[Flow, list[PricedSeries]] = {}

    def possible(self) -> tuple[PricedSeries, ...]:
        """Return all that could have costs: the site's first, then the meters'."""
        known = self.site.data, self.statistics.foreign
        if known != self._known:
            self._known = known
            self._possible = tuple(self._series(self.site.data))
            self._of_flow = by_flow(self._possible)
        return self._possible

    def series(self) -> tuple[PricedSeries, ...]:
        """Return what has costs: that for which there is a tariff."""
        return tuple(
            self.identified(priced)
            for priced in self.possible()
            if priced.is_priced_by(self.tariffs)
        )

    def all_identified(self) -> tuple[PricedSeries, ...]:
        """Return all that could have costs, under the ids of now."""
        return tuple(map(self.identified, self.possible()))

    def fees(self) -> tuple[PricedSeries, ...]:
        """Return what has monthly fees: such series price no flow."""
        return tuple(priced for priced in self.series() if not priced.flows)

    def identified(self, priced: PricedSeries) -> PricedSeries:
        """Return a series under its id of now: two owners may turn out to have one slug."""
        flow = (priced.flows or self.site.data.flows_of(priced.owner_id))[0]
        owner = self.statistics.statistic_id(flow).removesuffix(flow.kind)
        return PricedSeries(
            priced.owner_id,
            priced.meter_id,
            priced.series,
            f"{owner}{priced.kind}",
            priced.flows,
        )

    def _series(self, info: SiteInfo) -> Iterator[PricedSeries]:
        yield from self._of_owner(info.flows_of(info.site.id), site_costs)
        for meter in info.chosen:
            costs_of = partial(meter_costs, meter.type)
            yield from self._of_owner(info.flows_of(meter.id), costs_of)

    def _of_owner(
        self,
        flows: Sequence[Flow],
        costs_of: Callable[[Collection[str]], Iterator[CostSeries]],
    ) -> Iterator[PricedSeries]:
        """Yield what the owner of these flows could have, unless others write them."""
        kinds = {flow.kind.value: flow for flow in filter(self.statistics.owns, flows)}
        if not kinds:
            return
        owner_id, meter_id = flows[0].owner_id, flows[0].meter_id
        for series in (*costs_of(kinds), FEE_SERIES):
            used = tuple(kinds[kind] for kind in series.kinds)
            yield PricedSeries(owner_id, meter_id, series, "", used)

    async def async_name(self) -> None:
        """Learn what all that could have costs is called, in the system's language."""
        self._names = await async_statistic_names(
            self._hass, self.site.data, self.possible()
        )

    # --- How costs follow from energy ---------------------------------------------

    def derivations(self, flow: Flow, quarters: Quarters) -> tuple[Derived, ...]:
        """Return what follows from a flow, as `SiteStatistics` asks for it.

        `quarters` are those that a poll brought, and none of history.
        """
        self.possible()
        hours = self._note_quarters(flow, quarters) if quarters else set()
        return tuple(
            self.derived(self.identified(each), hours=self.uneven(each, hours))
            for each in self._of_flow.get(flow, ())
            if each.is_priced_by(self.tariffs)
        )

    def _note_quarters(self, flow: Flow, quarters: Quarters) -> set[datetime]:
        """Keep the quarters at hand, and return the hours in which some are new."""
        known = self._quarters.get(flow, {})
        self._quarters[flow] = quarters
        return {
            hour_of_quarter(at)
            for at, some in quarters.items()
            if known.get(at) != some
        }

    def uneven(
        self, priced: PricedSeries, hours: AbstractSet[datetime]
    ) -> frozenset[datetime]:
        """Return the hours with two prices: their costs depend on the quarters."""
        return frozenset(
            hour
            for prices in priced.timelines(self.tariffs)
            for hour in hours
            if not prices.hour_prices(hour).alike
        )

    def derived(
        self,
        priced: PricedSeries,
        quarters: Mapping[Flow, Quarters] | None = None,
        hours: frozenset[datetime] = frozenset(),
    ) -> Derived:
        """Return how a series follows from its energy, by the tariffs of now.

        `quarters` are those that were fetched; None: those at hand, and it is told where
        they do not suffice.
        """
        name = self._names.get(priced) or f"{priced.owner_id} {priced.kind}"
        amounts = (
            self._costs(priced, self.tariffs, quarters)
            if priced.flows
            else _fees(priced, self.tariffs)
        )
        sources = tuple(map(self.statistics.statistic_id, priced.flows))
        metadata = cost_metadata(priced.statistic_id, name)
        return Derived(metadata, sources, amounts, hours)

    def _costs(
        self,
        priced: PricedSeries,
        tariffs: Tariffs,
        fetched: Mapping[Flow, Quarters] | None,
    ) -> Derivation:
        def costs(span: Span, sources: Sequence[Amounts]) -> Amounts:
            # In the recorder's thread. What is at hand is looked up only here, when
            # each flow of a poll has told its quarters.
            at_hand = self._quarters if fetched is None else fetched
            energies = dict(zip(priced.series.kinds, sources, strict=True))
            quarters = {flow.kind.value: at_hand.get(flow, {}) for flow in priced.flows}
            if fetched is None and (
                coarse := uneven_spans(priced, tariffs, energies, quarters)
            ):
                self._hass.loop.call_soon_threadsafe(
                    self._note_coarse, priced.statistic_id, coarse
                )
            return costs_of_series(
                priced.series, energies, quarters, tariffs, priced.meter_id
            )

        return costs

    @callback
    def _note_coarse(self, id_: str, spans: Sequence[Span]) -> None:
        for span in spans:
            self.coarse.add(id_, span)
        self._became_coarse()


def uneven_spans(
    priced: PricedSeries,
    tariffs: Tariffs,
    energies: Mapping[str, Amounts],
    quarters: Mapping[str, Quarters],
) -> list[Span]:
    """Return the spans in which hours with two prices lack quarters."""
    hours = _coarse_hours(priced, tariffs, energies, quarters)
    # Each is so long that those near each other touch.
    spans = merged((hour, hour + HOUR + WITHIN) for hour in hours)
    return [(start, end - WITHIN) for start, end in spans]


def _coarse_hours(
    priced: PricedSeries,
    tariffs: Tariffs,
    energies: Mapping[str, Amounts],
    quarters: Mapping[str, Quarters],
) -> Iterator[datetime]:
    """Yield the hours themselves, flow by flow."""
    timelines = priced.timelines(tariffs)
    for kind, prices in zip(priced.series.kinds, timelines, strict=True):
        known = quarters.get(kind, {})
        for hour, energy in energies[kind].items():
            if _is_uneven(prices.hour_prices(hour)) and _lacks(
                energy, quarters_of(hour, known)
            ):
                yield hour


def _is_uneven(prices: HourPrices) -> bool:
    """Return whether an hour has several prices, all of them known."""
    return not prices.alike and prices.mean is not None


def _lacks(energy: float, quarters: Sequence[float | None]) -> bool:
    """Return whether the quarters of an hour do not tell all of its energy.

    They may all be known and be older than it: an hour that was revised while no poll
    was answered, and has left the window since, is read by the hour alone.
    """
    known = [part for part in quarters if part is not None]
    if len(known) < 4:
        return bool(energy or any(known))
    return abs(sum(known) - energy) > HOUR_ROUNDING


def _fees(priced: PricedSeries, tariffs: Tariffs) -> Derivation:
    def fees(span: Span, sources: Sequence[Amounts]) -> Amounts:
        return tariffs.fees(priced.meter_id, *span)

    return fees
