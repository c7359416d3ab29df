"""Hundreds of states are written in slices, and none of what goes meanwhile."""

from typing import cast

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity
import pytest

from custom_components.climkit.entities.state_writes import AT_ONCE, state_writes

ODD = 7


def noted(number: int, written: list[int]) -> Entity:
    """Return what is no entity but for the two things that are used of one."""
    return cast(Entity, Noted(number, written))


class Noted:
    """Notes that its state is written, and fails if it is the odd one."""

    def __init__(self, number: int, written: list[int]) -> None:
        self.entity_id = f"sensor.number_{number}"
        self.number = number
        self.written = written

    @callback
    def async_write_ha_state(self) -> None:
        """Note it."""
        self.written.append(self.number)
        if self.number == ODD:
            raise ValueError("odd")


async def test_in_slices(hass: HomeAssistant) -> None:
    """The first at once; the others each time that the loop comes round, in order."""
    written: list[int] = []
    entities = [noted(number, written) for number in range(100, 2 * AT_ONCE + 150)]
    writes = state_writes(hass)
    for entity in entities:
        writes.write(entity)
    assert written == [*range(100, AT_ONCE + 100)]
    writes.write(entities[-1])  # it waits already
    writes.forget(entities[-2])
    await hass.async_block_till_done()
    assert written == [*range(100, 2 * AT_ONCE + 148), 2 * AT_ONCE + 149]
    writes.write(entities[0])
    assert written[-1] == 100


async def test_one_that_fails_holds_up_nobody(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    written: list[int] = []
    writes = state_writes(hass)
    for number in range(100, AT_ONCE + 100):
        writes.write(noted(number, written))
    for number in (ODD - 1, ODD, ODD + 1):
        writes.write(noted(number, written))
    await hass.async_block_till_done()
    assert written[-3:] == [ODD - 1, ODD, ODD + 1]
    assert f"The state of sensor.number_{ODD}" in caplog.text
