"""Reads of the statistics: errors that a recorder's end brings, and errors of our own."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest

from custom_components.climkit.statistics.queries import async_read
from custom_components.climkit.statistics.updates import RecorderError


def of_the_database(hass: HomeAssistant) -> None:
    """Ask for a session, as every read does."""
    get_instance(hass).get_session()


def of_our_own(hass: HomeAssistant) -> None:
    """Raise what no recorder is to blame for."""
    raise RuntimeError


async def test_the_recorder_stops_while_it_is_read(
    recorder_mock: object, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Home Assistant stops: nothing that would have to be told."""
    monkeypatch.setattr(get_instance(hass), "_get_session", None)
    with pytest.raises(RecorderError):
        await async_read(hass, of_the_database)


async def test_a_fault_is_told(recorder_mock: object, hass: HomeAssistant) -> None:
    with pytest.raises(RuntimeError):
        await async_read(hass, of_our_own)
