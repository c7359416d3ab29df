"""An entity that tells no price any longer: its hours have no costs, and that is said."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, later, set_up
from .simulator import SimulatedSite, Simulator, sites
from .tariffs import add_tariff

PRICE = "sensor.price"
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site."""
    return sites.many(1, created=datetime(2026, 6, 15, 22, tzinfo=UTC))[0]


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry, whose grid's energy costs what an entity tells."""
    await hass.config.async_update(currency="CHF")
    tell(hass, "0.25")
    await set_up(hass, entry)
    add_tariff(hass, entry, "grid", pricing="entity", entity_id=PRICE)
    await hass.async_block_till_done()
    return entry


def tell(hass: HomeAssistant, price: str) -> None:
    hass.states.async_set(PRICE, price, {"unit_of_measurement": "CHF/kWh"})


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"no_price_{entry.entry_id}")


async def pass_by(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hours: int
) -> None:
    """Let the last second of so many hours come, and the first minute behind it."""
    now = datetime.now(UTC)
    last = now.replace(minute=59, second=59, microsecond=0) + (hours - 1) * HOUR
    await later(hass, freezer, last - now)
    await later(hass, freezer, timedelta(seconds=61))


@pytest.mark.parametrize("state", ["unavailable", "cheap", None])
async def test_after_a_day_until_a_price_is_told(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    state: str | None,
) -> None:
    """It is gone, or not available, or tells what is no price."""
    await pass_by(hass, freezer, 2)
    if state is None:
        hass.states.async_remove(PRICE)
    else:
        tell(hass, state)
    await pass_by(hass, freezer, 23)
    assert issue(hass, loaded) is None
    await pass_by(hass, freezer, 2)
    found = issue(hass, loaded)
    assert found
    assert found.translation_placeholders == {
        "site": loaded.title,
        "entities": PRICE,
    }
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    assert f"component.{DOMAIN}.issues.{found.translation_key}.title" in texts
    tell(hass, "0.30")
    await pass_by(hass, freezer, 1)
    assert issue(hass, loaded) is None


async def test_until_another_tells_it(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """A further version ends it; the older one keeps its entity, which is gone."""
    hass.states.async_remove(PRICE)
    await pass_by(hass, freezer, 26)
    assert issue(hass, loaded)
    today = datetime.now(UTC).date().isoformat()
    add_tariff(hass, loaded, "grid", price=0.3, valid_from=today)
    await hass.async_block_till_done()
    assert issue(hass, loaded) is None
    await pass_by(hass, freezer, 1)
    assert issue(hass, loaded) is None


async def test_one_that_never_told_any(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """Its day begins when it was asked first; it is gone with its entry."""
    add_tariff(
        hass, loaded, "grid", pricing="entity", entity_id="sensor.never",
        valid_from="2026-06-17",
    )  # fmt: skip
    await pass_by(hass, freezer, 23)
    assert issue(hass, loaded) is None
    await pass_by(hass, freezer, 3)
    found = issue(hass, loaded)
    assert found
    assert (found.translation_placeholders or {})["entities"] == "sensor.never"
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert issue(hass, loaded) is None
