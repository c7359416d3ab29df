"""A site's life with faults, and what holds whatever goes wrong."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import logging
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from custom_components.climkit.history.audit import HistoryAudit

from .ledger import HOURLY_ROUNDING, WIRE, model_hours, rows_of
from .simulator import Simulator

BEGINNING: Final = datetime(2026, 6, 12, 22, tzinfo=UTC)

PATIENCE: Final = 80
"""Minutes until all is back: whoever was refused is asked once an hour, by a poll."""
STEP: Final = 16
"""Minutes between two looks: each time, all that is polled has been polled."""


class Life:
    """A site in Home Assistant, and what is always true of it."""

    def __init__(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        entry: MockConfigEntry,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Follow a life of an entry, with the fault off."""
        self.hass = hass
        self.cloud = cloud
        self.entry = entry
        self.caplog = caplog
        self.audits: list[HistoryAudit] = []
        site = cloud.sites[0]
        self.columns = {f"{site.id}_{kind}": column for kind, column in WIRE.items()}
        """Statistics, and what the model calls them."""

    def follow_meter(self, meter_id: str, *, alone: bool = False) -> None:
        """Compare the statistics of a meter too, or instead of the site's."""
        if alone:
            self.columns.clear()
        for kind, name in (("consumption", "total"), ("solar_consumption", "self")):
            self.columns[f"{meter_id}_{kind}"] = f"{name}_{meter_id}"

    async def minutes(self, number: float) -> None:
        """Let time pass."""
        await asyncio.sleep(number * 60)
        with suppress(TimeoutError):  # where one attempt follows the other
            async with asyncio.timeout(60):
                await self.hass.async_block_till_done()

    @property
    def reauth(self) -> bool:
        """Return whether the user is asked for other credentials."""
        return any(
            flow["context"]["source"] == "reauth"
            for flow in self.hass.config_entries.flow.async_progress()
        )

    def lines(self) -> tuple[int, int]:
        """Return how many lines of our log say that something is down, and up again."""
        own = [
            record
            for record in self.caplog.records
            if record.name.startswith("custom_components.climkit")
            and "said only once" not in record.message
        ]
        return (
            sum(record.levelno >= logging.WARNING for record in own),
            sum(record.levelno == logging.INFO for record in own),
        )

    @property
    def broken(self) -> bool:
        """Return whether anything of what is fetched is out of order."""
        data = self.entry.runtime_data
        coordinators = (*data.live, data.site, data.environment, data.registers)
        return not all(c.last_update_success for c in coordinators)

    @property
    def settled(self) -> bool:
        """Return whether all has come, is said to be back, and the history is in."""
        down, back = self.lines()
        return (
            self.entry.state is ConfigEntryState.LOADED
            and not self.broken
            and down <= back  # at set-up, some is said to be down by others
            and self.entry.runtime_data.history.data == 100
        )

    async def recover(self, *, to_the_end: bool = False) -> None:
        """Do what a user would, once the fault is gone: nothing but after a refusal.

        Then wait until all is back, which it must be within our patience; or to its
        end in any case, when nothing may have come undone by itself.
        """
        self.cloud.faults.clear()
        if self.reauth:
            for flow in self.hass.config_entries.flow.async_progress():
                self.hass.config_entries.flow.async_abort(flow["flow_id"])
            await self.hass.config_entries.async_reload(self.entry.entry_id)
        if self.entry.state is ConfigEntryState.LOADED:
            # Once a day; what was refused from the start is tried again then.
            await self.entry.runtime_data.site.async_refresh()
        for _ in range(0, PATIENCE, STEP):
            await self.minutes(STEP)
            if self.settled and not to_the_end:
                break
        assert self.entry.state is ConfigEntryState.LOADED
        assert self.entry.runtime_data.live[0].last_update_success
        assert self.entry.runtime_data.site.last_update_success

    async def audit(self) -> None:
        """Do what is done every night."""
        await self.audits[-1].async_run()

    async def nothing_invented(self, *, complete: bool = False) -> None:
        """Compare all hours with the model, and the sums with the hours."""
        site = self.cloud.sites[0]
        now = dt_util.utcnow()
        end = self.entry.runtime_data.live[0].data.newest if complete else now
        for series, column in self.columns.items():
            rows = await rows_of(self.hass, f"{DOMAIN}:{series}")
            if column.startswith("storage"):
                assert not rows
                continue
            model = model_hours(site, column, BEGINNING, end, at=now)
            assert rows.keys() <= model.keys()
            if complete:
                assert rows.keys() == model.keys(), series
            wrong = {h for h in rows if abs(rows[h][0] - model[h]) > HOURLY_ROUNDING}
            assert not wrong, series

    def keeps_the_limit(self) -> None:
        """Make sure that no request came less than a second after another."""
        times = [request.time for request in self.cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))
