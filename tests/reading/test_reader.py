"""Where readings come from: meters without a column of their own, and what they cost."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import Column, Resolution, Series
from custom_components.climkit.reading.answers import Answer
from tests.simulator import Fault, SimulatedSite, Simulator, sites

from ..conftest import NOW, entry_for, history_done, later, set_up

pytestmark = [pytest.mark.statistics_only, pytest.mark.freeze_time(NOW)]

GENERAL = "Compteur général"
"""A meter without a column, of which meter_data has nothing either."""


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site with rules, a week old."""
    return sites.with_rules(created=datetime(2026, 6, 9, 22, tzinfo=UTC))


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry with the meter that has no column."""
    return entry_for(site, meters=[site.meter(GENERAL).id])


async def test_a_silent_meter_is_asked_once_a_day(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    entry: MockConfigEntry,
) -> None:
    """A meter that has nothing to say costs no request at every poll."""
    await set_up(hass, entry)
    await history_done(entry)
    before = len(cloud.requests.to("meter_data"))
    for _ in range(24):
        await later(hass, freezer, timedelta(hours=1))
    for _ in range(2):
        await later(hass, freezer, timedelta(minutes=15))
    live = [
        request
        for request in cloud.requests.to("meter_data")[before:]
        if request.json and request.json["sampling_frequency"] == "15T"
    ]
    assert len(live) == 1


async def test_a_meter_that_is_refused_far_back_goes_on(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No access to a meter's history does not end its present."""
    flat = site.meter("Appartement 1.1")
    entry = entry_for(site, meters=[flat.id])

    def hitting(endpoint: str, path: str) -> Fault | None:
        """Refuse the site, and the meter's hours."""
        asked = cloud.requests[-1].json or {}
        far_back = asked.get("sampling_frequency") == "H"
        refused = endpoint == "site_data" or (endpoint == "meter_data" and far_back)
        return Fault("status", status=403) if refused else None

    monkeypatch.setattr(cloud.faults, "hitting", hitting)
    await set_up(hass, entry)
    for _ in range(4):
        await later(hass, freezer, timedelta(minutes=15))
    power = hass.states.get("sensor.appartement_1_1_consumption_power")
    assert power is not None
    assert float(power.state) > 0
    assert entry.runtime_data.history.data < 100
    # Which diagnostics tell.
    assert "electricity" in entry.runtime_data.reader.refusals.refused


async def test_a_refused_past_says_nothing_of_the_present(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    cloud: Simulator,
    site: SimulatedSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor does it when nobody has asked for the present since the site was described."""
    entry = entry_for(site, meters=[site.meter("Appartement 1.1").id])

    def hitting(endpoint: str, path: str) -> Fault | None:
        """Refuse whatever is not the newest quarter hours."""
        frequency = (cloud.requests[-1].json or {}).get("sampling_frequency", "15T")
        return None if frequency == "15T" else Fault("status", status=403)

    await set_up(hass, entry)
    await history_done(entry)
    await entry.runtime_data.site.async_refresh()
    monkeypatch.setattr(cloud.faults, "hitting", hitting)
    before = len(cloud.requests)
    await entry.runtime_data.audit.async_run()
    assert "H" in {(r.json or {}).get("sampling_frequency") for r in cloud.requests}
    for _ in range(2):
        await later(hass, freezer, timedelta(minutes=15))
    live = entry.runtime_data.live[0]
    assert not live.missing | live.failing
    assert all(map(entry.runtime_data.reader.gives, live.flows))
    after = cloud.requests[before:]
    assert [request for request in after if "site_data" in request.path]
    assert not [request for request in after if "meter_data" in request.path]


def test_rows_without_values_are_no_news() -> None:
    """Rows may stand there empty before what they are for is published."""
    start = datetime(2026, 6, 16, tzinfo=UTC)
    starts = tuple(start + n * timedelta(minutes=15) for n in range(3))
    values: dict[Column, tuple[float | None, ...]] = {
        Column(None, "conso_total"): (1.0, 2.0, None),
        Column(None, "prod_total"): (0.0, None, None),
    }
    filled = Series(Resolution.QUARTER_HOUR, starts, values)
    empty = Series(Resolution.QUARTER_HOUR, starts, dict.fromkeys(values, (None,) * 3))
    end = start + timedelta(minutes=45)
    assert Answer(start, end, end, [filled, empty]).newest == starts[1]
    assert Answer(start, end, end, [empty]).newest is None
