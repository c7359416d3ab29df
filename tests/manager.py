"""A building manager who adds many sites, and what there is to read of them."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
import logging
from typing import Any

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.climkit.const import DOMAIN

from .simulator import Simulator


class Manager:
    """Many sites, and what is read in the log, in repairs and in the cloud's records."""

    def __init__(
        self, hass: HomeAssistant, cloud: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Look at what comes from now on."""
        self.hass = hass
        self.cloud = cloud
        self._caplog = caplog
        self._mark = 0

    @property
    def entries(self) -> list[ConfigEntry]:
        """Return the entries of all sites."""
        return self.hass.config_entries.async_entries(DOMAIN)

    async def set_up(self) -> None:
        """Add the first site by the dialog, and all others with it."""
        ids = [site.id for site in self.cloud.sites]
        shown = await self.hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}
        )
        shown = await self._send(shown, username="demo", password="demo")
        shown = await self._send(shown, site=ids[0])
        shown = await self._send(shown)
        assert shown["step_id"] == "others"
        shown = await self._send(shown, sites=ids[1:])
        assert shown["type"] is FlowResultType.CREATE_ENTRY
        await self.minutes(2 + 0.25 * len(ids))
        assert {entry.unique_id for entry in self.entries} == set(ids)
        self.all_well()
        await self.minutes(20)
        assert {e.runtime_data.history.data for e in self.entries} == {100}

    async def _send(self, shown: ConfigFlowResult, **values: Any) -> ConfigFlowResult:
        flows = self.hass.config_entries.flow
        result = await flows.async_configure(shown["flow_id"], values)
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            await asyncio.sleep(10)
            result = await flows.async_configure(shown["flow_id"])
        return result

    async def minutes(self, number: float) -> None:
        """Let time pass."""
        await asyncio.sleep(number * 60)

    async def load_again(self) -> None:
        """Set up all entries anew, at once, as at a start of Home Assistant."""
        entries = self.hass.config_entries
        for entry in self.entries:
            if entry.state is ConfigEntryState.LOADED:
                await entries.async_unload(entry.entry_id)
            else:
                entry.async_cancel_retry_setup()
        todo = [e for e in self.entries if e.state.recoverable]
        await asyncio.gather(*(entries.async_reload(e.entry_id) for e in todo))

    def begin(self) -> None:
        """Forget what was said and asked until now, but for the pace."""
        self._caplog.clear()
        self._mark = len(self.cloud.requests)

    def asked(self) -> Counter[str]:
        """Return the requests since the beginning, by endpoint."""
        return Counter(r.endpoint for r in self.cloud.requests[self._mark :])

    def lines(self, level: int = logging.WARNING) -> list[str]:
        """Return what a user reads in the log since the beginning."""
        return [
            record.getMessage()
            for record in self._caplog.records
            if record.name.startswith(("custom_components.climkit", "homeassistant.co"))
            and record.levelno >= level
            and "custom integration" not in record.getMessage()
        ]

    def issues(self) -> list[str]:
        """Return the keys of the repairs that concern us."""
        return [
            str(issue.translation_key)
            for issue in ir.async_get(self.hass).issues.values()
            if issue.active and DOMAIN in (issue.domain, issue.issue_domain)
        ]

    def flows(self) -> list[str]:
        """Return where the dialogs that wait for the user come from."""
        flows = self.hass.config_entries.flow.async_progress()
        return [flow["context"]["source"] for flow in flows]

    def all_well(self, but: int = 0) -> None:
        """Make sure that all sites but so many are read."""
        loaded = [e for e in self.entries if e.state is ConfigEntryState.LOADED]
        assert len(loaded) >= len(self.entries) - but
        live = [entry.runtime_data.live[0] for entry in loaded]
        assert sum(not some.last_update_success for some in live) <= but

    def keeps_the_limit(self) -> None:
        """Make sure that no request came less than a second after another."""
        times = [request.time for request in self.cloud.requests]
        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))
        assert set(self.cloud.most_in_flight.values()) == {1}
        assert 429 not in {request.status for request in self.cloud.requests}

    async def end(self) -> None:
        """Unload all."""
        self.keeps_the_limit()
        for entry in self.entries:
            await self.hass.config_entries.async_unload(entry.entry_id)
        await asyncio.sleep(10)  # the queue finds that nobody waits any more
