"""The blueprint that tells of a quarter hour with much power."""

from datetime import datetime, timedelta

from homeassistant.const import STATE_UNAVAILABLE
import pytest

from tests.simulator import SimulatedSite, Simulator

from .running import HOUR, LAST_READING, QUARTER, STEP, TUESDAY, ZURICH, Running, local

LIMIT = 8.0
PEAK = local(TUESDAY, 14, 30)
START = local(TUESDAY, 13, 35)


@pytest.fixture(autouse=True)
def _peak(site: SimulatedSite) -> None:
    """Let the flat use 12 kW more for half an hour."""
    flat = site.meter("My flat").id
    site.revise(PEAK, PEAK + 2 * QUARTER, add=3.0, meters=[flat])


def _told(power: float, start: datetime, name: str = "My building") -> str:
    begin, end = (
        time.astimezone(ZURICH).strftime("%H:%M") for time in (start, start + QUARTER)
    )
    return f"{name}: {power * 4:.1f} kW from {begin} to {end}."


def _above(running: Running, column: str, limit: float) -> list[datetime]:
    """Return the quarter hours of the afternoon that exceed so many kW."""
    model = running.model(column, local(TUESDAY, 11), local(TUESDAY, 18))
    return [start for start, amount in model.items() if amount * 4 > limit]


async def test_a_peak_is_told_once(running: Running) -> None:
    """When it begins, as soon as that quarter hour is published."""
    assert _above(running, "conso_total", LIMIT) == [PEAK, PEAK + QUARTER]
    await running.start("peak", START, limit=LIMIT)
    await running.until(PEAK + QUARTER + timedelta(minutes=15))
    assert running.messages == []
    await running.until(PEAK + 2 * QUARTER + timedelta(minutes=10))
    amount = running.model("conso_total", PEAK, PEAK + QUARTER)[PEAK]
    assert await running.finished() == [_told(amount, PEAK)]
    await running.until(PEAK + 3 * HOUR)
    assert len(await running.finished()) == 1


async def test_less_is_not_told(running: Running) -> None:
    model = running.model("conso_total", PEAK, PEAK + 2 * QUARTER)
    await running.start("peak", START, limit=round(4 * max(model.values()) + 0.1, 1))
    await running.until(PEAK + 2 * HOUR)
    assert await running.finished() == []


@pytest.mark.parametrize(
    ("flow", "column"), [("consumption", "total"), ("grid", "ext")]
)
async def test_of_a_flat(running: Running, flow: str, column: str) -> None:
    column = f"{column}_{running.flat}"
    model = running.model(column, PEAK, PEAK + 2 * QUARTER)
    limit = round(4 * model[PEAK] - 0.1, 1)
    assert _above(running, column, limit)[0] == PEAK
    await running.set_up(START)
    await running.automate("peak", meter=running.device(), flow=flow, limit=limit)
    await running.until(PEAK + 50 * timedelta(minutes=1))
    assert await running.finished() == [_told(model[PEAK], PEAK, "My flat")]


@pytest.mark.parametrize(
    ("flow", "column"), [("grid", "from_ext"), ("grid_export", "to_ext")]
)
async def test_of_the_grid(running: Running, flow: str, column: str) -> None:
    """What exceeds the limit is told at each beginning, and nothing else."""
    published = running.model(column, START - HOUR / 2, local(TUESDAY, 16))
    limit = round(2 * (max(published.values()) + min(published.values())), 1)
    above = _above(running, column, limit)
    begun = [start for start in above if start - QUARTER not in above]
    await running.start("peak", START, limit=limit, flow=flow)
    await running.until(local(TUESDAY, 16, 25))
    expected = [
        _told(published[start], start)
        for start in begun
        if START - HOUR / 2 < start < local(TUESDAY, 16)
    ]
    assert expected
    assert await running.finished() == expected


async def test_no_quarter_hour_is_left_out(running: Running) -> None:
    """Of many that are published at once, the newest is as usual, and a peak before."""
    back = PEAK + 6 * QUARTER
    running.site.outage(PEAK, PEAK + 4 * QUARTER, until=back)
    model = running.model("conso_total", PEAK, back)
    limit = round(4 * model[PEAK] - 0.2, 1)
    above = [PEAK + number * QUARTER for number in range(4)]
    assert _above(running, "conso_total", limit) == above
    await running.start("peak", START, limit=limit)
    await running.until(back - STEP)
    assert running.messages == []
    await running.until(back + HOUR / 2)
    assert await running.finished() == [_told(model[PEAK], PEAK)]


async def test_what_was_published_meanwhile_is_looked_at(running: Running) -> None:
    """When Climkit's sensors come back, after a restart for example."""
    amount = running.model("conso_total", PEAK, PEAK + QUARTER)[PEAK]
    await running.start("peak", START, limit=LIMIT)
    await running.until(PEAK)
    await running.hass.config_entries.async_unload(running.entry.entry_id)
    await running.until(PEAK + 2 * HOUR)
    assert running.state(LAST_READING) == STATE_UNAVAILABLE
    await running.hass.config_entries.async_setup(running.entry.entry_id)
    await running.until(PEAK + 3 * HOUR)
    assert await running.finished() == [_told(amount, PEAK)]


async def test_a_notification_of_ones_own(running: Running) -> None:
    amount = running.model("conso_total", PEAK, PEAK + QUARTER)[PEAK]
    said = {
        "action": "persistent_notification.create",
        "data": {"message": "{{ name }}: {{ highest }} ({{ title }})"},
    }
    await running.start("peak", START, limit=LIMIT, notify=[said])
    await running.until(PEAK + HOUR)
    (message,) = await running.finished()
    assert message == f"My building: {amount * 4:.1f} (More than 8.0 kW)"


async def test_one_request_for_each_publication(
    running: Running, cloud: Simulator
) -> None:
    """As its description says."""
    await running.start("peak", local(TUESDAY, 12, 5), limit=1000)
    await running.until(local(TUESDAY, 13))
    counts = [_asked(cloud)]
    await running.until(local(TUESDAY, 14))
    counts.append(_asked(cloud))
    await running.stop()
    await running.until(local(TUESDAY, 15))
    counts.append(_asked(cloud))
    assert counts[1] - counts[0] == counts[2] - counts[1] + 4


def _asked(cloud: Simulator) -> int:
    """Return how many requests for readings there were."""
    return sum(request.endpoint == "site_data" for request in cloud.requests)
