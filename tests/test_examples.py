"""The README's automations, read out of it and run in a real Home Assistant."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
import re
from typing import Any, cast
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import persistent_notification
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, set_up
from .simulator import Fault, SimulatedSite, Simulator, sites

README = Path(__file__).parents[1] / "README.md"
ZURICH = ZoneInfo("Europe/Zurich")
STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
TUESDAY = date(2026, 6, 16)

NIGHTS = [
    pytest.param(TUESDAY, id="summer"),
    pytest.param(date(2026, 3, 29), id="night of two hours"),
    pytest.param(date(2026, 10, 25), id="night of four hours"),
]
MONDAYS = [
    pytest.param(date(2026, 6, 15), id="summer"),
    pytest.param(date(2026, 3, 30), id="week of 167 hours"),
    pytest.param(date(2026, 10, 26), id="week of 169 hours"),
]


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a time by the clock of the site."""
    return datetime.combine(day, time(hour, minute), ZURICH).astimezone(UTC)


@pytest.fixture
def site() -> SimulatedSite:
    """Return the house that the examples are of."""
    site = sites.many(1, created=datetime(2026, 5, 20, 22, tzinfo=UTC))[0]
    site.name = "My building"
    site.meter("Appartement 1.1").name = "My flat"
    return site


class Example:
    """One example at work in a Home Assistant."""

    def __init__(
        self,
        hass: HomeAssistant,
        freezer: FrozenDateTimeFactory,
        site: SimulatedSite,
        entry: MockConfigEntry,
    ) -> None:
        self.site = site
        self.flat = site.meter("My flat").id
        self.messages: list[str] = []
        self._hass = hass
        self._freezer = freezer
        self._entry = entry

    async def start(self, alias: str, now: datetime) -> None:
        """Set up the site at a moment and then the automation, as it is printed."""
        hass = self._hass
        self._freezer.move_to(now)
        self.site.created = now - timedelta(days=36)
        await hass.config.async_set_time_zone("Europe/Zurich")
        switch = {"name": "Dishwasher", "turn_on": [], "turn_off": []}
        assert await async_setup_component(
            hass, "template", {"template": [{"switch": switch}]}
        )
        assert await async_setup_component(hass, "persistent_notification", {})
        persistent_notification.async_register_callback(hass, self._notified)
        await set_up(hass, self._entry)
        config = self._filled_in(example(alias))
        assert await async_setup_component(hass, "automation", {"automation": config})
        await hass.services.async_call(
            "switch", "turn_off", {"entity_id": "switch.dishwasher"}, blocking=True
        )
        (automation,) = hass.states.async_all("automation")
        assert automation.state == STATE_ON
        assert not automation.attributes.get("restored")

    async def until(self, end: datetime, step: timedelta = STEP) -> None:
        """Let time pass, and all happen that was due, while the automation may wait."""
        while dt_util.utcnow() < end:
            self._freezer.tick(step)
            async_fire_time_changed(self._hass)
            await asyncio.sleep(0)
            while due := [
                task
                for task in self._hass._tasks | self._hass._background_tasks
                if "'domain': 'automation'" not in repr(task)
            ]:
                await asyncio.wait(due)

    async def reload(self) -> None:
        """Set up the site anew: a trigger that was met at its start is met again."""
        await self._hass.config_entries.async_reload(self._entry.entry_id)
        await self._hass.async_block_till_done()

    async def stop(self) -> None:
        """Switch the automation off."""
        data = {"entity_id": "all"}
        await self._hass.services.async_call(
            "automation", "turn_off", data, blocking=True
        )

    async def finished(self) -> list[str]:
        """Wait for the automation to end, and return what it said."""
        await self._hass.async_block_till_done(wait_background_tasks=True)
        return self.messages

    def waits(self) -> bool:
        """Return whether the automation has begun and not ended."""
        (automation,) = self._hass.states.async_all("automation")
        return bool(automation.attributes["current"])

    def state(self, entity_id: str) -> str:
        """Return the state of an entity."""
        state = self._hass.states.get(entity_id)
        assert state is not None
        return state.state

    def kilowatts(self, start: datetime, end: datetime) -> list[float]:
        """Return what the flat really drew in each hour of a time."""
        model = self.site.model("electricity", "H", start, end)
        return [*model[f"total_{self.flat}"].values()]

    def _filled_in(self, config: dict[str, Any]) -> dict[str, Any]:
        device = dr.async_get(self._hass).async_get_device_by_identifier(
            (DOMAIN, self.flat), self._entry.entry_id
        )
        assert device is not None
        for action in config["actions"]:
            if action.get("action") == "climkit.get_readings":
                action["data"]["config_entry_id"] = self._entry.entry_id
                action["data"]["meter"] = device.id
        return config

    def _notified(
        self,
        update: persistent_notification.UpdateType,
        notifications: dict[str, persistent_notification.Notification],
    ) -> None:
        if update is persistent_notification.UpdateType.ADDED:
            self.messages += [some["message"] for some in notifications.values()]


@pytest.fixture
async def running(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    entry: MockConfigEntry,
) -> AsyncIterator[Example]:
    """Return what starts an example, and stop it at the end."""
    example = Example(hass, freezer, site, entry)
    yield example
    await example.stop()


def section(title: str) -> str:
    """Return a section of the README."""
    return re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.MULTILINE)[
        titles().index(title) + 1
    ]


def titles() -> list[str]:
    return re.findall(
        r"^## (.+)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE
    )


def blocks(title: str) -> list[dict[str, Any]]:
    """Return what stands in a section to be copied."""
    found = re.findall(
        r"^```yaml\n(.+?)^```$", section(title), flags=re.MULTILINE | re.DOTALL
    )
    return [cast(dict[str, Any], parse_yaml(text)) for text in found]


def example(alias: str) -> dict[str, Any]:
    (found,) = [block for block in blocks("Automations") if block["alias"] == alias]
    return found


def exported(site: SimulatedSite, at: datetime) -> float:
    """Return the power, in W, of the newest quarter hour that is published."""
    rows = site.model("electricity", "15T", at - 8 * HOUR, at, at=at)["to_ext"]
    return rows[max(rows)] * 4000


def test_each_example_is_run_here() -> None:
    """Whoever adds one to the README adds its test."""
    assert [block["alias"] for block in blocks("Automations")] == [
        "Dishwasher on surplus",
        "Unusual consumption at night",
        "Weekly energy report",
        "No readings for a day",
    ]


async def test_dishwasher_runs_when_there_is_surplus(running: Example) -> None:
    """It starts once two quarter hours had enough, and soon after that."""
    await running.start("Dishwasher on surplus", local(TUESDAY, 5, 5))
    seen: list[tuple[datetime, float]] = []
    while running.state("switch.dishwasher") == STATE_OFF:
        await running.until(dt_util.utcnow() + STEP)
        now = dt_util.utcnow()
        assert now < local(TUESDAY, 13)
        seen.append((now, exported(running.site, now)))
    started = seen[-1][0]
    assert min(watts for at, watts in seen if at >= started - 4 * STEP) > 1500
    enough = next(at for at, _ in seen if _has_enough(running.site, at))
    assert started - enough <= QUARTER


def _has_enough(site: SimulatedSite, at: datetime) -> bool:
    """Return whether by the model there has been surplus for twenty minutes."""
    return all(exported(site, at - number * STEP) > 1500 for number in range(5))


async def test_dishwasher_does_not_run_by_old_or_unknown_values(
    running: Example,
) -> None:
    """A cloud that fell silent in bright sunshine says nothing of the sun now."""
    site = running.site
    back = local(TUESDAY, 14, 30)
    site.outage(local(TUESDAY, 11), back, until=back)
    await running.start("Dishwasher on surplus", local(TUESDAY, 12, 5))
    await running.reload()
    await running.until(local(TUESDAY, 12, 55))
    assert float(running.state("sensor.my_building_grid_export_power")) > 1500
    assert running.state("switch.dishwasher") == STATE_OFF
    await running.until(local(TUESDAY, 14, 25))
    assert running.state("sensor.my_building_grid_export_power") == STATE_UNKNOWN
    assert running.state("switch.dishwasher") == STATE_OFF
    await running.until(local(TUESDAY, 15, 25))
    assert running.state("switch.dishwasher") == STATE_ON


async def test_dishwasher_does_not_run_into_the_evening(running: Example) -> None:
    await running.start("Dishwasher on surplus", local(TUESDAY, 15, 45))
    await running.reload()
    await running.until(local(TUESDAY, 16, 45))
    assert exported(running.site, local(TUESDAY, 16, 45)) > 1500
    assert running.state("switch.dishwasher") == STATE_OFF


@pytest.mark.parametrize("day", NIGHTS)
async def test_an_unusual_night_is_told(running: Example, day: date) -> None:
    """With the power of that night and of those before, as the model has them."""
    begin, end = local(day, 2), local(day, 5)
    running.site.revise(begin, end, add=0.1, meters=[running.flat])
    await running.start("Unusual consumption at night", local(day, 6, 50))
    await running.until(local(day, 7, 10))
    last, usual = _nights(running, day)
    assert last > usual + 0.3
    (message,) = await running.finished()
    assert message == (
        f"My flat used {last * 1000:.0f} W between 2 and 5 o'clock, "
        f"usually {usual * 1000:.0f} W."
    )


def _nights(running: Example, day: date) -> tuple[float, float]:
    """Return the mean power of this night and of the 28 before it, in kW."""
    before = [
        kilowatts
        for number in range(1, 29)
        for kilowatts in running.kilowatts(
            local(day - timedelta(days=number), 2),
            local(day - timedelta(days=number), 5),
        )
    ]
    last = running.kilowatts(local(day, 2), local(day, 5))
    return sum(last) / len(last), sum(before) / len(before)


@pytest.mark.parametrize("day", NIGHTS)
async def test_a_usual_night_is_not(running: Example, day: date) -> None:
    """Nor is one after a day on which much was used."""
    running.site.revise(local(day, 5), local(day, 7), add=0.4, meters=[running.flat])
    await running.start("Unusual consumption at night", local(day, 6, 50))
    await running.until(local(day, 7, 10))
    assert await running.finished() == []


async def test_a_night_that_comes_late_is_told_when_it_comes(running: Example) -> None:
    site, back = running.site, local(TUESDAY, 9)
    site.revise(local(TUESDAY, 1), back, add=0.1, meters=[running.flat])
    site.outage(local(TUESDAY, 4), back, until=back)
    await running.start("Unusual consumption at night", local(TUESDAY, 6, 50))
    await running.until(back - STEP)
    assert running.waits()
    await running.until(back + 2 * QUARTER)
    (message,) = await running.finished()
    last, _ = _nights(running, TUESDAY)
    assert message.startswith(f"My flat used {last * 1000:.0f} W ")


async def test_a_night_that_does_not_come_is_not_made_up(running: Example) -> None:
    day = timedelta(days=1)
    site, until = running.site, local(TUESDAY + day, 1)
    site.revise(local(TUESDAY, 2), until, add=0.1, meters=[running.flat])
    site.outage(local(TUESDAY, 4), until, until=until)
    await running.start("Unusual consumption at night", local(TUESDAY, 6, 50))
    await running.until(local(TUESDAY, 7, 5))
    await running.until(local(TUESDAY, 18, 5), HOUR)
    assert running.waits()
    await running.until(local(TUESDAY, 19, 5), HOUR)
    assert not running.waits()
    await running.until(local(TUESDAY + day, 2), HOUR)
    assert await running.finished() == []


@pytest.mark.parametrize("day", MONDAYS)
async def test_the_week_is_told_on_monday(running: Example, day: date) -> None:
    await running.start("Weekly energy report", local(day, 7, 50))
    await running.until(local(day, 8, 5))
    assert await running.finished() == [_week(running, day)]


def _week(running: Example, day: date) -> str:
    """Return what the model says of the seven days before."""
    days = [day - timedelta(days=number) for number in range(7, 0, -1)]
    model = running.site.model("electricity", "15T", local(days[0], 0), local(day, 0))
    quarters = model[f"total_{running.flat}"]
    by_day = {
        some: sum(
            amount
            for start, amount in quarters.items()
            if start.astimezone(ZURICH).date() == some
        )
        for some in days
    }
    used = sum(by_day.values())
    solar = sum(model[f"self_{running.flat}"].values())
    grid = sum(model[f"ext_{running.flat}"].values())
    return (
        f"My flat used {used:.1f} kWh:\n"
        f"{solar:.1f} kWh ({100 * solar / used:.0f} %) from the roof,\n"
        f"{grid:.1f} kWh from the grid.\n"
        + "".join(f"\n- {some}: {amount:.1f} kWh" for some, amount in by_day.items())
    )


async def test_the_week_waits_for_a_late_sunday(running: Example) -> None:
    """And takes it whole."""
    monday = date(2026, 6, 15)
    back = local(monday, 10)
    running.site.outage(local(monday, 0) - 6 * HOUR, back, until=back)
    await running.start("Weekly energy report", local(monday, 7, 50))
    await running.until(back - STEP)
    assert running.waits()
    await running.until(back + 2 * QUARTER)
    assert await running.finished() == [_week(running, monday)]


async def test_other_days_have_no_report(running: Example) -> None:
    await running.start("Weekly energy report", local(TUESDAY, 7, 50))
    await running.until(local(TUESDAY, 8, 30))
    assert running.messages == []


def _silent(running: Example, cloud: Simulator) -> None:
    now = local(TUESDAY, 12)
    week = now + timedelta(days=7)
    running.site.outage(now, week, until=week)


def _unreachable(running: Example, cloud: Simulator) -> None:
    cloud.faults.add(Fault("refuse"))


@pytest.mark.parametrize("trouble", [_silent, _unreachable])
async def test_a_day_without_readings_is_told(
    running: Example,
    cloud: Simulator,
    trouble: Callable[[Example, Simulator], None],
) -> None:
    """Once, a day after the last reading or the last contact."""
    await running.start("No readings for a day", local(TUESDAY, 12, 5))
    trouble(running, cloud)
    await running.until(local(TUESDAY, 12, 5) + 23 * HOUR, HOUR)
    assert running.messages == []
    assert (running.state("sensor.my_building_last_reading") == STATE_UNAVAILABLE) is (
        trouble is _unreachable
    )
    await running.until(local(TUESDAY, 12, 5) + 25 * HOUR, HOUR)
    assert running.messages == [
        "Climkit has published nothing for My building for a day."
    ]
    await running.until(local(TUESDAY, 12, 5) + 52 * HOUR, HOUR)
    assert len(running.messages) == 1


async def test_a_day_with_readings_is_not(running: Example) -> None:
    await running.start("No readings for a day", local(TUESDAY, 12, 5))
    await running.reload()
    await running.until(local(TUESDAY, 12, 5) + 26 * HOUR, HOUR)
    assert running.messages == []


@pytest.mark.freeze_time(NOW)
async def test_readings_in_a_script(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """The example of the action gives the day's quarter hours, easy to use in templates."""
    await set_up(hass, entry)
    (call,) = blocks("Actions")
    call["data"]["config_entry_id"] = entry.entry_id
    told = {
        "newest": "{{ day.readings.grid_import.intervals[-1].value }}",
        "total": "{{ day.readings.grid_import.total }}",
        "unit": "{{ day.readings.grid_import.unit }}",
        "dinner": """{{ day.readings.grid_import.intervals
            | selectattr('start', 'search', '2026-06-01T19') | sum(attribute='value') }}""",
        "day": "{{ day }}",
    }
    sequence = [call, {"variables": {"told": told}}]
    sequence.append({"stop": "told", "response_variable": "told"})
    assert await async_setup_component(
        hass, "script", {"script": {"tell": {"sequence": sequence}}}
    )
    answer: Any = await hass.services.async_call(
        "script", "tell", blocking=True, return_response=True
    )
    day = date(2026, 6, 1)
    begin, end = local(day, 0), local(day + timedelta(days=1), 0)
    model = site.model("electricity", "15T", begin, end)["from_ext"]
    assert answer["total"] == pytest.approx(sum(model.values()), abs=0.05)
    assert answer["newest"] == pytest.approx(model[end - QUARTER], abs=0.0006)
    assert answer["unit"] == "kWh"
    dinner = site.model("electricity", "15T", local(day, 19), local(day, 20))
    assert answer["dinner"] == pytest.approx(
        sum(dinner["from_ext"].values()), abs=0.003
    )
    intervals = answer["day"]["readings"]["grid_import"]["intervals"]
    assert {
        datetime.fromisoformat(interval["start"]): interval["value"]
        for interval in intervals
    } == {start: pytest.approx(amount, abs=0.0006) for start, amount in model.items()}
