"""Costs are in Swiss francs: said where Home Assistant would print another currency."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for, set_up
from .simulator import SimulatedSite, Simulator, sites
from .tariffs import add_tariff

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture
def site() -> SimulatedSite:
    """Return a small site."""
    return sites.many(1, created=datetime(2026, 6, 15, 22, tzinfo=UTC))[0]


@pytest.fixture
async def loaded(
    cloud: Simulator, hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry, in a home that counts in euros."""
    await hass.config.async_update(currency="EUR")
    await set_up(hass, entry)
    return entry


def issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, "currency")


async def test_until_it_is_the_franc(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert issue(hass) is None
    add_tariff(hass, loaded, "grid", price=0.30)
    await hass.async_block_till_done()
    found = issue(hass)
    assert found
    assert found.translation_key
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    prefix = f"component.{DOMAIN}.issues.{found.translation_key}"
    for part in ("title", "description"):
        text = texts[f"{prefix}.{part}"].format(**found.translation_placeholders or {})
        assert "EUR" in text
    await hass.config.async_update(currency="CHF")
    await hass.async_block_till_done()
    assert issue(hass) is None


async def test_until_there_are_no_tariffs(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    tariff = add_tariff(hass, loaded, "grid", price=0.30)
    await hass.async_block_till_done()
    assert issue(hass)
    hass.config_entries.async_remove_subentry(loaded, tariff.subentry_id)
    await hass.async_block_till_done()
    assert issue(hass) is None


async def test_until_the_entry_goes(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    add_tariff(hass, loaded, "grid", price=0.30)
    await hass.async_block_till_done()
    assert issue(hass)
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert issue(hass) is None


async def test_once_for_all_sites(
    hass: HomeAssistant, cloud: Simulator, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """It is Home Assistant's currency: one notice, until no site has tariffs."""
    other = sites.many(2, created=site.created)[1]
    cloud.sites.append(other)
    second = entry_for(other)
    await set_up(hass, second)
    for entry in (loaded, second):
        add_tariff(hass, entry, "grid", price=0.30)
    await hass.async_block_till_done()
    assert [id_ for domain, id_ in ir.async_get(hass).issues if domain == DOMAIN] == [
        "currency"
    ]
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert issue(hass)
    await hass.config_entries.async_remove(second.entry_id)
    await hass.async_block_till_done()
    assert issue(hass) is None
