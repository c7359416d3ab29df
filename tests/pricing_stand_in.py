"""Stands in for the pricing of a site until the real one is there: it stores no costs.

Not used any more once `SiteRuntime` has a `pricing`; then this file goes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest

from custom_components.climkit.metering.costs import meter_costs, site_costs
from custom_components.climkit.metering.tariffs import Tariffs
from custom_components.climkit.runtime import SiteRuntime, async_build
from custom_components.climkit.statistics.price_archive import PriceArchive
from custom_components.climkit.statistics.tariff_versions import stored_tariffs


@dataclass(frozen=True, slots=True)
class WithPricing(SiteRuntime):
    """A runtime with the part that is not there yet."""

    pricing: Any


class StandIn:
    """Knows tariffs and series, as the real one does."""

    unpriced_hours = 3

    def __init__(self, hass: HomeAssistant, entry: Any, runtime: SiteRuntime) -> None:
        self._hass, self._entry, self._runtime = hass, entry, runtime
        self._archive = PriceArchive(hass, entry.entry_id)
        self._listeners: list[Callable[[], None]] = []
        self._announced: set[str] = set()
        self._changed()
        entry.async_on_unload(
            async_dispatcher_connect(
                hass, SIGNAL_CONFIG_ENTRY_CHANGED, callback(lambda *_: self._changed())
            )
        )

    def _changed(self) -> None:
        versions = [stored.tariff for stored in stored_tariffs(self._entry)]
        zone = self._runtime.site.data.zone
        self.tariffs = Tariffs(versions, zone, self._archive)
        for listener in list(self._listeners):
            listener()

    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call it whenever the tariffs change."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def series(self) -> tuple[Any, ...]:
        """Return what there is a tariff for."""
        info = self._runtime.site.data
        owners: dict[str, tuple[str | None, str]] = {info.site.id: (None, "")}
        owners |= {meter.id: (meter.id, meter.type) for meter in info.chosen}
        return tuple(
            priced
            for owner_id, (meter_id, medium) in owners.items()
            for priced in self._series(owner_id, meter_id, medium)
        )

    def _series(self, owner: str, meter: str | None, medium: str) -> Iterator[Any]:
        flows = {flow.kind: flow for flow in self._runtime.site.data.flows_of(owner)}
        kinds = [str(kind) for kind in flows]
        for series in meter_costs(medium, kinds) if meter else site_costs(kinds):
            if series.has_price(self.tariffs, meter):
                id_ = f"climkit:{owner}_{series.kind}"
                self._announce(id_)
                used = tuple(flows[kind] for kind, _ in series.terms)  # type: ignore[index]
                yield SimpleNamespace(
                    owner_id=owner,
                    meter_id=meter,
                    series=series,
                    statistic_id=id_,
                    flows=used,
                )

    def _announce(self, id_: str) -> None:
        if id_ not in self._announced:
            self._announced.add(id_)
            async_add_external_statistics(
                self._hass,
                {
                    "mean_type": StatisticMeanType.NONE,
                    "has_sum": True,
                    "name": id_,
                    "source": "climkit",
                    "statistic_id": id_,
                    "unit_class": None,
                    "unit_of_measurement": "CHF",
                },
                [],
            )

    async def async_costs(self, start: datetime, end: datetime) -> dict[str, Any]:
        """Return nothing: all of it is in the live data."""
        return {}


@pytest.fixture(autouse=True)
def _pricing() -> Iterator[None]:
    if "pricing" in {field.name for field in fields(SiteRuntime)}:
        yield
        return

    async def build(hass: HomeAssistant, entry: Any) -> WithPricing:
        runtime = await async_build(hass, entry)
        parts = {f.name: getattr(runtime, f.name) for f in fields(runtime)}
        return WithPricing(**parts, pricing=StandIn(hass, entry, runtime))

    with patch("custom_components.climkit.async_build", build):
        yield
