"""Clouds that describe a site or a meter wrongly; clocks and crashes beside them."""

from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from tests.conftest import entry_for
from tests.simulator import Fault, SimulatedSite, Simulator, sites

from .life import BEGINNING, DAY, FLAT, START, CloudLife, bound, house

pytestmark = [pytest.mark.rate_limit, pytest.mark.freeze_time(START)]

DATES: Final[dict[str, dict[str, Any]]] = {
    "missing": {"creation_date": None},
    "yesterday": {"creation_date": "2026-06-15T00:00:00+02:00"},
    "tomorrow": {"creation_date": "2026-06-17T00:00:00+02:00"},
    "in 2031": {"creation_date": "2031-01-01T00:00:00+01:00"},
    "a month late": {"creation_date": "2026-04-20T00:00:00+02:00"},
    "years early": {"creation_date": "2019-01-01T00:00:00+01:00"},
    "nonsense": {"creation_date": "soon"},
}
IDS: Final = {
    "an ObjectId": "",
    "a UUID that looks like a day": "6a2e1d00-9c3b-4f5e-8a7d-0123456789ab",
    "digits": "66123456",
    "a name": "house-7",
}


@pytest.fixture
def site(request: pytest.FixtureRequest) -> SimulatedSite:
    """Return the house, by another id where a test says so."""
    made = house()
    made.first_data = BEGINNING
    callspec = getattr(request.node, "callspec", None)
    made.id = IDS[callspec.params["id_"]] if callspec and _other(callspec) else made.id
    return made


def _other(callspec: Any) -> bool:
    return bool(IDS.get(callspec.params.get("id_", ""), ""))


async def lives(life: CloudLife) -> None:
    """Import, restart, night: everything is there from the first reading on."""
    await life.set_up()
    await life.imported()
    await life.right()
    # Years that have nothing may be asked for by the month, or be searched.
    assert life.past() <= bound(2 + 11)
    await life.restart()
    life.revise(60)
    await life.night()
    await life.right()
    assert not life.issues
    assert len(life.lines()) <= 1, life.lines()


@pytest.mark.parametrize("told", DATES)
async def test_creation_dates(life: CloudLife, told: str) -> None:
    life.site.info = DATES[told]
    await lives(life)


@pytest.mark.parametrize("id_", IDS)
async def test_ids_say_nothing_of_age(life: CloudLife, id_: str) -> None:
    life.site.info = {"creation_date": None}
    slug = IDS[id_].replace("-", "_")
    if slug:
        life.series = {
            key.replace(life.site.id, slug): what for key, what in life.series.items()
        }
    await life.set_up()
    await life.imported()
    for key in (f"{slug or life.site.id}_consumption",):
        rows = await life.rows(key)
        assert min(rows) == BEGINNING


async def test_an_earlier_start_helps(life: CloudLife) -> None:
    """Where the date is wrong, import_history with a start gets what is older."""
    life.site.info = DATES["a month late"]
    await life.set_up()
    await life.imported()
    await life.call("import_history", start="2026-03-01T00:00:00+01:00")
    await life.imported()
    await life.right()


async def test_the_beginning_does_not_move(life: CloudLife) -> None:
    """Days later the night still looks at the oldest days."""
    life.site.info = DATES["missing"]
    await life.set_up()
    await life.imported()
    await life.mostly_asleep(48)
    life.site.revise(BEGINNING, BEGINNING + 2 * DAY, factor=1.5)
    await life.night()
    await life.right()


async def test_a_clock_years_ahead(
    life: CloudLife, freezer: FrozenDateTimeFactory
) -> None:
    """Twenty minutes five years ahead leave no mark: days without Home Assistant are imported."""
    right = dt_util.utcnow

    def ahead() -> datetime:
        return right() + 5 * 365 * DAY

    # What Home Assistant takes for now; the loop's own clock does not jump.
    with patch("homeassistant.util.dt.utcnow", ahead):
        await life.set_up()
        await life.minutes(20)
        await life.hass.config_entries.async_unload(life.entry.entry_id)
    await life.hass.config_entries.async_setup(life.entry.entry_id)
    await life.minutes(15)
    await life.imported()
    await life.right()
    await life.hass.config_entries.async_unload(life.entry.entry_id)
    freezer.tick(5 * DAY)
    await life.hass.config_entries.async_setup(life.entry.entry_id)
    await life.minutes(15)
    await life.imported()
    await life.right()


async def test_a_meter_in_two_sites(
    life: CloudLife, hass: HomeAssistant, cloud: Simulator
) -> None:
    """The second entry leaves it alone, and says so; the first has it right."""
    other = sites.many(2, created=BEGINNING)[1]
    other.meters.append(life.site.meter(FLAT))
    cloud.sites.append(other)
    await life.set_up()
    await life.imported()
    second = entry_for(other)
    second.add_to_hass(hass)
    await hass.config_entries.async_setup(second.entry_id)
    await life.minutes(60)
    await life.right()
    flat = f"{life.site.meter(FLAT).id}_consumption"
    before = await life.rows(flat)
    await life.minutes(180)
    after = await life.rows(flat)
    assert {hour: after[hour] for hour in before} == before
    assert not any("unique IDs" in line for line in life.lines()), life.lines()
    assert len(life.lines()) <= 1, life.lines()
    await hass.config_entries.async_unload(second.entry_id)


async def test_what_a_meter_measures_is_corrected(
    life: CloudLife, hass: HomeAssistant
) -> None:
    """The id stays, the medium and so the unit change: the entity follows."""
    meter = next(m for m in life.site.meters if m.name == "Appartement 1.2")
    meter.type, meter.profile, meter.size = "cold_water", "water", 40.0
    options = {"meters": [*life.entry.options["meters"], meter.id]}
    object.__setattr__(life.entry, "options", options)
    await life.set_up()
    await life.imported()
    await life.minutes(60)
    assert await _unit(hass, meter.id) == "m³"
    meter.type, meter.profile, meter.size = "heating", "room_heat", 4200.0
    await life.mostly_asleep(24)
    await life.minutes(60)
    await life.imported()
    await life.minutes(61)
    assert life.value(f"{meter.id}_consumption") not in (None, "unknown", "unavailable")
    assert await _unit(hass, meter.id) == "kWh"
    life.series = {f"{meter.id}_consumption": ("heating", f"total_{meter.id}")}
    rows = await life.rows(f"{meter.id}_consumption")
    end = max(rows) + timedelta(hours=1)
    model = life.site.model("heating", "H", BEGINNING, end)[f"total_{meter.id}"]
    assert {h: rows[h][0] for h in rows} == pytest.approx(model, abs=0.0026)


@pytest.mark.parametrize(
    ("measures", "unit"),
    [(("heating", "room_heat", 4200.0), "kWh"), (("cold_water", "water", 40.0), "m³")],
)
async def test_a_meter_of_electricity_is_none(
    life: CloudLife, hass: HomeAssistant, measures: tuple[str, str, float], unit: str
) -> None:
    """What was read by the quarter hour is read once a day: it has no power any more."""
    meter = next(m for m in life.site.meters if m.name == "Appartement 1.2")
    options = {"meters": [*life.entry.options["meters"], meter.id]}
    object.__setattr__(life.entry, "options", options)
    await life.set_up()
    await life.imported()
    assert life.value(f"{meter.id}_consumption_power") is not None
    meter.type, meter.profile, meter.size = measures
    await life.mostly_asleep(24)
    await life.minutes(120)
    await life.imported()
    total = life.value(f"{meter.id}_consumption")
    assert total not in (None, "unknown", "unavailable")
    assert life.value(f"{meter.id}_consumption_power") is None
    assert await _unit(hass, meter.id) == unit
    assert len(life.lines()) == (unit == "m³"), life.lines()


async def _unit(hass: HomeAssistant, meter_id: str) -> str | None:
    """Return the unit of a meter's statistic."""
    found = await async_list_statistic_ids(hass, {f"climkit:{meter_id}_consumption"})
    return found[0]["statistics_unit_of_measurement"] if found else None


async def test_crashes_during_a_long_beginning_without_readings(
    life: CloudLife, hass_storage: dict[str, Any]
) -> None:
    """Every three minutes, with slow replies: what is written down a minute later helps.

    A crash is the entry's end without Home Assistant's last chance to write; what the
    stores have by then is what the next start finds.
    """
    life.site.info = {"creation_date": "2010-01-01T00:00:00+01:00"}
    life.cloud.quirks.longest = {"H": 31 * DAY, "D": 31 * DAY, "M": 31 * DAY}
    life.cloud.quirks.window_refusal = 400
    life.cloud.faults.add(Fault("wait", path="site_data", delay=8.0))
    life.entry.add_to_hass(life.hass)
    setups = life.hass.config_entries
    for _ in range(60):
        await setups.async_setup(life.entry.entry_id)
        await life.minutes(3)
        if life.site_value("history_import") in ("100", "100.0"):
            break
        saved = {key: dict(value) for key, value in hass_storage.items()}
        with patch("homeassistant.helpers.storage.Store.async_save"):
            await setups.async_unload(life.entry.entry_id)
            await life.minutes(2)  # a write that was still to come is lost as well
        for key in [key for key in hass_storage if key.startswith("climkit")]:
            if key in saved:
                hass_storage[key] = saved[key]
            else:
                del hass_storage[key]
    life.cloud.faults.clear()
    assert life.site_value("history_import") in ("100", "100.0")
    await life.right()
