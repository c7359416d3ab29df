"""From the first click to the Energy dashboard, in a real browser, as a person does it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
import json
from pathlib import Path
import re
from typing import Any, Final
from urllib.parse import quote, unquote

from aiohttp import web
from homeassistant.util.yaml import parse_yaml
from playwright.async_api import Locator, Page
import pytest

from tests.home import PASSWORD, USERNAME, Home, HomeError
from tests.home.browser import CHROMIUM, listen, log_in, open_page, shot_of_failure
from tests.home.cloud import Cloud
from tests.home.pages import (
    begin_set_up,
    begin_tariff,
    confirm,
    energy_costs,
    energy_sources,
    open_energy,
    open_integrations,
    show_day_of_month,
    words,
)
from tests.home.patience import Patience
from tests.home.seed import CHECKOUT
from tests.home.setup_flow import run_flow
from tests.journey import CREATED, ZURICH, Journey, texts
from tests.simulator import SimulatedSite, sites

TOLERANCE: Final = 0.005 + 96 * 0.0005
"""In kWh: two decimals in the page, and three in each of a day's quarter hours."""

PRICES: Final = {"grid": 0.2921, "feed_in": 0.06}
"""What is entered from a bill, in CHF per kWh, from the first day on."""
README: Final = CHECKOUT / "README.md"
BLUEPRINT_LINK: Final = (
    r"my\.home-assistant\.io/redirect/blueprint_import/"
    r"\?blueprint_url=([^)]+silence\.yaml)\)"
)
PRICED: Final = {
    "grid_import": ("grid_import_cost", PRICES["grid"]),
    "grid_export": ("grid_export_compensation", PRICES["feed_in"]),
}
"""The flows whose money the Energy dashboard then shows: its statistics and prices."""

JOURNEYS: Final = [
    Journey("de", sites.with_battery, "Wärmepumpe"),
    Journey("fr", sites.community, "Pompe à chaleur"),
]


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


@pytest.fixture(params=JOURNEYS, ids=lambda journey: str(journey.language))
def journey(request: pytest.FixtureRequest) -> Journey:
    """Return each of the journeys."""
    found: Journey = request.param
    return found


@pytest.fixture
async def home(journey: Journey, tmp_path: Path) -> AsyncIterator[Home]:
    """Run a home with nothing of Climkit, and a cloud with two sites."""
    options = ("--site=battery", "--site=community", f"--created={CREATED}")
    async with Cloud(tmp_path / "simulator.log", *options) as cloud:
        environment = {"CLIMKIT_API_URL": cloud.url}
        async with Home(
            tmp_path / "home", language=journey.language, environment=environment
        ) as home:
            yield home


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


async def add_two_sites(page: Page, journey: Journey, last: SimulatedSite) -> None:
    """Add a site of the account that is known, and with it, by two clicks, the last."""
    await open_integrations(page)
    for site in (journey.site, last):  # both are offered, with name and place
        await page.get_by_role("heading", name=f"{site.name}, Lausanne").wait_for()
    dialog = await begin_set_up(page, "Climkit", again=True)

    await read_step(dialog, journey, "account")
    assert await dialog.get_by_role("radio", name=USERNAME, exact=True).is_checked()
    assert await dialog.get_by_role("textbox").count() == 0  # no password
    await confirm(dialog)
    await read_step(dialog, journey, "site")
    await dialog.get_by_role("radio", name=journey.site.name).click()
    await confirm(dialog)
    for step in ("meters", "energy"):
        await read_step(dialog, journey, step)
        await confirm(dialog)

    await read_step(dialog, journey, "others")
    await dialog.get_by_text(last.name).click()
    await confirm(dialog)

    model = journey.texts("selector", "model", "options", "electricity")
    await dialog.get_by_text(model).first.wait_for()
    await confirm(dialog)
    await dialog.wait_for(state="hidden")
    for site in (journey.site, last):
        heading = page.get_by_role("heading", name=f"{site.name}, Lausanne")
        await heading.wait_for(state="detached")


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


async def set_up(page: Page, journey: Journey) -> None:
    """Go through the dialog, with a wrong password at first."""
    dialog = await begin_set_up(page, "Climkit")
    fields = await read_step(dialog, journey, "user")
    await type_into(dialog, fields["username"], USERNAME)
    await type_into(dialog, fields["password"], f"{PASSWORD}!")
    await confirm(dialog)
    refusal = journey.texts("config", "error", "invalid_auth")
    await dialog.get_by_text(refusal).wait_for()
    await read_step(dialog, journey, "user")
    await type_into(dialog, fields["password"], PASSWORD)
    await confirm(dialog)

    await read_step(dialog, journey, "site")
    await dialog.get_by_role("radio", name=journey.site.name).click()
    await confirm(dialog)

    await read_step(dialog, journey, "meters")
    meter = dialog.get_by_role("checkbox", name=journey.left_out)
    assert await meter.is_checked()
    await dialog.get_by_text(journey.left_out).click()
    assert not await meter.is_checked()
    await confirm(dialog)

    await read_step(dialog, journey, "energy")
    # Also a meter that was left out could be the home; here it stays left out.
    assert await dialog.get_by_role("radio", name=journey.left_out).count() == 1
    whole_site = journey.texts("selector", "home", "options", "site")
    choice = dialog.get_by_role("radio", name=whole_site, exact=True)
    assert await choice.is_checked()
    await choice.click()
    await confirm(dialog)

    await read_step(dialog, journey, "others")
    assert await dialog.get_by_role("checkbox").count() == 1
    assert not await dialog.get_by_role("checkbox").is_checked()
    await confirm(dialog)

    # Home Assistant's own last step: what the new devices are called.
    model = journey.texts("selector", "model", "options", "electricity")
    await dialog.get_by_text(model).first.wait_for()
    journey.check(await words(dialog))
    await confirm(dialog)
    await dialog.wait_for(state="hidden")


async def read_step(
    dialog: Locator, journey: Journey, step: str, *flow: str
) -> dict[str, str]:
    """Wait for a step with all its texts, find it translated, and return its labels.

    `flow` leads to the texts of another flow than that of the set-up.
    """
    translated = journey.texts(*(flow or ("config",)), "step", step)
    await dialog.get_by_text(translated["title"], exact=True).first.wait_for()
    for piece in texts(translated):
        await dialog.get_by_text(piece.strip()).first.wait_for()
    journey.check(await words(dialog))
    labels: dict[str, str] = translated["data"]
    return labels


async def enter_price(
    page: Page, journey: Journey, component: str, price: float
) -> None:
    """Add a tariff on the page of the integration, as with a bill in the hand."""
    flow = "config_subentries", "tariff"
    words_of = journey.texts(*flow)
    dialog = await begin_tariff(page, words_of["initiate_flow"]["user"])
    await read_step(dialog, journey, "user", *flow)
    name = journey.texts("selector", "tariff_component", "options", component)
    if name not in await words(dialog.get_by_role("listitem").first):
        await dialog.locator("ha-selector-select").first.click()
        await page.get_by_role("menuitem", name=name, exact=True).click()
        await confirm(dialog)
        # Offered was the next year of what has a price: this one begins with the site.
        await dialog.get_by_text(words_of["error"]["filled_anew"]).wait_for()
    await confirm(dialog)

    step = words_of["step"]["fixed"]
    field = dialog.get_by_role("spinbutton", name=step["data"]["price"])
    await field.fill(str(price))
    journey.check(await words(dialog))
    await confirm(dialog)

    step = words_of["step"]["confirm"]
    ticked = dialog.get_by_role("switch")
    await dialog.get_by_text(step["data"]["dashboard"], exact=True).first.wait_for()
    assert await ticked.is_checked()
    shown = await words(dialog)
    journey.check(shown)
    assert f"{name} " in shown
    assert str(price) in shown
    await confirm(dialog)
    await ticked.wait_for(state="detached")
    # Home Assistant's own last step: that it is done.
    await confirm(dialog)
    await dialog.wait_for(state="hidden")


async def costs_announced(home: Home, site: SimulatedSite) -> None:
    """Wait until the Energy dashboard's settings name what was entered prices for."""
    patience = Patience()
    costs = {f"climkit:{site.id}_{cost}" for cost, _ in PRICED.values()}
    while True:
        preferences = json.dumps(await home.client.command("energy/get_prefs"))
        if all(cost in preferences for cost in costs):
            return
        patience.see(preferences)
        await asyncio.sleep(0.5)


async def check_costs(page: Page, journey: Journey) -> None:
    """Read a whole day's francs off the Energy dashboard, and compare with the bill."""
    day = await open_known_day(page)
    energies = journey.truth(day)
    expected = {}
    for flow, (_, price) in PRICED.items():
        name = f"{journey.site.name} {journey.texts('entity', 'sensor', flow, 'name')}"
        franc = pytest.approx(energies[name] * price, abs=0.005 + TOLERANCE * price)
        expected[name] = franc
    patience = Patience()
    while True:
        table = await energy_costs(page)
        shown = {
            name: number(amount, "CHF")
            for name, amount in table.items()
            if name.startswith(journey.site.name) and amount
        }
        if shown == expected:
            return
        patience.see(table)
        await page.wait_for_timeout(100)


@pytest.mark.parametrize(
    "shown",
    [
        "component.climkit.config.step.user.title",
        '- textbox "site_name*"',
        "The energy of {site}",
        "- paragraph: The password of your API access.",
        "- text: Electricity meter Climkit",
        '- radiogroup "Meters"',
    ],
)
def test_untranslated_words_are_noticed(shown: str) -> None:
    with pytest.raises(AssertionError):
        JOURNEYS[0].check(shown)


async def type_into(dialog: Locator, label: str, text: str) -> None:
    """Type into the field with this label, key by key."""
    field = dialog.get_by_role("textbox", name=label)
    await field.click()
    await field.press_sequentially(text)


async def all_there(home: Home, site: SimulatedSite) -> None:
    """Wait until the history is in and the Energy dashboard names it."""
    entries = await home.client.command("config/entity_registry/list")
    (progress,) = (
        row["entity_id"]
        for row in entries
        if row["unique_id"] == f"{site.id}_history_import"
    )
    patience = Patience()
    while True:
        states = await home.client.states("climkit")
        try:
            preferences = await home.client.command("energy/get_prefs")
        except HomeError:  # nobody has set any
            preferences = {}
        named = f"climkit:{site.id}_grid_import" in json.dumps(preferences)
        percent = states[progress]["state"]
        if named and float(percent) == 100:
            return
        patience.see((named, percent))
        await asyncio.sleep(0.5)


async def open_known_day(page: Page) -> date:
    """Let the Energy dashboard show a day of which everything is known; return it."""
    # Yesterday; early in the morning the day before, for what comes late.
    day = (datetime.now(ZURICH) - timedelta(hours=2)).date() - timedelta(days=1)
    await open_energy(page)
    await show_day_of_month(page, day.day)
    return day


async def check_energy(page: Page, journey: Journey) -> None:
    """Read a whole day off the Energy dashboard, and compare it with the truth."""
    day = await open_known_day(page)
    expected = {
        name: pytest.approx(amount, abs=TOLERANCE)
        for name, amount in journey.truth(day).items()
    }
    shown: dict[str, float] = {}
    patience = Patience()
    while True:
        table = await energy_sources(page)
        shown = {
            name: number(amount, "kWh")
            for name, amount in table.items()
            if name.startswith(journey.site.name)
        }
        if shown == expected:
            break
        patience.see(table)
        await page.wait_for_timeout(100)  # until the page has fetched the day
    devices = await words(page.locator("hui-energy-devices-detail-graph-card"))
    for meter in journey.site.meters:
        if meter.mode == "consumption":
            assert (str(meter.name) in devices) == (meter.name != journey.left_out)


def number(text: str, unit: str) -> float:
    """Return an amount as German and French write it, as a number."""
    assert text.endswith(unit), text
    digits = re.sub(r"[^\d,]", "", text).replace(",", ".")
    return float(digits) * (-1 if text[0] in "-\N{MINUS SIGN}" else 1)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12,31 kWh", 12.31),
        ("-4,4 kWh", -4.4),
        ("\N{MINUS SIGN}7 kWh", -7),
        ("1.234,56 kWh", 1234.56),
        ("1\N{NARROW NO-BREAK SPACE}234,5 kWh", 1234.5),
        ("-0,80\N{NO-BREAK SPACE}CHF", -0.8),
    ],
)
def test_amounts_are_read_as_they_are_written(text: str, amount: float) -> None:
    assert number(text, text[-3:]) == amount


def our_complaints(home: Home) -> list[str]:
    """Return what Home Assistant's logs say against what is ours."""
    logs = sorted(home.directory.glob("home-assistant.log*"))
    lines = [line for log in logs for line in log.read_text("utf-8").splitlines()]
    # Home Assistant says so of every custom integration: these are the right logs.
    assert any("custom integration climkit" in line for line in lines)
    return [line for line in lines if re.search(r"custom_components[./]climkit", line)]
