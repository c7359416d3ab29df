"""What can have a price at a site, and what cannot."""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..conftest import LATELY, NOW, entry_for, set_up
from ..simulator import SimulatedMeter, SimulatedSite, Simulator, sites
from .tariff_dialog import GRID, Dialog

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.mark.parametrize(
    ("site", "components"),
    [
        (sites.community(created=LATELY), ["grid", "solar", "feed_in"]),
        (sites.no_pv(created=LATELY), ["grid"]),
        (sites.heat_only(created=LATELY), ["heating", "cold_water", "hot_water"]),
    ],
    ids=["community", "without the sun", "heat and water"],
)
async def test_only_what_the_site_has(
    hass: HomeAssistant, loaded: MockConfigEntry, components: list[str]
) -> None:
    dialog = await Dialog.add(hass, loaded)
    assert dialog.fields["component"].config["options"] == components


def only(*types: str) -> SimulatedSite:
    """Return a site of which meters of these types alone are metered."""
    site = sites.community(charge_points=2, created=LATELY)
    site.meters = [meter for meter in site.meters if meter.type in types]
    return site


@pytest.mark.parametrize("site", [only("charge_point")])
async def test_charge_points_alone(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """What they draw from grid and sun can have a price."""
    dialog = await Dialog.add(hass, loaded)
    assert dialog.fields["component"].config["options"] == ["grid", "solar"]
    meters = [meter.id for meter in site.meters]
    await dialog.submit(**GRID, meters=meters, pricing="fixed")
    assert dialog.step == "fixed"


def unpriced() -> SimulatedSite:
    """Return a site that has a meter of a kind of which nobody has told."""
    site = only()
    site.meters = [
        SimulatedMeter(
            id="63d9a1f000000000000000a1",
            name="Blindstrom",
            type="reactive",
            prim_ad=13,
            profile="household",
        )
    ]
    return site


@pytest.mark.parametrize("site", [unpriced()])
async def test_nothing_that_can_have_a_price(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    dialog = await Dialog.add(hass, loaded)
    assert dialog.shown["type"] is FlowResultType.ABORT
    assert dialog.shown["reason"] == "nothing_to_price"


@pytest.mark.parametrize("site", [sites.heat_only(created=LATELY)])
async def test_water(
    hass: HomeAssistant, loaded: MockConfigEntry, site: SimulatedSite
) -> None:
    """In CHF per m³: four francs are usual; no entity tells such a price."""
    dialog = await Dialog.add(hass, loaded)
    typed = {"component": "cold_water", "valid_from": "2026-01-01"}
    await dialog.submit(**typed, pricing="entity")
    assert dialog.errors == {"pricing": "no_entity_for_water"}
    await dialog.submit(**typed, pricing="fixed")
    price = dialog.fields["price"]
    assert price.config["unit_of_measurement"] == "CHF/m³"
    await dialog.submit(price=415)
    assert dialog.errors == {"base": "in_rappen"}
    await dialog.submit(price=4.15)
    assert dialog.step == "confirm"
    assert dialog.facts["title"] == "Cold water from 2026-01-01 · 4.15"
    assert dialog.facts["energy"].endswith(" m³")


async def test_without_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Nothing is asked for that there is not."""
    entry = entry_for(site, meters=[])
    await set_up(hass, entry)
    dialog = await Dialog.add(hass, entry)
    assert "meters" not in dialog.fields
