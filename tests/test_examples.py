"""The README's example of an action, read out of it and run in a real Home Assistant."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
import re
from typing import Any, cast
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .conftest import NOW, set_up
from .simulator import SimulatedSite, Simulator, sites

README = Path(__file__).parents[1] / "README.md"
ZURICH = ZoneInfo("Europe/Zurich")
QUARTER = timedelta(minutes=15)


def local(day: date, hour: int) -> datetime:
    """Return a time by the clock of the site."""
    return datetime.combine(day, time(hour), ZURICH).astimezone(UTC)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small house that is old enough."""
    return sites.many(1, created=datetime(2026, 5, 20, 22, tzinfo=UTC))[0]


def blocks(title: str) -> list[dict[str, Any]]:
    """Return what stands in a section of the README to be copied."""
    text = README.read_text(encoding="utf-8")
    (section,) = re.findall(
        rf"^## {title}\n(.*?)(?=^## )", text, flags=re.MULTILINE | re.DOTALL
    )
    found = re.findall(r"^```yaml\n(.+?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    return [cast(dict[str, Any], parse_yaml(block)) for block in found]


@pytest.mark.freeze_time(NOW)
async def test_readings_in_a_script(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """The example of the action gives the day's quarter hours, easy to use in templates."""
    await set_up(hass, entry)
    calls = {block["action"]: block for block in blocks("Actions")}
    call = calls["climkit.get_readings"]
    call["data"]["config_entry_id"] = entry.entry_id
    told = {
        "newest": "{{ day.readings.grid_import.intervals[-1].value }}",
        "total": "{{ day.readings.grid_import.total }}",
        "unit": "{{ day.readings.grid_import.unit }}",
        "dinner": """{{ day.readings.grid_import.intervals
            | selectattr('start', 'search', '2026-06-01T19') | sum(attribute='value') }}""",
        "day": "{{ day }}",
    }
    sequence = [call, {"variables": {"told": told}}]
    sequence.append({"stop": "told", "response_variable": "told"})
    assert await async_setup_component(
        hass, "script", {"script": {"tell": {"sequence": sequence}}}
    )
    answer: Any = await hass.services.async_call(
        "script", "tell", blocking=True, return_response=True
    )
    day = date(2026, 6, 1)
    begin, end = local(day, 0), local(day + timedelta(days=1), 0)
    model = site.model("electricity", "15T", begin, end)["from_ext"]
    assert answer["total"] == pytest.approx(sum(model.values()), abs=0.05)
    assert answer["newest"] == pytest.approx(model[end - QUARTER], abs=0.0006)
    assert answer["unit"] == "kWh"
    dinner = site.model("electricity", "15T", local(day, 19), local(day, 20))
    assert answer["dinner"] == pytest.approx(
        sum(dinner["from_ext"].values()), abs=0.003
    )
    intervals = answer["day"]["readings"]["grid_import"]["intervals"]
    assert {
        datetime.fromisoformat(interval["start"]): interval["value"]
        for interval in intervals
    } == {start: pytest.approx(amount, abs=0.0006) for start, amount in model.items()}
