"""Random lives with tariffs: in the end every cost is what energy and prices say.

Tariffs come, change, change back and go, also in the middle of re-pricing, of an import
and of a restart, while readings are late, revised, missing and doubled.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from tests.conftest import history_done, later
from tests.ledger import hours_of, rows_of
from tests.simulator import Fault, SimulatedSite, Simulator
from tests.simulator.faults import FaultKind

from .pricing import flat, in_halves, started, subentry

pytestmark = pytest.mark.statistics_only

FAULTS: tuple[FaultKind, ...] = ("refuse", "duplicates", "truncated", "nulls")

KINDS: tuple[dict[str, Any], ...] = (
    {"pricing": "fixed", "price": 0.31},
    {"pricing": "fixed", "price": 0.0},
    {"pricing": "fixed", "price": -0.05},
    {
        "pricing": "times",
        "price": 0.20,
        "zones": [{"price": 0.30, "from": "06:30:00", "to": "20:30:00"}],
    },
    {
        "pricing": "times",
        "price": 0.20,
        "zones": [
            {"price": 0.30, "from": "06:30:00", "to": "20:30:00"},
            {"price": 0.10, "from": "12:00:00", "to": "14:00:00"},
        ],
    },
    {
        "pricing": "times",
        "price": 0.25,
        "zones": [{"price": 0.15, "from": "20:15:00", "to": "07:00:00"}],
    },
)


def price_on_paper(kind: int, local: datetime) -> float:
    """Return the price by the clock on the wall."""
    clock = local.hour + local.minute / 60
    match kind:
        case 3:
            return in_halves(local)
        case 4:
            return 0.10 if 12 <= clock < 14 else in_halves(local)
        case 5:
            return 0.15 if clock >= 20.25 or clock < 7 else 0.25
    return float(KINDS[kind]["price"])


class Paper:
    """The tariffs as somebody keeps them on paper, and what follows by the model."""

    def __init__(self, hass: HomeAssistant, site: SimulatedSite) -> None:
        self.hass = hass
        self.site = site
        self.me = flat(site)
        self.days = (dt_util.utcnow() - site.created).days
        """So long is the history when the life begins."""
        self.versions: dict[str, tuple[str, str | None, date, int]] = {}
        """By the subentry's id: component, meter, first day, kind."""

    def price(self, component: str, meter: str | None, local: datetime) -> float | None:
        """Return the newest version's; the meter's own wins over the site's."""
        for owner in dict.fromkeys((meter, None)):
            valid = [
                (first, kind)
                for some, own, first, kind in self.versions.values()
                if (some, own) == (component, owner) and first <= local.date()
            ]
            if valid:
                return price_on_paper(max(valid)[1], local)
        return None

    def costs(
        self, column: str, component: str, meter: str | None
    ) -> dict[datetime, float]:
        """Return what each hour costs that has energy and prices."""
        now = dt_util.utcnow()
        model = self.site.model("electricity", "15T", self.site.created, now, at=now)
        zone = dt_util.get_time_zone("Europe/Zurich")
        costs = {}
        for start, energy in model[column].items():
            price = self.price(component, meter, start.astimezone(zone))
            if price is not None:
                costs[start] = energy * price
        return hours_of(costs)

    async def assert_all(self) -> None:
        """Compare all series of costs with what is on paper."""
        me, id_ = self.me, self.site.id
        expected = {
            f"{id_}_grid_import_cost": self.costs("from_ext", "grid", None),
            f"{id_}_grid_export_compensation": self.costs("to_ext", "feed_in", None),
            f"{id_}_self_consumption_value": self.costs("self", "solar", None),
            f"{me}_grid_consumption_cost": self.costs(f"ext_{me}", "grid", me),
            f"{me}_solar_consumption_cost": self.costs(f"self_{me}", "solar", me),
        }
        for name, costs in expected.items():
            await self._assert_same(name, costs)
        parts = [
            expected[f"{me}_{kind}_consumption_cost"] for kind in ("grid", "solar")
        ]
        energies = [
            await rows_of(self.hass, f"climkit:{me}_{kind}_consumption")
            for kind in ("grid", "solar")
        ]
        both = dict(_sums(parts, energies))
        await self._assert_same(f"{me}_consumption_cost", both, tolerance=0.004)

    async def _assert_same(
        self, name: str, costs: Mapping[datetime, float], tolerance: float = 0.002
    ) -> None:
        rows = await rows_of(self.hass, f"climkit:{name}")
        missing, invented = costs.keys() - rows.keys(), rows.keys() - costs.keys()
        assert not missing, (name, sorted(missing)[:3], len(missing))
        assert not invented, (name, sorted(invented)[:3], len(invented))
        wrong = {
            hour: (rows[hour][0], cost)
            for hour, cost in sorted(costs.items())
            if abs(rows[hour][0] - cost) > tolerance
        }
        assert not wrong, (name, len(wrong), list(wrong.items())[:3])


def _sums(
    parts: list[dict[datetime, float]],
    energies: list[dict[datetime, tuple[float, float]]],
) -> Iterator[tuple[datetime, float]]:
    """Yield what hours cost in sum: without a price only what has no energy."""
    for hour in energies[0].keys() & energies[1].keys():
        priced = [part[hour] for part in parts if hour in part]
        unpriced = [
            energy[hour][0]
            for part, energy in zip(parts, energies, strict=True)
            if hour not in part
        ]
        if priced and not any(unpriced):
            yield hour, sum(priced)


class RandomLife:
    """Lets things happen by chance."""

    def __init__(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        entry: MockConfigEntry,
        paper: Paper,
        random: Random,
    ) -> None:
        self.hass = hass
        self.cloud = cloud
        self.entry = entry
        self.paper = paper
        self.random = random

    async def happen(self) -> None:
        """Let one thing happen, or nothing; what follows from it may still go on."""
        names = ["add", "change", "back", "remove", "revise", "outage"]
        names += ["late", "fault", "restart", "imported", "cleared", "quiet", "quiet"]
        await getattr(self, f"_{self.random.choice(names)}")()

    async def _quiet(self) -> None:
        pass

    async def _add(self) -> None:
        component = self.random.choice(["grid", "grid", "solar", "feed_in"])
        meter = self.paper.me if self.random.random() < 0.3 else None
        if component == "feed_in":
            meter = None
        today = dt_util.now().date()
        ages = [*(part * self.paper.days // 20 for part in (0, 2, 5, 9, 15)), 60]
        first = today - timedelta(days=self.random.choice(ages))
        taken = {version[:3] for version in self.paper.versions.values()}
        if (component, meter, first) in taken:
            return
        kind = self.random.randrange(len(KINDS))
        meters = [meter] if meter else []
        version = subentry(
            component, meters=meters, valid_from=str(first), **KINDS[kind]
        )
        self.hass.config_entries.async_add_subentry(self.entry, version)
        self.paper.versions[version.subentry_id] = component, meter, first, kind

    def _any_version(self) -> str | None:
        known = list(self.paper.versions)
        return self.random.choice(known) if known else None

    def _set(self, id_: str, kind: int) -> None:
        component, meter, first, _ = self.paper.versions[id_]
        self.paper.versions[id_] = component, meter, first, kind
        known = self.entry.subentries[id_]
        kept = ("component", "meters", "valid_from")
        data = {key: known.data[key] for key in kept} | KINDS[kind]
        self.hass.config_entries.async_update_subentry(self.entry, known, data=data)

    async def _change(self) -> None:
        if id_ := self._any_version():
            self._set(id_, self.random.randrange(len(KINDS)))

    async def _back(self) -> None:
        """Change a version and, sooner or later, change it back."""
        if id_ := self._any_version():
            before = self.paper.versions[id_][3]
            self._set(id_, self.random.randrange(len(KINDS)))
            if self.random.random() < 0.6:
                await self._some_turns()
            if self.random.random() < 0.3:
                await self._restart()
            self._set(id_, before)

    async def _some_turns(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            await get_instance(self.hass).async_add_executor_job(int)

    async def _remove(self) -> None:
        if (id_ := self._any_version()) and self.random.random() < 0.5:
            del self.paper.versions[id_]
            self.hass.config_entries.async_remove_subentry(self.entry, id_)

    async def _revise(self) -> None:
        now = dt_util.utcnow().replace(minute=0)
        begin = now - timedelta(
            hours=max(self.random.randint(1, 360) * self.paper.days // 20, 1)
        )
        end = begin + timedelta(hours=self.random.randint(1, 48))
        factor = self.random.choice([0.2, 1.5, 3.0])
        self.paper.site.revise(begin, end, factor=factor, at=now)

    async def _outage(self) -> None:
        now = dt_util.utcnow().replace(minute=0)
        start = now - timedelta(hours=self.random.randint(1, 3))
        until = now + timedelta(hours=self.random.randint(1, 5))
        self.paper.site.outage(start, now, until=until)

    async def _late(self) -> None:
        now = dt_util.utcnow().replace(minute=0)
        start = now - timedelta(hours=1)
        until = now + timedelta(hours=self.random.randint(1, 9))
        self.paper.site.late(start, now, until, [self.paper.me])

    async def _fault(self) -> None:
        kind = self.random.choice(FAULTS)
        times = self.random.randint(1, 3)
        self.cloud.faults.add(Fault(kind, path="site_data", times=times))

    async def _restart(self) -> None:
        if self.random.random() < 0.5:
            await self._some_turns()
        await self.hass.config_entries.async_reload(self.entry.entry_id)

    async def _imported(self) -> None:
        """All is imported again, and a tariff is added meanwhile."""
        self.entry.async_create_background_task(
            self.hass, self.entry.runtime_data.audit.async_run(), "import"
        )
        await self._some_turns()
        await self._add()

    async def _cleared(self) -> None:
        """Somebody deletes what the grid costs."""
        if self.random.random() < 0.3:
            id_ = f"climkit:{self.paper.site.id}_grid_import_cost"
            get_instance(self.hass).async_clear_statistics([id_])
            await async_wait_recording_done(self.hass)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "days", "seed", "backend"),
    [
        ("2026-03-28T20:05:00+00:00", 20, 1, "table"),
        ("2026-10-24T20:05:00+00:00", 10, 4, "official"),  # half: rows are dear
        *(
            pytest.param(
                *("2026-10-24T20:05:00+00:00", 20, seed, backend),
                marks=pytest.mark.weekly,
            )
            for seed in range(5, 15)
            for backend in ("table", "official")
        ),
    ],
    indirect=["backend"],
)
@pytest.mark.usefixtures("backend")
async def test_a_random_life_with_tariffs(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
    start: str,
    days: int,
    seed: int,
) -> None:
    """After a quiet day every cost of every hour is right, and a restart changes none."""
    freezer.move_to(start)
    site.created = (dt_util.utcnow() - timedelta(days=days)).replace(hour=0, minute=0)
    await started(hass, entry)
    paper = Paper(hass, site)
    life = RandomLife(hass, cloud, entry, paper, Random(seed))
    for _ in range(40):
        for _ in range(life.random.randint(1, 2)):
            await life.happen()
        by = timedelta(minutes=life.random.choice([5, 15, 15, 90]))
        await later(hass, freezer, by)
        await rows_of(hass, f"climkit:{site.id}_grid_import_cost")
        await rows_of(hass, f"climkit:{paper.me}_consumption_cost")
    cloud.faults.clear()
    for _ in range(28):
        await later(hass, freezer, timedelta(hours=1))
    await history_done(entry)
    await entry.runtime_data.audit.async_run()
    await later(hass, freezer, timedelta(minutes=1))
    assert paper.versions
    await paper.assert_all()
    before = await rows_of(hass, f"climkit:{paper.me}_consumption_cost")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await rows_of(hass, f"climkit:{paper.me}_consumption_cost") == before
