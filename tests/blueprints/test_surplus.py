"""The blueprint that runs an appliance on solar surplus."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from .running import HOUR, QUARTER, STEP, TUESDAY, Running, local

DISHWASHER = "switch.dishwasher"
EXPORT = "sensor.my_building_grid_export_power"
PRICE = "input_number.price"
NOON = local(TUESDAY, 12, 5)


async def _start(running: Running, now: datetime = NOON, **inputs: Any) -> None:
    switch = {"name": "Dishwasher", "turn_on": [], "turn_off": []}
    assert await async_setup_component(
        running.hass, "template", {"template": [{"switch": switch}]}
    )
    await running.set_up(now)
    await _turn(running, "off")
    await running.automate(
        "surplus", export=EXPORT, appliance=DISHWASHER, **{"surplus": 1500} | inputs
    )


async def _turn(running: Running, to: str) -> None:
    data = {"entity_id": DISHWASHER}
    await running.hass.services.async_call("switch", f"turn_{to}", data, blocking=True)


def _exported(running: Running, at: datetime) -> float:
    """Return the power, in W, of the newest quarter hour that is published."""
    rows = running.site.model("electricity", "15T", at - 8 * HOUR, at, at=at)["to_ext"]
    return rows[max(rows)] * 4000


async def _switched(running: Running, to: str, end: datetime) -> datetime:
    """Wait until the appliance is switched, and return when it was."""
    while running.state(DISHWASHER) != to:
        await running.until(dt_util.utcnow() + STEP)
        assert dt_util.utcnow() < end
    return dt_util.utcnow()


def _has_enough(running: Running, at: datetime, share: int) -> bool:
    """Return whether by the model there has been surplus for twenty minutes."""
    return all(
        _exported(running, at - number * STEP) * share / 100 > 1500
        for number in range(5)
    )


@pytest.mark.parametrize("share", [100, 50])
async def test_it_starts_when_there_is_surplus(running: Running, share: int) -> None:
    """Once two quarter hours had enough for this share of the roof, and soon after."""
    morning = local(TUESDAY, 8, 5)
    assert not _has_enough(running, morning, share)
    await _start(running, morning, share=share)
    started = await _switched(running, STATE_ON, local(TUESDAY, 15))
    steps = (morning + number * STEP for number in range(120))
    enough = next(at for at in steps if _has_enough(running, at, share))
    assert timedelta(0) <= started - enough <= QUARTER
    (message,) = await running.finished()
    assert message.startswith("Dishwasher is on: ")
    exported = _exported(running, started - STEP)
    assert f" {exported:.0f} W were exported." in message


async def test_it_does_not_start_by_old_or_unknown_values(running: Running) -> None:
    """A cloud that fell silent in bright sunshine says nothing of the sun now."""
    back = local(TUESDAY, 14, 30)
    running.site.outage(local(TUESDAY, 11), back, until=back)
    await _start(running)
    await running.reload()
    await running.until(local(TUESDAY, 12, 55))
    assert float(running.state(EXPORT)) > 1500
    assert running.state(DISHWASHER) == STATE_OFF
    await running.until(local(TUESDAY, 14, 25))
    assert running.state(EXPORT) == STATE_UNKNOWN
    assert running.state(DISHWASHER) == STATE_OFF
    await running.until(local(TUESDAY, 15, 25))
    assert running.state(DISHWASHER) == STATE_ON


@pytest.mark.parametrize(("latest", "state"), [("16:00", "off"), ("18:00", "on")])
async def test_it_does_not_start_into_the_evening(
    running: Running, latest: str, state: str
) -> None:
    await _start(running, local(TUESDAY, 15, 45), latest=f"{latest}:00")
    await running.reload()
    await running.until(local(TUESDAY, 16, 45))
    assert _exported(running, local(TUESDAY, 16, 45)) > 1500
    assert running.state(DISHWASHER) == state


async def _clouded(running: Running, **inputs: Any) -> datetime:
    """Start it, and let a cloud come at one o'clock; return when it was started."""
    cloud = local(TUESDAY, 13)
    running.site.revise(cloud, cloud + 6 * HOUR, factor=0.0, meters=[_plant(running)])
    await _start(running, **inputs)
    await running.reload()
    return await _switched(running, STATE_ON, cloud)


def _plant(running: Running) -> str:
    """Return the id of the solar plant's meter."""
    (plant,) = (meter.id for meter in running.site.meters if "sol" in str(meter.name))
    return plant


async def test_it_stops_when_the_surplus_is_over(running: Running) -> None:
    """As late as the cloud is published, and five minutes of patience."""
    await _clouded(running, least=0)
    stopped = await _switched(running, STATE_OFF, local(TUESDAY, 16))
    published = local(TUESDAY, 13) + QUARTER + running.site.publication_delay
    assert published <= stopped <= published + 3 * STEP


async def test_it_runs_for_the_least_time(running: Running) -> None:
    started = await _clouded(running, least=180)
    stopped = await _switched(running, STATE_OFF, local(TUESDAY, 17))
    assert 3 * HOUR <= stopped - started <= 3 * HOUR + 3 * STEP


async def test_it_keeps_running_while_there_is_surplus(running: Running) -> None:
    await _start(running, least=0)
    await running.reload()
    await _switched(running, STATE_ON, local(TUESDAY, 13))
    while dt_util.utcnow() < local(TUESDAY, 15):
        await running.until(dt_util.utcnow() + STEP)
        assert running.state(DISHWASHER) == STATE_ON


async def test_it_stops_when_nothing_is_known(running: Running) -> None:
    """Readings of more than an hour ago are no reason to run on."""
    silent = local(TUESDAY, 13)
    running.site.outage(silent, silent + 9 * HOUR, until=silent + 9 * HOUR)
    await _start(running, least=0)
    await running.reload()
    await _switched(running, STATE_ON, silent)
    stopped = await _switched(running, STATE_OFF, local(TUESDAY, 16))
    assert HOUR <= stopped - silent <= HOUR + 3 * STEP


async def test_it_is_only_started_if_so_chosen(running: Running) -> None:
    await _clouded(running, least=0, switch_off=False)
    await running.until(local(TUESDAY, 16))
    assert running.state(DISHWASHER) == STATE_ON


async def test_it_runs_only_below_a_price(running: Running) -> None:
    """A price that is not known is none below it."""
    number = {"min": 0, "max": 1, "step": 0.01, "initial": 0.3}
    assert await async_setup_component(
        running.hass, "input_number", {"input_number": {"price": number}}
    )
    await _start(running, least=0, price=PRICE, highest=0.25)
    await running.reload()
    await running.until(local(TUESDAY, 13))
    assert running.state(DISHWASHER) == STATE_OFF
    running.hass.states.async_set(PRICE, STATE_UNKNOWN)
    await running.until(local(TUESDAY, 13, 30))
    assert running.state(DISHWASHER) == STATE_OFF
    await _priced(running, 0.2)
    started = await _switched(running, STATE_ON, local(TUESDAY, 15))
    assert 4 * STEP <= started - local(TUESDAY, 13, 30) <= 6 * STEP
    await _priced(running, 0.25)
    stopped = await _switched(running, STATE_OFF, local(TUESDAY, 15))
    assert STEP <= stopped - started <= 3 * STEP


async def _priced(running: Running, price: float) -> None:
    running.hass.states.async_set(PRICE, str(price))
    await running.hass.async_block_till_done()
