"""What the action climkit.get_readings answers."""

from datetime import UTC, date, datetime, timedelta

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


@pytest.mark.parametrize(
    ("day", "quarters", "first", "last"),
    [
        ("2026-03-29", 92, "2026-03-29T00:00:00+01:00", "2026-03-29T23:45:00+02:00"),
        ("2025-10-26", 100, "2025-10-26T00:00:00+02:00", "2025-10-26T23:45:00+01:00"),
        ("2026-06-01", 96, "2026-06-01T00:00:00+02:00", "2026-06-01T23:45:00+02:00"),
    ],
)
async def test_a_day_has_all_its_quarter_hours(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    day: str,
    quarters: int,
    first: str,
    last: str,
) -> None:
    """By the clock of the site, of whose change each hour is there, and once."""
    next_day = str(date.fromisoformat(day) + timedelta(days=1))
    answer = await read(hass, loaded, start=day, end=next_day, period="quarter_hour")
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


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2025-10-26", 25), ("2026-06-01", 24)]
)
async def test_a_day_has_all_its_hours(
    hass: HomeAssistant, loaded: MockConfigEntry, day: str, hours: int
) -> None:
    next_day = str(date.fromisoformat(day) + timedelta(days=1))
    answer = await read(hass, loaded, start=day, end=next_day)
    assert answer["period"] == "hour"
    assert len(by_start(answer["readings"]["consumption"])) == hours


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


@pytest.mark.parametrize(
    ("period", "end", "starts"),
    [
        ("quarter_hour", "2026-06-02 00:30", ["2026-06-02T00:00", "2026-06-02T00:15"]),
        ("hour", "2026-06-02 02:00", ["2026-06-02T00:00", "2026-06-02T01:00"]),
        ("day", "2026-06-02 00:00", ["2026-06-01T00:00"]),
        ("day", None, ["2026-06-16T00:00"]),
        ("month", None, ["2026-06-01T00:00"]),
        ("month", "2026-06-01 00:00", ["2026-05-01T00:00"]),
        ("year", None, ["2026-01-01T00:00"]),
        ("year", "2026-01-01 00:00", ["2025-01-01T00:00"]),
    ],
)
async def test_without_a_start_it_is_the_day_month_or_year(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    period: str,
    end: str | None,
    starts: list[str],
) -> None:
    """That in which the period ends, and of which there is an interval to return."""
    data = {"end": end} if end else {}
    answer = await read(hass, loaded, period=period, **data)
    intervals = answer["readings"]["consumption"]["intervals"]
    assert [interval["start"][:16] for interval in intervals] == starts


@pytest.mark.parametrize(
    ("name", "medium", "unit"),
    [
        (f"{FLAT} Chauffage", "heating", "kWh"),
        (f"{FLAT} Eau froide", "cold_water", "m³"),
    ],
)
async def test_a_meter_of_heat_or_water(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    site: SimulatedSite,
    name: str,
    medium: str,
    unit: str,
) -> None:
    meter = site.meter(name).id
    days = {"start": "2026-06-01", "end": "2026-06-08", "period": "day"}
    answer = await read(hass, loaded, meter=device(hass, loaded, meter).id, **days)
    assert [*answer["readings"]] == ["consumption"]
    series = answer["readings"]["consumption"]
    assert series["unit"] == unit
    begin = datetime(2026, 5, 31, 22, tzinfo=UTC)
    model = site.model(medium, "D", begin, begin + timedelta(days=7))
    assert by_start(series) == pytest.approx(model[f"total_{meter}"], abs=ROUNDING)
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


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("day", "2026-06-01 10:00", "2026-06-03 12:00"),
        ("month", "2026-03-10 00:00", "2026-05-10 00:00"),
        ("year", "2025-12-01 00:00", "2026-03-01 00:00"),
    ],
)
async def test_costs_are_of_the_same_intervals(
    hass: HomeAssistant, loaded: MockConfigEntry, period: str, start: str, end: str
) -> None:
    """Whole days, months and years, whatever time of one is asked for."""
    await history_done(loaded)
    add_tariff(hass, loaded, "grid", price=1.0, valid_from="2025-01-01")
    await hass.async_block_till_done(wait_background_tasks=True)
    answer = await read(hass, loaded, start=start, end=end, period=period)
    energy, cost = (
        by_start(answer["readings"][kind])
        for kind in ("grid_import", "grid_import_cost")
    )
    assert cost == pytest.approx(energy, rel=0.01)
