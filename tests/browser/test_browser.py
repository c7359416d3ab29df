"""From the first click to the Energy dashboard, in a real browser, as a person does it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import re
from typing import Any, Final
from urllib.parse import quote, unquote

from aiohttp import web
from homeassistant.util.yaml import parse_yaml
from playwright.async_api import Page
import pytest

from tests.home import PASSWORD, USERNAME, Home
from tests.home.browser import CHROMIUM, listen, log_in, open_page, shot_of_failure
from tests.home.cloud import Cloud
from tests.home.pages import confirm
from tests.home.patience import Patience
from tests.home.seed import CHECKOUT
from tests.home.setup_flow import run_flow
from tests.journey import CREATED, Journey
from tests.simulator import SimulatedSite, sites

from .dashboard import all_there, check_costs, check_energy, costs_announced
from .dialogs import add_two_sites, enter_price, set_up
from .journeys import PRICES

README: Final = CHECKOUT / "README.md"
BLUEPRINT_LINK: Final = (
    r"my\.home-assistant\.io/redirect/blueprint_import/"
    r"\?blueprint_url=([^)]+silence\.yaml)\)"
)


def in_a_browser(test: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a test that needs a browser and sockets."""
    for mark in (
        pytest.mark.browser,
        pytest.mark.slow,
        pytest.mark.usefixtures("socket_enabled"),
        pytest.mark.skipif(
            CHROMIUM is None,
            reason="no Chromium here: scripts/setup --test installs it",
        ),
    ):
        test = mark(test)
    return test


@in_a_browser
async def test_from_the_first_click_to_the_energy_dashboard(
    home: Home, journey: Journey
) -> None:
    complaints: list[str] = []
    async with (
        open_page(language=journey.language) as page,
        shot_of_failure(page, f"browser_{journey.language}"),
    ):
        listen(page, complaints)
        await log_in(page, home.url)
        await set_up(page, journey)
        await all_there(home, journey.site)
        await check_energy(page, journey)

        for component, price in PRICES.items():
            await enter_price(page, journey, component, price)
        await costs_announced(home, journey.site)
        await page.goto(home.url)  # the page keeps the settings that it has read once
        await check_costs(page, journey)

        await home.restart()
        await page.goto(home.url)
        await check_energy(page, journey)
        await check_costs(page, journey)
    assert complaints == []
    assert our_complaints(home) == []


@in_a_browser
async def test_further_sites_and_a_blueprint(tmp_path: Path) -> None:
    """The password is known; a second site takes two clicks; a link brings a blueprint.

    What My Home Assistant does is its own: it opens the address that is opened here. And
    GitHub is played by the folder of this checkout.
    """
    journey = Journey("de", sites.no_pv, "")
    first, last = sites.with_battery(), sites.community()
    options = ("--site=battery", "--site=no-pv", "--site=community")
    complaints: list[str] = []
    async with (
        Cloud(tmp_path / "cloud.log", *options, f"--created={CREATED}") as cloud,
        Home(
            tmp_path / "home",
            language=journey.language,
            environment={"CLIMKIT_API_URL": cloud.url},
        ) as home,
        open_page(language=journey.language) as page,
        shot_of_failure(page, "browser_further_sites"),
    ):
        listen(page, complaints)
        answers = {"username": USERNAME, "password": PASSWORD, "site": first.id}
        await run_flow(home.client, "climkit", answers | {"home": "none"})
        await log_in(page, home.url)
        await add_two_sites(page, journey, last)
        await all_loaded(home, first, journey.site, last)
        await import_blueprint(page, home)
    assert complaints == []
    assert our_complaints(home) == []


async def all_loaded(home: Home, *some: SimulatedSite) -> None:
    """Wait until these sites, and no others, are set up."""
    expected = {(site.name, "loaded") for site in some}
    patience = Patience()
    while True:
        entries = await home.client.command("config_entries/get", domain="climkit")
        states = {(entry["title"], entry["state"]) for entry in entries}
        if states == expected:
            return
        patience.see(states)
        await asyncio.sleep(0.25)


async def import_blueprint(page: Page, home: Home) -> None:
    """Import a blueprint by its link in the README, and find it among the others."""
    (link,) = set(re.findall(BLUEPRINT_LINK, README.read_text("utf-8")))
    at_github = unquote(link)
    path = at_github.partition("/blob/main/")[2]
    async with serving(CHECKOUT) as url:
        here = f"{url}/{path}"
        await page.goto(
            f"{home.url}/_my_redirect/blueprint_import"
            f"?blueprint_url={quote(here, safe='')}"
        )
        dialog = page.locator("ha-dialog-import-blueprint")
        assert await dialog.get_by_role("textbox").input_value() == here
        await confirm(dialog)
        blueprint: Any = parse_yaml((CHECKOUT / path).read_text("utf-8"))
        name = blueprint["blueprint"]["name"]
        await dialog.get_by_text(name, exact=True).wait_for()
        await confirm(dialog)
        await dialog.wait_for(state="hidden")
        await page.locator("ha-blueprint-overview").get_by_text(name).first.wait_for()
    known = await home.client.command("blueprint/list", domain="automation")
    assert known["127.0.0.1/silence.yaml"]["metadata"]["name"] == name


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """Serve the blueprints of a checkout as files, and return the server's address."""
    application = web.Application()
    application.router.add_static("/blueprints", folder / "blueprints")
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def our_complaints(home: Home) -> list[str]:
    """Return what Home Assistant's logs say against what is ours."""
    logs = sorted(home.directory.glob("home-assistant.log*"))
    lines = [line for log in logs for line in log.read_text("utf-8").splitlines()]
    # Home Assistant says so of every custom integration: these are the right logs.
    assert any("custom integration climkit" in line for line in lines)
    return [line for line in lines if re.search(r"custom_components[./]climkit", line)]
