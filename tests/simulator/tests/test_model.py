"""The physical model: identities, windows, time, and when it shows."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isclose
from zoneinfo import ZoneInfo

import pytest

from tests.simulator import Publication, SimulatedSite, sites

ZURICH = ZoneInfo("Europe/Zurich")
START = datetime(2026, 5, 4, 22, tzinfo=UTC)
"""Midnight of Tuesday 2026-05-05 in Zurich."""
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)

type Series = Mapping[str, dict[datetime, float]]


def _dusty() -> SimulatedSite:
    site = sites.community()
    site.night_dust = 0.04
    return site


ALL_SITES = {
    "community": sites.community,
    "battery": sites.with_battery,
    "no_pv": sites.no_pv,
    "rules": sites.with_rules,
    "showcase": sites.showcase,
    "large": lambda: sites.large(8),
    "charge_points": lambda: sites.community(charge_points=2),
    "dust": _dusty,
}


def total(series: Series, name: str) -> float:
    return sum(series[name].values())


@pytest.mark.parametrize("make", ALL_SITES.values(), ids=ALL_SITES.keys())
@pytest.mark.parametrize("resolution", ["15T", "D"])
def test_every_row_balances(make: Callable[[], SimulatedSite], resolution: str) -> None:
    site = make()
    rows = site.model("electricity", resolution, START, START + 3 * DAY)
    plants = {f"total_{m.id}" for m in site.meters if m.mode == "production"}
    consumers = [n for n in rows if n.startswith("total_") and n not in plants]
    for start, conso in rows["conso_total"].items():
        row = {name: values[start] for name, values in rows.items()}
        own = row["self"]
        given = row["storage_discharging_total"] - row["storage_charging_total"]
        same = [
            (conso, sum(row[name] for name in consumers)),
            (conso, row["from_ext"] + own),
            (own, row["prod_total"] - row["to_ext"] + given),
            (row["prod_total"], sum(row[name] for name in plants)),
        ]
        for name in consumers:
            meter = name.removeprefix("total_")
            same.append((row[name], row[f"self_{meter}"] + row[f"ext_{meter}"]))
            if resolution == "15T":
                solar = max(own, 0.0) * row[name] / conso
                same.append((row[f"self_{meter}"], solar))
        assert all(isclose(a, b, abs_tol=1e-9) for a, b in same), start


def test_plants_of_coarse_meters_count_below_zero_at_night() -> None:
    rows = _dusty().model("electricity", "15T", START, START + DAY)
    negative = [start for start, value in rows["prod_total"].items() if value < 0]
    assert 10 < len(negative) < 50
    assert all(rows["self"][start] == rows["prod_total"][start] for start in negative)


@pytest.mark.parametrize("kind", ["electricity", "heating", "cold_water"])
def test_a_window_shows_the_same_whatever_surrounds_it(kind: str) -> None:
    site = sites.community(heat=True, water=True)
    site.outage(START + HOUR, START + 5 * HOUR, START + DAY)
    whole = site.model(kind, "15T", START - 9 * DAY, START + 40 * DAY)
    begin, end = START + timedelta(hours=3, minutes=15), START + 2 * DAY
    part = site.model(kind, "15T", begin, end)
    for name, values in part.items():
        assert len(values) == (end - begin) / QUARTER
        assert values == {start: whole[name][start] for start in values}


def test_a_battery_shows_the_same_whatever_surrounds_it() -> None:
    site = sites.with_battery()
    whole = site.model("electricity", "15T", START - 3 * DAY, START + 3 * DAY)
    part = site.model("electricity", "15T", START + 5 * HOUR, START + 21 * HOUR)
    for name, values in part.items():
        assert values == {start: whole[name][start] for start in values}
    charged = total(whole, "storage_charging_total")
    assert 0.9 * charged < total(whole, "storage_discharging_total") < charged


def test_the_seed_decides_everything() -> None:
    window = ("electricity", "15T", START, START + DAY)
    first = sites.community().model(*window)
    assert first == sites.community().model(*window)
    other = sites.community(seed=99).model(*window)
    assert first.keys() == other.keys()
    assert first["conso_total"] != other["conso_total"]


@pytest.mark.parametrize("resolution", ["H", "D", "M", "Y"])
def test_periods_are_sums_of_quarters_from_local_starts(resolution: str) -> None:
    site = sites.with_battery()
    start, end = datetime(2025, 11, 3, 4, 30, tzinfo=UTC), START
    quarters = site.model("electricity", "15T", start, end)["conso_total"]
    expected: dict[datetime, float] = {}
    for quarter, value in quarters.items():
        local = quarter.astimezone(ZURICH).replace(minute=0)
        if resolution != "H":
            local = local.replace(hour=0, fold=0)
        if resolution in "MY":
            local = local.replace(day=1, month=1 if resolution == "Y" else local.month)
        period = local.astimezone(UTC)
        expected[period] = expected.get(period, 0.0) + value
    for _ in range(2):  # whole months come from memory the second time
        found = site.model("electricity", resolution, start, end)["conso_total"]
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)]
)
def test_days_of_changing_clocks(day: str, hours: int) -> None:
    site = sites.community()
    start = datetime.fromisoformat(day).replace(tzinfo=ZURICH)
    end = start + DAY  # the same time of the next day
    hourly = site.model("electricity", "H", start, end)["conso_total"]
    assert len(hourly) == hours
    assert all(later - earlier == HOUR for earlier, later in pairwise(hourly))
    daily = site.model("electricity", "D", start, end)["conso_total"]
    assert daily == {start: pytest.approx(sum(hourly.values()))}


def test_figures_are_those_of_a_real_building() -> None:
    site = sites.community(heat=True, water=True)
    start = datetime(2024, 1, 1, tzinfo=ZURICH)
    end = datetime(2025, 1, 1, tzinfo=ZURICH)
    rows = site.model("electricity", "M", start, end)
    for meter in site.meters:
        if (meter.name or "").startswith("Appartement") and meter.type == "electricity":
            assert all(150 < v < 310 for v in rows[f"total_{meter.id}"].values())
    assert 28_000 < total(rows, "prod_total") < 33_000
    assert total(rows, "self") < 0.45 * total(rows, "prod_total")
    pump = list(rows[f"total_{site.meter('Pompe à chaleur').id}"].values())
    assert pump[0] > 5 * pump[6]
    sun = list(rows["prod_total"].values())
    assert sun[6] > 3 * sun[11]
    heat = list(site.model("heating", "M", start, end)["conso_total"].values())
    assert heat[0] > 20 * heat[6]
    water = site.model("cold_water", "Y", start, end)["conso_total"]
    assert 150 < sum(water.values()) < 400


@pytest.mark.parametrize(
    ("minutes", "newest_end"),
    [(16, "09:45"), (17, "10:00"), (31, "10:00"), (32, "10:15")],
)
def test_quarters_show_after_the_delay(minutes: int, newest_end: str) -> None:
    at = datetime(2026, 6, 16, 10, minutes, tzinfo=UTC)
    rows = sites.community().model("electricity", "15T", at - DAY, at + DAY, at)
    newest = max(rows["conso_total"]) + QUARTER
    assert newest.strftime("%H:%M") == newest_end


@pytest.mark.parametrize(("time", "days"), [("06:09", 2), ("06:10", 1)])
def test_heat_shows_once_a_day(time: str, days: int) -> None:
    site = sites.community(heat=True)
    at = datetime.fromisoformat(f"2026-06-16 {time}").replace(tzinfo=ZURICH)
    newest = max(site.model("heating", "15T", at - 5 * DAY, at, at)["conso_total"])
    midnight = at.replace(hour=0, minute=0) - (days - 1) * DAY
    assert newest + QUARTER == midnight


def test_publication_may_jitter() -> None:
    site = sites.community()
    site.publication[""] = Publication(jitter=timedelta(minutes=8))
    delays = set()
    for minute in range(240):
        at = START + timedelta(minutes=minute)
        newest = site.horizon("electricity", at) * 900
        delays.add(at.timestamp() - newest)
    assert min(delays) >= 17 * 60
    assert max(delays) > 34 * 60


def test_meters_that_are_read_once_a_day_know_no_hours() -> None:
    site = sites.heat_only()
    start = datetime(2026, 3, 28, tzinfo=ZURICH)
    end = start + 3 * DAY
    daily = site.model("heating", "D", start, end)
    for meter in site.meters:
        meter.daily = True
    quarters = site.model("heating", "15T", start, end)
    assert site.model("heating", "D", start, end) == {
        name: pytest.approx(values) for name, values in daily.items()
    }
    values = list(quarters["conso_total"].values())
    assert len(values) == 96 + 92 + 96
    assert [len(set(values[:96])), len(set(values[96:188]))] == [1, 1]


def test_a_rule_meter_is_what_is_left() -> None:
    site = sites.with_rules()
    rows = site.model("electricity", "15T", START, START + DAY)
    general = site.meter("Compteur général")
    assert f"total_{general.id}" not in rows
    rest = site.meter("Parties communes")
    assert rest.is_rule_meter
    alone = sites.with_rules()
    alone.meter(general.id).behind = ()
    alone.meter(general.id).has_column = True
    own = alone.model("electricity", "15T", START, START + DAY)
    assert rows[f"total_{rest.id}"] == pytest.approx(own[f"total_{general.id}"])
    assert min(rows[f"total_{rest.id}"].values()) >= 0
