"""Names of statistics: told apart only where they collide, printable, not too long."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.climkit.api import Meter
from custom_components.climkit.statistics.naming import (
    async_statistic_names,
    marked,
    printable,
)

from .sites_by_hand import meter, settled, site_info, statistics_of


async def names(hass: HomeAssistant, *meters: Meter, site: str = "House") -> list[str]:
    info = site_info(*meters, name=site)
    flows = [flow for flow in info.flows if flow.kind == "consumption"]
    return list((await async_statistic_names(hass, info, flows)).values())


@pytest.mark.parametrize(
    ("meters", "expected"),
    [
        pytest.param(
            [meter("a1", "Flat 1", address=11), meter("b2", "Flat 2", address=12)],
            ["House Flat 1", "House Flat 2"],
            id="no collision",
        ),
        pytest.param(
            [
                meter("a1", "Wohnung", address=11),
                meter("b2", "Wohnung", address=12),
                meter("c3", "Lift", address=13),
            ],
            ["House Wohnung (11)", "House Wohnung (12)", "House Lift"],
            id="by address",
        ),
        pytest.param(
            [meter("x0aaaa", "Wohnung"), meter("x0bbbb", "Wohnung", address=12)],
            ["House Wohnung (aaaa)", "House Wohnung (bbbb)"],
            id="one without address",
        ),
        pytest.param(
            [meter("x1aaaa", "Wohnung"), meter("x2aaaa", "Wohnung")],
            ["House Wohnung (1aaaa)", "House Wohnung (2aaaa)"],
            id="ids that end alike",
        ),
        pytest.param([meter("a1", "\0\n ")], ["House a1"], id="nothing to print"),
    ],
)
async def test_meters(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    meters: list[Meter],
    expected: list[str],
) -> None:
    _, *found = await names(hass, *meters)
    assert found == [f"{name} Consumption" for name in expected]


async def test_long_names_differ(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    """The recorder keeps 255 characters; what differs behind them is told apart."""
    long = [meter(f"aa0{n}", "W" * 300 + str(n), address=n) for n in (11, 12)]
    found = await names(hass, *long, site="H" * 300)
    assert len(set(found)) == 3
    assert all(len(name) <= 255 for name in found)
    assert found[1].endswith("… (11) Consumption")


def test_printable() -> None:
    assert printable(" Wohn\0ung\u00a01\t\n ") == "Wohnung 1"
    assert printable("Zähler 3, 1er étage") == "Zähler 3, 1er étage"


def test_a_short_id_is_its_own_mark() -> None:
    assert marked("Flat", "7", None, {"17": None}) == "Flat (7)"


async def test_sites_of_one_name(
    hass: HomeAssistant, recorder_mock: object, enable_custom_integrations: None
) -> None:
    """A site that comes later gives the first a mark, and takes it away when it goes."""
    first = await statistics_of(hass, "first")
    second = await statistics_of(hass, "second")
    one, other = site_info(id_="site-0001"), site_info(id_="site-0002")
    first.async_follow(one)
    assert (await async_statistic_names(hass, one, one.flows[:1])).popitem()[1] == (
        "House Consumption"
    )
    second.async_follow(other)
    for info, mark in ((one, "0001"), (other, "0002")):
        found = await async_statistic_names(hass, info, info.flows[:1])
        assert found.popitem()[1] == f"House ({mark}) Consumption"
    second.async_stop()
    found = await async_statistic_names(hass, one, one.flows[:1])
    assert found.popitem()[1] == "House Consumption"
    await settled(hass)
    first.async_stop()
