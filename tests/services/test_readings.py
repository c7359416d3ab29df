"""What the action climkit.get_readings answers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import NOW, history_done
from ..ledger import WIRE
from ..simulator import SimulatedSite
from ..tariffs import add_tariff
from .calls import FLAT, by_start, device, read

ROUNDING = 0.0006
HOUR = timedelta(hours=1)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


DAYS = [
    (92, "2026-03-29T00:00:00+01:00", "2026-03-29T23:45:00+02:00"),
    (100, "2025-10-26T00:00:00+02:00", "2025-10-26T23:45:00+01:00"),
    (96, "2026-06-01T00:00:00+02:00", "2026-06-01T23:45:00+02:00"),
]
"""How many quarter hours a day has, its first and its last."""


async def test_a_day_has_all_its_quarter_hours_and_hours(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    subtests: pytest.Subtests,
) -> None:
    """By the clock of the site, of whose change each hour is there, and once."""
    for quarters, first, last in DAYS:
        next_day = str(date.fromisoformat(first[:10]) + timedelta(days=1))
        day = {"start": first[:10], "end": next_day}
        with subtests.test(quarters_of=first):
            answer = await read(hass, loaded, **day, period="quarter_hour")
            _is_that_day(answer, site, quarters, first, last)
        with subtests.test(hours_of=first):
            answer = await read(hass, loaded, **day)
            assert answer["period"] == "hour"
            hours = by_start(answer["readings"]["consumption"])
            assert len(hours) == quarters / 4


def _is_that_day(
    answer: dict[str, Any], site: SimulatedSite, quarters: int, first: str, last: str
) -> None:
    """Compare quarter hours with the model's."""
    begin = datetime.fromisoformat(first)
    end = datetime.fromisoformat(last) + HOUR / 4
    assert (answer["start"], answer["end"]) == (begin.isoformat(), end.isoformat())
    model = site.model("electricity", "15T", begin, end)
    for kind in ("consumption", "grid_import", "production", "self_consumption"):
        series = answer["readings"][kind]
        intervals = series["intervals"]
        assert len(intervals) == quarters
        assert [intervals[0]["start"], intervals[-1]["start"]] == [first, last]
        expected = model[WIRE[kind]]
        assert by_start(series) == pytest.approx(expected, abs=ROUNDING)
        assert series["total"] == pytest.approx(sum(expected.values()), abs=0.05)
        assert series["unit"] == "kWh"


async def test_times_with_an_offset_are_taken_as_such(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """As `today_at` and `now` write them in templates."""
    here = await read(hass, loaded, start="2026-06-01 10:00", end="2026-06-01 12:00")
    assert len(by_start(here["readings"]["consumption"])) == 2
    for start, end in (
        ("2026-06-01T10:00:00+02:00", "2026-06-01T12:00:00+02:00"),
        ("2026-06-01T08:00:00Z", "2026-06-01T10:00:00Z"),
        ("2026-05-31 22:00:00-10:00", "2026-06-01 00:00:00-10:00"),
    ):
        assert await read(hass, loaded, start=start, end=end) == here


LATEST: list[tuple[str, str | None, list[str]]] = [
    ("quarter_hour", "2026-06-02 00:30", ["2026-06-02T00:00", "2026-06-02T00:15"]),
    ("hour", "2026-06-02 02:00", ["2026-06-02T00:00", "2026-06-02T01:00"]),
    ("day", "2026-06-02 00:00", ["2026-06-01T00:00"]),
    ("day", None, ["2026-06-16T00:00"]),
    ("month", None, ["2026-06-01T00:00"]),
    ("month", "2026-06-01 00:00", ["2026-05-01T00:00"]),
    ("year", None, ["2026-01-01T00:00"]),
    ("year", "2026-01-01 00:00", ["2025-01-01T00:00"]),
]


async def test_without_a_start_it_is_the_day_month_or_year(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """That in which the period ends, and of which there is an interval to return."""
    for period, end, starts in LATEST:
        with subtests.test(period=period, end=end):
            data = {"end": end} if end else {}
            answer = await read(hass, loaded, period=period, **data)
            intervals = answer["readings"]["consumption"]["intervals"]
            assert [interval["start"][:16] for interval in intervals] == starts


async def test_a_meter_of_heat_or_water(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    subtests: pytest.Subtests,
) -> None:
    days = {"start": "2026-06-01", "end": "2026-06-08", "period": "day"}
    begin = datetime(2026, 5, 31, 22, tzinfo=UTC)
    for name, medium, unit in (
        (f"{FLAT} Chauffage", "heating", "kWh"),
        (f"{FLAT} Eau froide", "cold_water", "m³"),
    ):
        meter = site.meter(name).id
        with subtests.test(medium):
            id_ = device(hass, loaded, meter).id
            answer = await read(hass, loaded, meter=id_, **days)
            assert [*answer["readings"]] == ["consumption"]
            series = answer["readings"]["consumption"]
            assert series["unit"] == unit
            model = site.model(medium, "D", begin, begin + timedelta(days=7))
            expected = model[f"total_{meter}"]
            assert by_start(series) == pytest.approx(expected, abs=ROUNDING)
            assert len(series["intervals"]) == 7


async def test_a_meter_of_electricity_and_the_site(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """A meter by its device or its id; the site by its device or without one."""
    flat = site.meter(FLAT).id
    answer = await read(hass, loaded, meter=device(hass, loaded, flat).id)
    assert [*answer["readings"]] == [
        "consumption",
        "solar_consumption",
        "grid_consumption",
    ]
    assert await read(hass, loaded, meter=flat) == answer
    whole = await read(hass, loaded, meter=device(hass, loaded, site.id).id)
    assert {"production", "grid_export", "cold_water"} <= whole["readings"].keys()
    assert await read(hass, loaded) == whole


async def test_nothing_is_known_of_the_future(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """And nothing is not zero."""
    answer = await read(hass, loaded, start="2026-06-20", end="2026-06-21")
    for series in answer["readings"].values():
        assert series["intervals"] == []
        assert series["total"] is None


async def test_costs_are_of_the_same_intervals(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """Whole days, months and years, whatever time of one is asked for."""
    await history_done(loaded)
    add_tariff(hass, loaded, "grid", price=1.0, valid_from="2025-01-01")
    await hass.async_block_till_done(wait_background_tasks=True)
    for period, start, end in (
        ("day", "2026-06-01 10:00", "2026-06-03 12:00"),
        ("month", "2026-03-10 00:00", "2026-05-10 00:00"),
        ("year", "2025-12-01 00:00", "2026-03-01 00:00"),
    ):
        with subtests.test(period=period):
            answer = await read(hass, loaded, start=start, end=end, period=period)
            energy, cost = (
                by_start(answer["readings"][kind])
                for kind in ("grid_import", "grid_import_cost")
            )
            assert energy
            assert cost == pytest.approx(energy, rel=0.01)
