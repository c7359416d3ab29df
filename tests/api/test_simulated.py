"""Against the simulated cloud: every form of times, over the days that clocks change."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from custom_components.climkit.api import ClimkitClient, Column, Resolution
from tests.simulator import Quirks, SimulatedSite, Simulator, sites

NOW = datetime(2026, 11, 2, 10, 7, tzinfo=UTC)
WINDOWS: dict[Resolution, tuple[datetime, datetime]] = {
    Resolution.QUARTER_HOUR: (
        datetime(2026, 10, 24, 20, 15, tzinfo=UTC),
        datetime(2026, 10, 26, 3, 30, tzinfo=UTC),
    ),
    Resolution.HOUR: (
        datetime(2026, 3, 28, 5, tzinfo=UTC),
        datetime(2026, 3, 30, 7, tzinfo=UTC),
    ),
    Resolution.DAY: (
        datetime(2026, 10, 23, 22, tzinfo=UTC),
        datetime(2026, 10, 27, 23, tzinfo=UTC),
    ),
    Resolution.MONTH: (
        datetime(2026, 2, 28, 23, tzinfo=UTC),
        datetime(2026, 4, 30, 22, tzinfo=UTC),
    ),
}


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site with a year of history."""
    return sites.community(created=datetime(2026, 1, 31, 23, tzinfo=UTC))


@pytest.fixture
async def simulator(
    site: SimulatedSite, socket_enabled: None
) -> AsyncIterator[Simulator]:
    """Run the simulated cloud."""
    cloud = Simulator([site], clock=lambda: NOW, min_interval=0)
    async with cloud:
        yield cloud


@pytest.fixture
async def client(simulator: Simulator, session: aiohttp.ClientSession) -> ClimkitClient:
    """Return a client of it."""
    return ClimkitClient(session, "demo", "demo", url=simulator.url)


@pytest.mark.parametrize("resolution", WINDOWS, ids=lambda r: r.name)
@pytest.mark.parametrize("read_as", ["local", "utc"])
@pytest.mark.parametrize("stamps", ["local", "z", "date_ms", "s"])
async def test_the_truth(
    simulator: Simulator,
    client: ClimkitClient,
    site: SimulatedSite,
    stamps: Any,
    read_as: Any,
    resolution: Resolution,
) -> None:
    """Whatever the cloud means by times, each amount is in its interval."""
    simulator.quirks = Quirks(timestamps=stamps, requested_times=read_as)
    start, end = WINDOWS[resolution]
    series = await client.site_series(site.id, "electricity", resolution, start, end)
    model = site.model("electricity", resolution.value, start, end)
    assert series.dropped == 0
    for name in ("conso_total", "from_ext", f"total_{site.meters[2].id}"):
        quantity, _, meter = name.partition("_")
        column = Column(meter, quantity) if quantity == "total" else Column(None, name)
        assert len(model[name]) >= 2
        assert series.values(column) == pytest.approx(model[name], abs=0.00051)


@pytest.mark.parametrize(("read_as", "seen"), [("local", "local"), ("utc", "UTC")])
async def test_what_is_observed(
    simulator: Simulator,
    client: ClimkitClient,
    site: SimulatedSite,
    read_as: Any,
    seen: str,
) -> None:
    simulator.quirks = Quirks(requested_times=read_as)
    start = NOW.replace(minute=0) - timedelta(days=1)
    await client.site_series(site.id, "electricity", Resolution.QUARTER_HOUR, start)
    report = client.observations.as_dict()
    assert report["site_data t_s read as"] == {seen: 1}


@pytest.mark.parametrize("variant", ["documented", "2022"])
@pytest.mark.parametrize(
    "items", ["ids", "oid", "id", "_id", "site_id", "installation_id", "wrapped"]
)
async def test_descriptions(
    simulator: Simulator,
    client: ClimkitClient,
    site: SimulatedSite,
    items: Any,
    variant: Any,
) -> None:
    simulator.quirks = Quirks(installations=items, meter_info=variant, address=variant)
    assert await client.site_ids() == (site.id,)
    found = await client.site(site.id)
    assert (found.name, found.created) == (site.name, site.created)
    assert found.city
    meters = {meter.id: meter for meter in await client.meters(site.id)}
    assert meters.keys() == {meter.id for meter in site.meters}
    modes = {meter.mode for meter in meters.values()}
    assert modes == {"introduction", "production", "consumption"}
