"""A site's life from set-up to action, and what must be true of it on every cloud.

Nothing of the integration's insides is used: only entries, states, statistics, issues,
flows, lines of the log, and the requests that the cloud saw.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging
from math import ceil
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fast_clock import Sleep
from tests.ledger import HOUR, WIRE, assert_equal, model_hours, rows_of
from tests.simulator import Request, SimulatedSite, Simulator, sites

DOMAIN: Final = "climkit"
ZURICH: Final = ZoneInfo("Europe/Zurich")
DAY: Final = timedelta(days=1)

START: Final = "2026-06-15T22:05:00+00:00"
"""Five past midnight in Zurich: the night's check is to come."""
BEGINNING: Final = datetime(2026, 3, 23, 23, tzinfo=UTC)
"""The first measured hour: a local midnight, 84 days earlier, before summer time, within a month."""
DAYS: Final = 84
FLAT: Final = "Appartement 1.1"
PLANT: Final = "Installation solaire"

DATA: Final = ("site_data", "meter_data")
LATENESS: Final = timedelta(hours=3)
"""Hours that are over for so long must be there: one is given up after six at most."""


def house() -> SimulatedSite:
    """Return a small site: a connection, a plant, two flats."""
    return sites.many(1, created=BEGINNING)[0]


def bound(least: float) -> int:
    """Return how many requests may be made where so many are the least possible."""
    return ceil(least) * 2 + 15


@dataclass
class CloudLife:
    """The life of one entry."""

    hass: HomeAssistant
    cloud: Simulator
    entry: MockConfigEntry
    caplog: pytest.LogCaptureFixture
    sleep: Sleep
    series: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Statistics that are compared, with what the model calls them: (medium, column)."""
    since: datetime = BEGINNING
    """The first hour that the cloud gives."""

    def __post_init__(self) -> None:
        kinds = WIRE.keys() - {"battery_charge", "battery_discharge"}
        for kind in sorted(kinds):
            self.series[f"{self.site.id}_{kind}"] = ("electricity", WIRE[kind])
        self.follow(self.site.meter(FLAT).id)

    @property
    def site(self) -> SimulatedSite:
        """Return the site in the cloud."""
        return self.cloud.sites[0]

    def follow(self, meter_id: str, medium: str = "electricity") -> None:
        """Compare a meter's statistics too."""
        self.series[f"{meter_id}_consumption"] = (medium, f"total_{meter_id}")
        if medium == "electricity":
            self.series[f"{meter_id}_solar_consumption"] = (medium, f"self_{meter_id}")

    async def minutes(self, number: float) -> None:
        """Let time pass."""
        await asyncio.sleep(number * 60)
        with suppress(TimeoutError):  # where one attempt follows the other
            async with asyncio.timeout(30):
                await self.hass.async_block_till_done()

    async def set_up(self) -> None:
        """Add the entry, and let Home Assistant do what it does."""
        self.entry.add_to_hass(self.hass)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.minutes(1)

    async def restart(self) -> None:
        """Begin anew with what is stored."""
        await self.hass.config_entries.async_reload(self.entry.entry_id)
        await self.minutes(1)

    def value(self, key: str) -> str | None:
        """Return the state of a sensor by its unique id."""
        found = er.async_get(self.hass).async_get_entity_id("sensor", DOMAIN, key)
        state = self.hass.states.get(found) if found else None
        return state.state if state else None

    def site_value(self, kind: str) -> str | None:
        """Return the state of one of the site's sensors."""
        return self.value(f"{self.site.id}_{kind}")

    async def imported(self, *, within: timedelta = timedelta(hours=3)) -> None:
        """Wait until the history is in."""
        end = dt_util.utcnow() + within
        while (percent := self.site_value("history_import")) not in ("100", "100.0"):
            if dt_util.utcnow() > end:
                pytest.fail(f"History import says {percent} after {within}")
            await self.minutes(5)

    async def mostly_asleep(self, hours: int) -> None:
        """Let hours pass, of each six of which the machine sleeps five.

        Where what happens at every poll of them is not the subject.
        """
        for _ in range(hours // 6):
            await self._asleep(timedelta(hours=5))
            await self.minutes(60)

    async def _asleep(self, time: timedelta) -> None:
        self.sleep(dt_util.utcnow() + time)
        await asyncio.sleep(1)  # is over when the machine wakes up

    async def night(self, *, after_sleep: bool = False) -> None:
        """Let the next whole night pass: from one to five, and a while.

        The machine may sleep until half past midnight.
        """
        now = dt_util.utcnow().astimezone(ZURICH)
        morning = now.replace(hour=5, minute=40)
        if now.hour >= 1:
            morning += DAY
        if after_sleep:
            await self._asleep(morning - now - timedelta(hours=5, minutes=10))
            now = dt_util.utcnow().astimezone(ZURICH)
        await self.minutes((morning - now) / timedelta(minutes=1))

    async def call(self, action: str, **data: Any) -> Any:
        """Call an action of ours, and return what it returns."""
        data["config_entry_id"] = self.entry.entry_id
        return await self.hass.services.async_call(
            *(DOMAIN, action, data),
            blocking=True,
            return_response=action == "get_readings",
        )

    def revise(self, days_ago: float, *, factor: float = 1.5) -> None:
        """Let the cloud correct half a day."""
        start = (dt_util.utcnow() - days_ago * DAY).replace(
            minute=0, second=0, microsecond=0
        )
        self.site.revise(start, start + DAY / 2, factor=factor)

    @property
    def mark(self) -> int:
        """Return how many requests there were, to look at later ones only."""
        return len(self.cloud.requests)

    def asked(self, mark: int = 0, *samplings: str) -> list[Request]:
        """Return the requests for data since then, of these samplings or any."""
        return [
            request
            for request in self.cloud.requests[mark:]
            if request.endpoint in DATA
            and (
                not samplings
                or (request.json or {}).get("sampling_frequency") in samplings
            )
        ]

    def past(self, mark: int = 0) -> int:
        """Return how many requests since then were for anything but the present."""
        return len(self.asked(mark, "H", "D", "M", "Y"))

    def lines(self, level: int = logging.WARNING) -> list[str]:
        """Return what our log, and Home Assistant's of us, says from this level on."""
        return [
            record.getMessage()
            for record in self.caplog.records
            if record.levelno >= level
            and (
                record.name.startswith("custom_components.climkit")
                or (record.levelno >= logging.ERROR and DOMAIN in record.getMessage())
            )
        ]

    @property
    def issues(self) -> set[str | None]:
        """Return the keys of all issues of ours."""
        return {
            issue.translation_key
            for (domain, _), issue in ir.async_get(self.hass).issues.items()
            if domain == DOMAIN
        }

    @property
    def reauth(self) -> bool:
        """Return whether the user is asked for other credentials."""
        flows = self.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        return any(flow["context"]["source"] == "reauth" for flow in flows)

    async def rows(self, series: str) -> Mapping[datetime, tuple[float, float]]:
        """Return a statistic's rows, the chain of sums being exact."""
        return await rows_of(self.hass, f"{DOMAIN}:{series}")

    async def right(self) -> None:
        """Make sure that every hour that the cloud gives is there, and no other."""
        now = dt_util.utcnow()
        for series, (medium, column) in self.series.items():
            rows = await self.rows(series)
            assert rows, f"nothing of {series}"
            end = max(rows) + HOUR
            assert end >= now - LATENESS, f"{series} ends at {end}"
            model = model_hours(
                *(self.site, column, self.since, end), medium=medium, at=now
            )
            assert_equal(rows, model)
        assert self.entry.state is ConfigEntryState.LOADED
        await self._sensors_are_right(now)

    async def _sensors_are_right(self, now: datetime) -> None:
        """Compare the total with the model, which has it from the first row on."""
        key = f"{self.site.id}_consumption"
        first = min(await self.rows(key))
        truth = self.site.model(
            *("electricity", "15T", first, now), at=now, columns=("conso_total",)
        )
        total = self.value(key)
        assert total not in (None, "unknown", "unavailable")
        assert float(total) == pytest.approx(
            sum(truth["conso_total"].values()), abs=0.3
        )
        power = self.site_value("consumption_power")
        assert power not in (None, "unknown", "unavailable")

    async def readings_are_right(self, days: int = 60, period: str = "hour") -> None:
        """Let the action give the readings of some time, and compare them."""
        end = dt_util.utcnow().replace(minute=0, second=0, microsecond=0) - DAY
        start = max(end - days * DAY, self.since)
        reply = await self.call(
            "get_readings",
            start=start.isoformat(),
            end=end.isoformat(),
            period=period,
        )
        given = {
            datetime.fromisoformat(one["start"]).astimezone(UTC): one["value"]
            for one in reply["readings"]["consumption"]["intervals"]
        }
        sampling = "H" if period == "hour" else "15T"
        model = self.site.model("electricity", sampling, start, end, at=end + DAY)
        assert given == pytest.approx(model["conso_total"], abs=0.0026)


async def whole_life(life: CloudLife, *, least: float, lines: int = 1) -> None:
    """Live from set-up to action on a cloud that needs so many requests at least.

    That is: hourly windows of its length for all that it gives.
    """
    await life.set_up()
    await life.imported()
    assert life.past() <= bound(least + 1), "requests of the import"
    await life.right()
    await life.restart()
    await life.minutes(20)
    for days_ago in (5, 25, 50):
        life.revise(days_ago)
    mark = life.mark
    await life.night()
    await life.right()
    # By the hour: the last 35 days, one old window, three months that differ at most.
    assert life.past(mark) <= bound(least * 2), "requests of a night"
    mark = life.mark
    life.revise(21.5)
    await life.call("import_history")
    await life.right()
    assert life.past(mark) <= bound(least + 1), "requests of the action"
    await life.readings_are_right()
    assert not life.reauth
    assert not life.issues
    said = life.lines()
    assert len(said) <= lines, said
