"""The blueprint that tells when readings stay away."""

from collections.abc import Callable

from homeassistant.const import STATE_UNAVAILABLE
import pytest

from tests.simulator import Fault, Simulator

from .running import DAY, HOUR, LAST_READING, TUESDAY, Running, local

SILENT = "Climkit has published nothing for My building for {} hours."


def _silent(running: Running, cloud: Simulator) -> None:
    now = local(TUESDAY, 12)
    running.site.outage(now, now + 7 * DAY, until=now + 7 * DAY)


def _unreachable(running: Running, cloud: Simulator) -> None:
    cloud.faults.add(Fault("refuse"))


@pytest.mark.parametrize("hours", [24, 6])
@pytest.mark.parametrize("trouble", [_silent, _unreachable])
async def test_silence_is_told(
    running: Running,
    cloud: Simulator,
    trouble: Callable[[Running, Simulator], None],
    hours: int,
) -> None:
    """Once, so many hours after the last reading or the last contact."""
    start = local(TUESDAY, 12, 5)
    await running.start("silence", start, hours=hours)
    trouble(running, cloud)
    await running.until(start + (hours - 1) * HOUR, HOUR)
    assert running.messages == []
    assert (running.state(LAST_READING) == STATE_UNAVAILABLE) is (
        trouble is _unreachable
    )
    await running.until(start + (hours + 1) * HOUR, HOUR)
    assert running.messages == [SILENT.format(hours)]
    await running.until(start + (hours + 28) * HOUR, HOUR)
    assert len(running.messages) == 1


async def test_a_day_with_readings_is_not(running: Running) -> None:
    """It takes a day, unless something else is chosen."""
    await running.start("silence", local(TUESDAY, 12, 5))
    await running.reload()
    await running.until(local(TUESDAY, 12, 5) + 26 * HOUR, HOUR)
    assert running.messages == []


async def test_something_else_may_be_done(running: Running) -> None:
    said = {
        "action": "persistent_notification.create",
        "data": {"message": "{{ title }}!"},
    }
    start = local(TUESDAY, 12, 5)
    running.site.outage(start - HOUR, start + DAY, until=start + DAY)
    await running.start("silence", start, hours=3, notify=[said])
    await running.until(start + 3 * HOUR)
    assert running.messages == ["No readings from Climkit!"]
