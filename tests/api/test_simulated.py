"""Against the simulated cloud: every form of times, over the days that clocks change."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from custom_components.climkit.api import (
    ClimkitAuthenticationError,
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitResponseError,
    Column,
    Resolution,
)
from tests.simulator import Fault, Quirks, SimulatedSite, Simulator, sites

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


@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_refused_credentials(
    simulator: Simulator, client: ClimkitClient, status: int
) -> None:
    simulator.quirks = Quirks(refused_login=status)
    simulator.accounts["demo"] = "changed"
    with pytest.raises(ClimkitAuthenticationError) as caught:
        await client.site_ids()
    assert caught.value.status == status


PAGE = "<!DOCTYPE html><title>403 Forbidden</title>"
WEATHER: dict[str, tuple[Fault, type[ClimkitError], int | None]] = {
    "firewall": (
        Fault("status", path="auth", status=403, body=PAGE),
        ClimkitResponseError,
        403,
    ),
    "proxy without a word": (
        Fault("status", path="auth", status=401, body=""),
        ClimkitResponseError,
        401,
    ),
    "moved": (Fault("status", path="auth", status=404), ClimkitResponseError, 404),
    "broken": (Fault("status", path="auth", status=500), ClimkitResponseError, 500),
    "overload": (Fault("status", path="auth", status=503), ClimkitResponseError, 503),
    "page": (Fault("html", path="auth"), ClimkitResponseError, 200),
    "empty body": (Fault("empty_body", path="auth"), ClimkitResponseError, 200),
    "error object": (Fault("error_object", path="auth"), ClimkitResponseError, 200),
    "list": (Fault("empty_list", path="auth"), ClimkitResponseError, 200),
    "cut": (Fault("truncated", path="auth"), ClimkitResponseError, 200),
    "refused connection": (
        Fault("refuse", path="auth"),
        ClimkitConnectionError,
        None,
    ),
}


@pytest.mark.parametrize(("fault", "error", "status"), WEATHER.values(), ids=WEATHER)
async def test_weather_at_the_door(
    simulator: Simulator,
    client: ClimkitClient,
    site: SimulatedSite,
    fault: Fault,
    error: type[ClimkitError],
    status: int | None,
) -> None:
    """What is no refusal of an API is none of the credentials, and passes."""
    simulator.faults.add(fault)
    for _ in range(2):
        with pytest.raises(error) as caught:
            await client.site_ids()
        assert type(caught.value) is error
        assert (caught.value.endpoint, caught.value.status) == ("auth", status)
    assert {request.endpoint for request in simulator.requests} == {"auth"}
    simulator.faults.remove(fault)
    assert await client.site_ids() == (site.id,)
