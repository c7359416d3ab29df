"""Both ways of writing statistics, on a real recorder."""

from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
import pytest

from custom_components.climkit.statistics import transactions
from custom_components.climkit.statistics.writer import StatisticsWriter, async_choose

from .ledger import FLOWS, metadata


@pytest.fixture(params=["table", "official"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the way of writing that is in use: as if something private had moved."""
    name: str = request.param
    if name == "official":
        monkeypatch.setattr(transactions, "probe", lambda: "something")
    return name


@pytest.fixture
async def writer(
    recorder_mock: Recorder, hass: HomeAssistant, backend: str
) -> StatisticsWriter:
    """Return a writer whose statistics have been announced."""
    writer = StatisticsWriter(hass)
    assert (await async_choose(hass)).name == backend
    await writer.async_announce([metadata(flow, "Site flow") for flow in FLOWS])
    return writer
