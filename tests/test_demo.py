"""The demo, from the outside: a real Home Assistant, in processes of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.home import PASSWORD, USERNAME, Home, run_flow
from tests.home.__main__ import choice_of_meters
from tests.home.cloud import Cloud
from tests.home.progress import HistoryProgress
from tests.simulator import sites

COLUMNS = {
    "battery_charge": "storage_charging_total",
    "battery_discharge": "storage_discharging_total",
    "consumption": "conso_total",
    "grid_export": "to_ext",
    "grid_import": "from_ext",
    "production": "prod_total",
    "self_consumption": "self",
}
DASHBOARD = {
    "grid": 1,
    "solar": 1,
    "battery": 1,
    "water": 2,  # cold and hot
    "devices": 7,  # three flats, common parts, heat pump, two charge points
    "water devices": 6,  # cold and hot of three flats
}
PATIENCE = 90
"""Seconds in which a home starts, or a history of two or three years comes in."""


@pytest.fixture
async def home(tmp_path: Path, socket_enabled: None) -> AsyncIterator[Home]:
    """Run a simulated cloud and a home to which Climkit was added by its dialog."""
    async with Cloud(tmp_path / "simulator.log") as cloud:
        environment = {"CLIMKIT_API_URL": cloud.url}
        async with Home(tmp_path / "home", environment=environment) as home:
            answers = {
                "username": USERNAME,
                "password": PASSWORD,
                "meters": choice_of_meters(),
            }
            await run_flow(home.client, "climkit", answers)
            yield home


async def all_known(home: Home) -> set[str]:
    """Return the entities of Climkit once each of them has a value."""
    async with asyncio.timeout(PATIENCE):
        while True:
            states = await home.client.states("climkit")
            values = {state["state"] for state in states.values()}
            if states and not values & {"unknown", "unavailable"}:
                return set(states)
            await asyncio.sleep(1)


async def newest_hour_is_there(home: Home, statistic_id: str) -> None:
    """Check that the last hour is written that the cloud has published as a whole."""
    published = datetime.now(UTC) - timedelta(minutes=17 + 15)
    newest = published.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    rows = await home.client.command(
        "recorder/statistics_during_period",
        start_time=(newest - timedelta(hours=3)).isoformat(),
        statistic_ids=[statistic_id],
        period="hour",
        types=["change"],
    )
    starts = [row["start"] / 1000 for row in rows[statistic_id]]
    assert starts[-1] >= newest.timestamp()


@pytest.mark.slow
async def test_statistics_are_the_model_and_a_restart_goes_on(home: Home) -> None:
    site = sites.showcase()
    entities = await all_known(home)
    assert (await HistoryProgress.of(home)).dashboard == DASHBOARD
    await newest_hour_is_there(home, f"climkit:{site.id}_grid_import")

    listed = await home.client.command("recorder/list_statistic_ids")
    ids = {row["statistic_id"] for row in listed}
    assert {f"climkit:{site.id}_{flow}" for flow in COLUMNS} <= ids

    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    end -= timedelta(days=7)  # whatever came late is there by then
    start = end - timedelta(
        days=60
    )  # with the change of the clock, in spring and autumn
    rows = await home.client.command(
        "recorder/statistics_during_period",
        start_time=start.isoformat(),
        end_time=end.isoformat(),
        statistic_ids=[f"climkit:{site.id}_{flow}" for flow in COLUMNS],
        period="hour",
        types=["change"],
    )
    model = site.model("electricity", "H", start, end, datetime.now(UTC))
    for flow, column in COLUMNS.items():
        shown = {
            datetime.fromtimestamp(row["start"] / 1000, UTC): row["change"]
            for row in rows[f"climkit:{site.id}_{flow}"]
        }
        assert shown == pytest.approx(model[column], abs=0.002), flow

    async with asyncio.timeout(PATIENCE):
        await home.restart()
    assert await all_known(home) == entities
