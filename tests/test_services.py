"""The actions: what they answer, and in which words they refuse."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for, set_up
from .ledger import WIRE
from .simulator import Fault, SimulatedSite, Simulator, sites

FLAT = "Appartement 1.1"
ROUNDING = 0.0006
HOUR = timedelta(hours=1)

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


@pytest.fixture
def site() -> SimulatedSite:
    """Return a community that meters heat and water too, and is old enough."""
    site = sites.community(
        created=datetime(2025, 9, 30, 22, tzinfo=UTC), heat=True, water=True
    )
    few = ("Introduction", "Installation", FLAT)
    site.meters = [meter for meter in site.meters if str(meter.name).startswith(few)]
    return site


@pytest.fixture
async def loaded(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> MockConfigEntry:
    """Return the entry of the site, with a meter of each kind."""
    names = [FLAT, f"{FLAT} Chauffage", f"{FLAT} Eau froide"]
    entry = entry_for(site, meters=[site.meter(name).id for name in names])
    await set_up(hass, entry)
    return entry


async def read(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> Any:
    """Call climkit.get_readings."""
    return await hass.services.async_call(
        DOMAIN,
        "get_readings",
        {"config_entry_id": entry.entry_id, **data},
        blocking=True,
        return_response=True,
    )


def by_start(series: dict[str, Any]) -> dict[datetime, float]:
    return {
        datetime.fromisoformat(interval["start"]): interval["value"]
        for interval in series["intervals"]
    }


def device(hass: HomeAssistant, entry: MockConfigEntry, id_: str) -> dr.DeviceEntry:
    found = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, id_), entry.entry_id
    )
    assert found is not None
    return found


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


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such meter": (
        {"meter": "nonsense"},
        "nonsense is not a meter of Les Tilleuls that has been chosen as a device",
    ),
    "end before start": (
        {"start": "2026-06-02", "end": "2026-06-01"},
        "The end has to be later than the start. Without an end, it is now",
    ),
    "nothing between": (
        {"start": "2026-06-02", "end": "2026-06-02"},
        "The end has to be later than the start. Without an end, it is now",
    ),
    "from tomorrow until now": (
        {"start": "2026-06-17"},
        "The end has to be later than the start. Without an end, it is now",
    ),
    "too many quarter hours": (
        {"start": "2026-05-01", "end": "2026-06-02", "period": "quarter_hour"},
        "At this interval, a period of at most 31 days can be fetched",
    ),
    "too many hours": (
        {"start": "2026-01-01", "end": "2026-06-01"},
        "At this interval, a period of at most 124 days can be fetched",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_answered_is_refused_in_words(
    hass: HomeAssistant, cloud: Simulator, loaded: MockConfigEntry, case: str
) -> None:
    """Before anything is asked of the cloud."""
    data, words = REFUSED[case]
    before = len(cloud.requests)
    with pytest.raises(ServiceValidationError) as refusal:
        await read(hass, loaded, **data)
    assert refusal.value.translation_domain == DOMAIN
    assert str(refusal.value) == words
    assert len(cloud.requests) == before


async def test_devices_that_are_no_meter_of_the_site_are_refused_by_name(
    hass: HomeAssistant, cloud: Simulator, loaded: MockConfigEntry
) -> None:
    """A meter of another site, and what is not of this integration at all."""
    other = sites.many(1, created=cloud.sites[0].created)[0]
    cloud.sites.append(other)
    second = entry_for(other)
    await set_up(hass, second)
    foreign = device(hass, second, other.meter("Appartement 1.2").id)
    lamp = dr.async_get(hass).async_get_or_create(
        config_entry_id=loaded.entry_id, identifiers={("lamp", "1")}, name="Lamp"
    )
    for some in (foreign, lamp):
        with pytest.raises(ServiceValidationError) as refusal:
            await read(hass, loaded, meter=some.id)
        assert refusal.value.translation_key == "unknown_meter"
        assert str(refusal.value).startswith(
            f"{some.name} is not a meter of Les Tilleuls"
        )


@pytest.mark.parametrize(
    "data",
    [
        {"start": "yesterday"},
        {"start": 7},
        {"start": "0001-01-01"},
        {"end": "9999-12-31"},
        {"meter": ["a", "b"]},
        {"period": "fortnight"},
        {"flow": "consumption"},
    ],
    ids=str,
)
async def test_what_is_not_meant_like_this_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await read(hass, loaded, **data)


@pytest.mark.parametrize("start", ["yesterday", "0001-01-01", "9999-12-31"])
async def test_history_is_not_fetched_from_an_impossible_time(
    hass: HomeAssistant, loaded: MockConfigEntry, start: str
) -> None:
    data = {"config_entry_id": loaded.entry_id, "start": start}
    with pytest.raises(vol.Invalid):
        await hass.services.async_call(DOMAIN, "import_history", data, blocking=True)


@pytest.mark.parametrize("action", ["get_readings", "import_history"])
async def test_a_site_that_is_not_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry, action: str
) -> None:
    """Home Assistant has words for that, and for one that is not there."""
    await hass.config_entries.async_unload(loaded.entry_id)
    for entry_id, key in (
        (loaded.entry_id, "service_config_entry_not_loaded"),
        ("nonsense", "service_config_entry_not_found"),
    ):
        with pytest.raises(ServiceValidationError) as refusal:
            await hass.services.async_call(
                DOMAIN,
                action,
                {"config_entry_id": entry_id},
                blocking=True,
                return_response=action == "get_readings",
            )
        assert refusal.value.translation_key == key


TROUBLE: dict[str, tuple[Fault, str]] = {
    "down": (Fault("refuse"), "could not be reached to read Les Tilleuls"),
    "error": (
        Fault("status", status=500),
        "a problem of its own at the moment and cannot answer for Les Tilleuls",
    ),
    "a page": (Fault("html"), "an answer for Les Tilleuls that cannot be understood"),
    "withdrawn": (
        Fault("status", path="site_data", status=403),
        "denies access to Les Tilleuls",
    ),
    "password changed": (
        Fault("status", path="auth", status=401),
        "no longer accepts the username and password",
    ),
}


@pytest.mark.parametrize("action", ["get_readings", "import_history"])
@pytest.mark.parametrize("trouble", TROUBLE)
async def test_trouble_with_the_cloud_is_told_in_words(
    hass: HomeAssistant,
    cloud: Simulator,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    trouble: str,
    action: str,
) -> None:
    """And over a minute after it is over, or once new credentials were asked for."""
    fault, words = TROUBLE[trouble]
    await hass.async_block_till_done(wait_background_tasks=True)
    cloud.expire_tokens()
    cloud.faults.add(fault)
    data = {"config_entry_id": loaded.entry_id, "start": "2026-06-10"}

    async def call() -> None:
        await hass.services.async_call(
            DOMAIN,
            action,
            data,
            blocking=True,
            return_response=action == "get_readings",
        )

    with pytest.raises(HomeAssistantError) as error:
        await call()
    assert error.value.translation_domain == DOMAIN
    assert words in str(error.value)
    cloud.faults.clear()
    freezer.tick(timedelta(minutes=1))
    if trouble == "password changed":
        # The user is asked, and nobody logs in until there is an answer.
        assert hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        before = len(cloud.requests)
        with pytest.raises(HomeAssistantError):
            await call()
        assert len(cloud.requests) == before
        await hass.config_entries.async_reload(loaded.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    await call()
