"""The demo, from the outside: a real Home Assistant, in processes of its own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.home import PASSWORD, USERNAME, Home, run_flow
from tests.home.__main__ import DASHBOARD, choice_of_meters
from tests.home.cloud import Cloud
from tests.home.patience import Patience
from tests.home.progress import Progress
from tests.home.tariffs import add_tariffs
from tests.journey import ZURICH, midnight
from tests.simulator import SimulatedSite, sites
from tests.simulator.tariffs import price_of, tariffs_of

COLUMNS = {
    "battery_charge": "storage_charging_total",
    "battery_discharge": "storage_discharging_total",
    "consumption": "conso_total",
    "grid_export": "to_ext",
    "grid_import": "from_ext",
    "production": "prod_total",
    "self_consumption": "self",
}
PRICED = {
    "grid_import_cost": ("electricity", "from_ext", "grid"),
    "grid_export_compensation": ("electricity", "to_ext", "feed_in"),
    "self_consumption_value": ("electricity", "self", "solar"),
    "cold_water_cost": ("cold_water", "conso_total", "cold_water"),
    "hot_water_cost": ("hot_water", "conso_total", "hot_water"),
}
"""By the statistic: what is priced, and by which price."""


TODAY: Final = datetime.now(ZURICH).date()


@dataclass(frozen=True, kw_only=True)
class Past:
    """What lies behind the site: None for what the demo itself has."""

    first_day: date | None = None
    changed: date | None = None
    """The day from which on the present prices are valid; in the demo a 1 January."""
    least: float
    """In CHF: what each of the costs comes to at least, with all of it."""

    @property
    def site(self) -> SimulatedSite:
        """Return the site, with the truth about it."""
        if self.first_day is None:
            return sites.showcase()
        return sites.showcase(created=midnight(self.first_day).astimezone(UTC))

    @property
    def option(self) -> list[str]:
        """Return what tells the cloud about it."""
        return [f"--created={self.first_day}"] if self.first_day else []


@pytest.fixture(
    params=[
        pytest.param(
            Past(
                first_day=TODAY - timedelta(days=70),
                changed=TODAY - timedelta(days=35),
                least=5,  # what little is fed in in winter
            ),
            id="weeks",
        ),
        pytest.param(Past(least=100), marks=pytest.mark.weekly, id="years"),
    ]
)
def past(request: pytest.FixtureRequest) -> Past:
    """Return how much history there is: what there is of each hour is the same."""
    found: Past = request.param
    return found


@pytest.fixture
async def home(past: Past, tmp_path: Path, socket_enabled: None) -> AsyncIterator[Home]:
    """Run a simulated cloud and a home to which Climkit was added by its dialog."""
    async with Cloud(tmp_path / "simulator.log", *past.option) as cloud:
        environment = {"CLIMKIT_API_URL": cloud.url}
        async with Home(tmp_path / "home", environment=environment) as home:
            answers = {
                "username": USERNAME,
                "password": PASSWORD,
                "meters": choice_of_meters(),
            }
            await run_flow(home.client, "climkit", answers)
            await add_tariffs(home, [past.site], changed=past.changed)
            yield home


async def all_known(home: Home) -> set[str]:
    """Return the entities of Climkit once each of them has a value."""
    patience = Patience()
    while True:
        states = await home.client.states("climkit")
        values = {
            name: state["state"]
            for name, state in states.items()
            # A share of what the sun has brought today is unknown until it is up.
            if not name.endswith("_self_consumption_rate")
        }
        if states and not {*values.values()} & {"unknown", "unavailable"}:
            return set(states)
        patience.see(values)
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
async def test_statistics_are_the_model_and_a_restart_goes_on(
    home: Home, past: Past
) -> None:
    site = past.site
    entities = await all_known(home)
    assert (await Progress.of(home)).dashboard == DASHBOARD
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

    await check_costs(home, site, past)
    await check_money_in_the_dashboard(home, site)

    await home.restart()
    assert await all_known(home) == entities
    await check_money_in_the_dashboard(home, site)


async def check_costs(home: Home, site: SimulatedSite, past: Past) -> None:
    """Find each hour of the whole history priced as on paper, old prices and new."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    end -= timedelta(days=7)
    tariffs = tariffs_of(site, changed=past.changed)
    changed = max(tariff.valid_from for tariff in tariffs)
    assert {tariff.valid_from < changed for tariff in tariffs} == {True, False}
    rows = await home.client.command(
        "recorder/statistics_during_period",
        start_time=site.created.isoformat(),
        end_time=end.isoformat(),
        statistic_ids=[f"climkit:{site.id}_{cost}" for cost in PRICED],
        period="hour",
        types=["change"],
    )
    for cost, (medium, column, component) in PRICED.items():
        model = site.model(medium, "H", site.created, end, columns=[column])[column]
        expected = {
            hour: energy * price_of(tariffs, component, hour, site.time_zone)
            for hour, energy in model.items()
        }
        shown = {
            datetime.fromtimestamp(row["start"] / 1000, UTC): row["change"]
            for row in rows[f"climkit:{site.id}_{cost}"]
        }
        assert sum(expected.values()) > past.least, cost
        dearest = max(
            max(tariff.prices) for tariff in tariffs if tariff.component == component
        )
        # Energies are made of four quarters that are rounded to 0.001, or of one hour.
        assert shown == pytest.approx(expected, abs=0.0026 * dearest), cost
        assert sum(shown.values()) == pytest.approx(sum(expected.values()), rel=1e-3)


async def check_money_in_the_dashboard(home: Home, site: SimulatedSite) -> None:
    """Find the cost of grid, export and water there, and nothing to complain of."""
    preferences = await home.client.command("energy/get_prefs")
    named = {
        row[key]
        for row in preferences["energy_sources"]
        for key in ("stat_cost", "stat_compensation")
        if row.get(key)
    }
    assert named == {
        f"climkit:{site.id}_{cost}"
        for cost in PRICED
        if cost != "self_consumption_value"  # has no place there
    }
    complaints = await home.client.command("energy/validate")
    assert not any(issues for kind in complaints.values() for issues in kind)


def test_the_simulated_bills_are_as_on_paper() -> None:
    """Two prices every day, of which the first of January begins new ones."""
    january = TODAY.year
    tariffs = tariffs_of(sites.showcase())
    for moment, price in (
        (datetime(january - 1, 12, 31, 22, tzinfo=ZURICH), 0.3065),
        (datetime(january - 1, 12, 31, 23, tzinfo=ZURICH), 0.1972),
        (datetime(january, 1, 1, 6, tzinfo=ZURICH), 0.1834),
        (datetime(january, 1, 1, 7, tzinfo=ZURICH), 0.2921),
        (datetime(january, 1, 1, 12, tzinfo=ZURICH), 0.1834),
        (datetime(january, 1, 1, 17, tzinfo=ZURICH), 0.2921),
    ):
        assert price_of(tariffs, "grid", moment, "Europe/Zurich") == price
