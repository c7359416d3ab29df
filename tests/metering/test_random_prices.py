"""Random tariffs over both changes of the clocks: every order of events, one result.

The model here walks over local wall clocks in lists of 96 quarters, and knows no
cache, no hour and no shortcut.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.climkit.metering.changed_prices import changed_spans
from custom_components.climkit.metering.costs import SITE_COSTS, costs_of_hours
from custom_components.climkit.metering.hours import (
    HOUR,
    QUARTER,
    hour_of,
    hours_between,
)
from custom_components.climkit.metering.statement import statement
from custom_components.climkit.metering.tariff import DAYS, MONTHS, Tariff
from custom_components.climkit.metering.tariffs import Tariffs

from .examples import GRID, ZURICH, Archive, tariff, tariffs, utc

SPANS = [utc("2026-03-28 00:00"), utc("2026-10-24 00:00")]
"""Three days each, in the middle of which the clocks change."""
LENGTH = timedelta(days=3)

PRICES = st.integers(-50, 400).map(lambda tenth: tenth / 1000)
CLOCKS = st.integers(0, 95)
ZONES = st.tuples(
    PRICES,
    CLOCKS,
    CLOCKS,
    st.lists(st.sampled_from(DAYS), unique=True, max_size=4),
    st.lists(st.sampled_from(["mar", "apr", "oct"]), unique=True, max_size=2),
)
VERSIONS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["fixed", "times", "times", "entity"]),
        "day": st.integers(-1, 3),
        "price": PRICES,
        "zones": st.lists(ZONES, max_size=4),
        "meters": st.sampled_from([[], [], ["flat"], ["flat", "other"]]),
        "workday": st.sampled_from([None, "binary_sensor.workday"]),
    }
)
BOOKS = st.lists(
    VERSIONS, max_size=5, unique_by=lambda each: (each["day"], str(each["meters"]))
)
AMOUNTS = st.integers(-500, 3000).map(lambda wh: wh / 1000)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("energy"),
            st.tuples(st.integers(0, 287), st.lists(AMOUNTS, min_size=1, max_size=40)),
        ),
        st.tuples(
            st.just("archive"),
            st.tuples(st.integers(0, 287), st.lists(PRICES, min_size=1, max_size=200)),
        ),
        st.tuples(st.just("tariffs"), BOOKS),
        st.tuples(st.just("day off"), st.integers(0, 3)),
    ),
    min_size=2,
    max_size=12,
)


def clock(quarter: int) -> str:
    """Return the time of a day's quarter."""
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


def version(data: dict[str, Any], first: date) -> Tariff:
    """Return the version of a draw; its zones' times are numbers of quarters."""
    zones = [
        {"price": price, "from": clock(start), "to": clock(end)}
        | {"days": days, "months": months}
        for price, start, end, days, months in data["zones"]
    ]
    return tariff(
        pricing=data["kind"],
        valid_from=first + timedelta(days=data["day"]),
        price=data["price"],
        zones=zones,
        meters=data["meters"],
        workday=data["workday"],
        entity_id="sensor.price",
    )


def quarters_of_zone(start: int, end: int) -> set[int]:
    """Return the quarters of a day that a zone has, going on from its start."""
    length = (end - start) % 96 or 96
    return {(start + i) % 96 for i in range(length)}


@dataclass
class World:
    """All that is known, and the rows that were written of it so far."""

    start: datetime
    draws: list[dict[str, Any]] = field(default_factory=list)
    days_off: dict[date, bool] = field(default_factory=dict)
    archive: Archive = field(default_factory=Archive)
    energy: dict[datetime, float] = field(default_factory=dict)
    rows: dict[datetime, float] = field(default_factory=dict)

    @property
    def first(self) -> date:
        """Return the first local day."""
        return self.start.astimezone(ZURICH).date()

    def tariffs(self) -> Tariffs:
        """Return the tariffs as they are now."""
        return tariffs(
            *(version(draw, self.first) for draw in self.draws),
            archive=self.archive,
            days_off={"binary_sensor.workday": dict(self.days_off)},
        )

    def price(self, start: datetime, meter: str | None) -> float | None:
        """Return what a quarter costs, by the model."""
        wall = start.astimezone(ZURICH)
        day = (wall.date() - self.first).days
        valid = [draw for draw in self.draws if draw["day"] <= day]
        own = [draw for draw in valid if meter and meter in draw["meters"]]
        candidates = own or [draw for draw in valid if not draw["meters"]]
        if not candidates:
            return None
        newest = max(candidates, key=lambda draw: (draw["day"], -len(draw["meters"])))
        if newest["kind"] == "entity":
            return self.archive.prices.get(start)
        price: float = newest["price"]
        off = newest["workday"] and self.days_off.get(wall.date())
        weekday = "sun" if off else DAYS[wall.weekday()]
        for each, begin, end, days, months in newest["zones"]:
            if (
                newest["kind"] == "times"
                and wall.hour * 4 + wall.minute // 15 in quarters_of_zone(begin, end)
                and (not days or weekday in days)
                and (not months or MONTHS[wall.month - 1] in months)
            ):
                price = each
        return price

    def book(self, hours: Iterable[datetime]) -> None:
        """Write the rows of hours anew, as whoever writes the statistics does."""
        energies = {hour: self.hour(hour) for hour in hours if self.parts(hour)}
        for hour in energies:
            self.rows.pop(hour, None)
        prices_of = self.tariffs().timeline(GRID, "flat").hour_prices
        self.rows |= costs_of_hours(energies, self.energy, prices_of)

    def parts(self, hour: datetime) -> list[float]:
        """Return the quarters of an hour that are known."""
        starts = (hour + i * QUARTER for i in range(4))
        return [self.energy[start] for start in starts if start in self.energy]

    def hour(self, hour: datetime) -> float:
        """Return what an hour has so far: of an hour that is not whole, its parts."""
        return sum(self.parts(hour))

    def hours(self) -> list[datetime]:
        """Return all hours."""
        return [self.start + i * HOUR for i in range(LENGTH // HOUR)]

    def step(self, kind: str, data: Any) -> None:
        """Let something happen, and book what it changes, no more."""
        old = self.tariffs()
        if kind in ("energy", "archive"):
            begin, values = data
            came = {
                self.start + i * QUARTER: value
                for i, value in enumerate(values, begin)
                if i < 288
            }
            (self.energy if kind == "energy" else self.archive.prices).update(came)
            self.book({hour_of(start) for start in came})
            return
        if kind == "tariffs":
            self.draws = data
        else:
            self.days_off[self.first + timedelta(days=data)] = True
        new = self.tariffs()
        lines = old.timeline(GRID, "flat"), new.timeline(GRID, "flat")
        spans = changed_spans([lines], self.start, self.start + LENGTH)
        self.book(hour for span in spans for hour in hours_between(*span))


@settings(max_examples=300, deadline=None)
@given(start=st.sampled_from(SPANS), steps=STEPS)
def test_any_order_of_late_revised_missing_repriced(
    start: datetime, steps: list[tuple[str, Any]]
) -> None:
    """Each row is its quarters' energies at their prices, whenever what came."""
    world = World(start)
    for kind, data in steps:
        world.step(kind, data)
    model = {}
    for hour in world.hours():
        starts = [hour + i * QUARTER for i in range(4)]
        prices = [world.price(each, "flat") for each in starts]
        if world.parts(hour) and None not in prices:
            known = [each for each in starts if each in world.energy]
            model[hour] = sum(
                world.energy[each] * (world.price(each, "flat") or 0) for each in known
            )
    assert world.rows.keys() == model.keys()
    for hour, cost in model.items():
        assert world.rows[hour] == pytest.approx(cost, abs=1e-6)


@settings(max_examples=200, deadline=None)
@given(start=st.sampled_from(SPANS), draws=BOOKS, off=st.sets(st.integers(0, 3)))
@pytest.mark.parametrize("meter", [None, "flat", "other", "third"])
def test_every_quarter_has_the_models_price(
    meter: str | None, start: datetime, draws: list[dict[str, Any]], off: set[int]
) -> None:
    """By itself and as one of its hour's, remembered or not."""
    world = World(start, draws)
    world.archive.prices = {start + i * QUARTER: i / 1000 for i in range(200)}
    world.days_off = dict.fromkeys((world.first + timedelta(days=i) for i in off), True)
    site = world.tariffs()
    for hour in world.hours():
        starts = [hour + i * QUARTER for i in range(4)]
        prices = tuple(world.price(each, meter) for each in starts)
        assert site.timeline(GRID, meter).hour_prices(hour).quarters == prices
        assert tuple(site.price_at(GRID, meter, each) for each in starts) == prices


@settings(max_examples=100, deadline=None)
@given(
    start=st.sampled_from(SPANS),
    draws=BOOKS,
    amounts=st.lists(AMOUNTS, min_size=288, max_size=288),
    known=st.sets(st.integers(0, 287)),
)
def test_a_statement_is_the_sum_of_its_rows(
    start: datetime,
    draws: list[dict[str, Any]],
    amounts: list[float],
    known: set[int],
) -> None:
    """Amounts add up to the energy that has prices, and costs to the rows."""
    world = World(start, draws)
    site = world.tariffs()
    world.energy = {start + i * QUARTER: amount for i, amount in enumerate(amounts)}
    energies = {hour: world.hour(hour) for hour in world.hours()}
    quarters = {start + i * QUARTER: amounts[i] for i in known}
    rows = costs_of_hours(energies, quarters, site.timeline(GRID, None).hour_prices)
    bill = statement(
        SITE_COSTS,
        {"grid_import": energies},
        {"grid_import": quarters},
        site,
        None,
        start=start,
        end=start + LENGTH,
    )
    assert bill.total == pytest.approx(sum(rows.values()), abs=1e-6)
    assert sum(item.amount for item in bill.items) == pytest.approx(
        sum(energies[hour] for hour in rows), abs=1e-6
    )
    assert bill.unpriced_hours == sum(
        1 for hour, energy in energies.items() if energy and hour not in rows
    )
