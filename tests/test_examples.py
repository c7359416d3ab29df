"""The README's examples of actions, read out of it and run in a real Home Assistant."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
import re
from typing import Any, cast
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .conftest import NOW, entry_for, history_done, set_up
from .ledger import model_hours, rows_of
from .simulator import SimulatedSite, Simulator, sites
from .tariffs import add_tariff

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


def example(action: str, entry: MockConfigEntry) -> dict[str, Any]:
    """Return the README's call of an action, of this entry."""
    calls = {block["action"]: block for block in blocks("Actions")}
    call = calls[f"climkit.{action}"]
    call["data"]["config_entry_id"] = entry.entry_id
    return call


async def told_by(
    hass: HomeAssistant, call: dict[str, Any], told: dict[str, str]
) -> dict[str, Any]:
    """Run a call in a script, and return what templates make of its answer."""
    sequence = [call, {"variables": {"told": told}}]
    sequence.append({"stop": "told", "response_variable": "told"})
    assert await async_setup_component(
        hass, "script", {"script": {"tell": {"sequence": sequence}}}
    )
    answer = await hass.services.async_call(
        "script", "tell", blocking=True, return_response=True
    )
    return cast(dict[str, Any], answer)


@pytest.mark.freeze_time(NOW)
async def test_readings_in_a_script(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """The example of the action gives the day's quarter hours, easy to use in templates."""
    await set_up(hass, entry)
    call = example("get_readings", entry)
    told = {
        "newest": "{{ day.readings.grid_import.intervals[-1].value }}",
        "total": "{{ day.readings.grid_import.total }}",
        "unit": "{{ day.readings.grid_import.unit }}",
        "dinner": """{{ day.readings.grid_import.intervals
            | selectattr('start', 'search', '2026-06-01T19') | sum(attribute='value') }}""",
        "day": "{{ day }}",
    }
    answer = await told_by(hass, call, told)
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


@pytest.mark.freeze_time("2026-10-02T10:05:00+00:00")
async def test_statement_in_a_script(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """The bill of a flat for three months: two prices by the model, and three fees."""
    site.created = local(date(2026, 6, 30), 0)
    flat = site.meter("Appartement 1.1").id
    entry = entry_for(site, meters=[flat])
    await set_up(hass, entry)
    await history_done(entry)
    data = {"valid_from": "2026-01-01", "meters": [flat]}
    add_tariff(hass, entry, "grid", price=0.27, monthly_fee=8.0, **data)
    add_tariff(hass, entry, "solar", price=0.18, **data)
    await hass.async_block_till_done(wait_background_tasks=True)
    call = example("get_statement", entry)
    device = dr.async_get(hass).async_get_device_by_identifier(
        ("climkit", flat), entry.entry_id
    )
    assert device
    call["data"]["meter"] = device.id
    told = {
        "bill": "{{ bill }}",
        "components": "{{ bill['items'] | map(attribute='component') | list }}",
        "total": "{{ bill.total }}",
        "fees": "{{ bill.fees }}",
    }
    answer = await told_by(hass, call, told)
    begin, end = local(date(2026, 7, 1), 0), local(date(2026, 10, 1), 0)
    model = site.model("electricity", "15T", begin, end)
    costs = {
        "grid": sum(model[f"ext_{flat}"].values()) * 0.27,
        "solar": sum(model[f"self_{flat}"].values()) * 0.18,
    }
    assert answer["components"] == list(costs)
    bill = answer["bill"]
    assert {one["component"]: one["cost"] for one in bill["items"]} == pytest.approx(
        costs, abs=0.05
    )
    assert answer["fees"] == pytest.approx(24.0, abs=1e-3)
    assert answer["total"] == pytest.approx(sum(costs.values()) + 24.0, abs=0.1)
    assert bill["unpriced_hours"] == 0


@pytest.mark.freeze_time("2026-07-05T10:05:00+00:00")
async def test_tariff_in_a_script(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite, entry: MockConfigEntry
) -> None:
    """What is fed in from July on is paid for; what was before is not."""
    await set_up(hass, entry)
    await history_done(entry)
    await told_by(hass, example("set_tariff", entry), {"done": "{{ true }}"})
    await hass.async_block_till_done(wait_background_tasks=True)
    now = dt_util.utcnow()
    fed_in = model_hours(site, "to_ext", local(date(2026, 7, 1), 0), now, at=now)
    rows = await rows_of(hass, f"climkit:{site.id}_grid_export_compensation")
    assert {hour: state for hour, (state, _) in rows.items()} == pytest.approx(
        {hour: amount * 0.0745 for hour, amount in fed_in.items()}, abs=0.0003
    )
