"""Which meters, and what goes into the Energy dashboard."""

from homeassistant.components.energy.data import EnergyManager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest

from custom_components.climkit.const import CONF_METERS, CONF_OFFERED
from tests.conftest import LATELY
from tests.simulator import SimulatedMeter, SimulatedSite, Simulator, sites

from .dialog import (
    accept,
    choices,
    energy_step,
    log_in,
    mode,
    offered,
    options_step,
    preselected,
    submit,
    with_grid,
)

pytestmark = pytest.mark.usefixtures("every_text_exists", "without_set_up")


async def test_site_without_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    site.meters[:] = [meter for meter in site.meters if meter.mode == "introduction"]
    result = await log_in(hass)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["options"] == {CONF_METERS: [], CONF_OFFERED: []}


async def test_many_meters(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    """Of more than ten, those that produce are preselected."""
    site.meters += [
        SimulatedMeter(id=f"{number:024x}", name=f"Flat {number}")
        for number in range(9)
    ]
    shown = await log_in(hass)
    assert preselected(shown) == [
        meter.id for meter in site.meters if meter.mode == "production"
    ]
    assert list(choices(shown)) == offered(site)
    await accept(hass, shown, site)


KINDS = [
    ("electricity", "consumption", "Electricity consumption", "Stromverbrauch"),
    ("electricity", "production", "Electricity production", "Stromproduktion"),
    ("electricity", "submeter", "Electricity", "Strom"),
    ("heating", "consumption", "Heating", "Heizung"),
    ("cooling", "consumption", "Cooling", "Kühlung"),
    ("cold_water", "consumption", "Cold water", "Kaltwasser"),
    ("hot_water", "consumption", "Hot water", "Warmwasser"),
    ("charge_point", "consumption", "Charge point", "Ladestation"),
    ("compressed_air", "consumption", "Compressed air", "Compressed air"),
]


@pytest.mark.parametrize(("language", "column"), [("en", 2), ("de", 3)])
async def test_labels_of_meters(
    hass: HomeAssistant,
    cloud: Simulator,
    site: SimulatedSite,
    language: str,
    column: int,
) -> None:
    """Name and kind, in the language of the system; a new kind as the cloud calls it."""
    hass.config.language = language
    site.meters[:] = [
        SimulatedMeter(id=f"{number:024x}", name="M", type=kind[0], mode=kind[1])
        for number, kind in enumerate(KINDS)
    ]
    labels = choices(await log_in(hass))
    assert list(labels.values()) == [f"M ({kind[column]})" for kind in KINDS]


# --- The Energy dashboard -------------------------------------------------------------


async def test_not_without_the_dashboard(
    hass: HomeAssistant, cloud: Simulator, site: SimulatedSite
) -> None:
    result = await submit(hass, await log_in(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "home" not in result["options"]


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        (
            "en",
            [
                "Leave my Energy dashboard as it is",
                "The whole site",
                *["(Electricity consumption)"] * 8,
                "(Charge point)",
                "(Electricity consumption)",
            ],
        ),
        (
            "de",
            [
                "Mein Energie-Dashboard so lassen, wie es ist",
                "Der ganze Standort",
                *["(Stromverbrauch)"] * 8,
                "(Ladestation)",
                "(Stromverbrauch)",
            ],
        ),
    ],
)
@pytest.mark.parametrize(
    "site", [sites.community(heat=True, charge_points=1, created=LATELY)]
)
async def test_choices(
    hass: HomeAssistant,
    energy: EnergyManager,
    site: SimulatedSite,
    language: str,
    labels: list[str],
) -> None:
    """Nothing, the whole site, and the meters that know grid and sun apart."""
    hass.config.language = language
    plant = [m.id for m in site.meters if m.mode == "production"]
    shown = await energy_step(hass, meters=plant)
    assert shown["description_placeholders"] == {"site": site.name}
    found = choices(shown)
    meters = [
        meter.id
        for meter in site.meters
        if meter.mode == "consumption" and meter.type in ("electricity", "charge_point")
    ]
    assert list(found) == ["none", "site", *meters]
    assert all(
        label.endswith(expected)
        for label, expected in zip(found.values(), labels, strict=True)
    )
    assert mode(shown) == "dropdown"


async def test_preselected_without_a_grid(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    shown = await energy_step(hass)
    assert preselected(shown) == "site"
    result = await submit(hass, shown)
    assert result["options"]["home"] == "site"
    assert result["options"][CONF_METERS] == offered(site)


async def test_preselected_with_a_grid(
    hass: HomeAssistant, energy: EnergyManager
) -> None:
    """Whoever has a dashboard and clicks through gets nothing new in it."""
    with_grid(energy)
    shown = await energy_step(hass)
    assert preselected(shown) == "none"
    result = await submit(hass, shown)
    assert result["options"]["home"] == "none"


async def test_preselected_in_doubt(
    hass: HomeAssistant, energy: EnergyManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preferences that nobody can look at are left alone."""
    monkeypatch.delattr(
        "homeassistant.components.energy.data.async_get_manager", raising=True
    )
    assert preselected(await energy_step(hass)) == "none"


async def test_one_meter(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """A resident's flat; it gets the history that the dashboard shows."""
    flat = site.meter("Appartement 2.1").id
    plant = site.meter("Installation solaire").id
    result = await submit(hass, await energy_step(hass, meters=[plant]), home=flat)
    assert result["options"]["home"] == flat
    assert result["options"][CONF_METERS] == [plant, flat]
    (entry,) = hass.config_entries.async_entries("climkit")
    other = site.meter("Appartement 1.1").id
    shown = await options_step(hass, entry, meters=[flat])
    options = hass.config_entries.options
    result = await options.async_configure(shown["flow_id"], {"home": other})
    assert result["data"][CONF_METERS] == [flat, other]


async def test_a_meter_that_is_not_offered(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    shown = await energy_step(hass)
    with pytest.raises(InvalidData):
        await submit(hass, shown, home=site.meter("Installation solaire").id)


async def test_dashboard_of_a_site_without_meters(
    hass: HomeAssistant, energy: EnergyManager, site: SimulatedSite
) -> None:
    """The site as a whole can be in the dashboard all the same."""
    site.meters[:] = [meter for meter in site.meters if meter.mode == "introduction"]
    shown = await log_in(hass)
    assert shown["step_id"] == "energy"
    assert list(choices(shown)) == ["none", "site"]
    result = await submit(hass, shown)
    assert result["options"][CONF_METERS] == []
    (entry,) = hass.config_entries.async_entries("climkit")
    shown = await hass.config_entries.options.async_init(entry.entry_id)
    assert shown["step_id"] == "energy"
    assert list(choices(shown)) == ["none", "site"]
