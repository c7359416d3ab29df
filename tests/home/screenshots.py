"""The pictures of the README, of demos of their own, in each language that it has.

Run by scripts/screenshots. What they show is yesterday, or early in the morning the day
before: everything is known of it.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
import contextlib
from datetime import datetime, timedelta
from io import BytesIO
import json
from pathlib import Path
import tempfile
from typing import Final
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.async_api import FloatRect, Page

from tests.simulator import sites

from .__main__ import add_climkit, choice_of_meters, say, show_progress
from .browser import log_in, open_page
from .cloud import Cloud
from .home import PASSWORD, USERNAME, Home
from .pages import begin_tariff, confirm, said_by_home_assistant
from .seed import CHECKOUT

LANGUAGES: Final = ("en", "de", "fr")
WIDTH: Final = 1000
SCALE: Final = 1.25
NARROW: Final = 560
TALL: Final = 3600
"""A window of this size shows all cards of a page in one column."""
MARGIN: Final = 16
"""Of the page around a dialog."""
CALM: Final = 4000
"""Milliseconds until a page has its data, and its diagrams stand still."""

WATER_IS_KNOWN: Final = timedelta(hours=7)
"""So long after its end, a day is published with its water."""

STAND_STILL: Final = """() => {
    const still = (node) => {
        node.pauseAnimations?.();
        for (const child of node.children) still(child);
        if (node.shadowRoot) still(node.shadowRoot);
    };
    still(document.body);
}"""


async def main() -> None:
    """Take the pictures of the languages asked for."""
    parser = argparse.ArgumentParser(description="Take the pictures of the README.")
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    for language in parser.parse_args().language or LANGUAGES:
        say(f"Pictures in the language {language}")
        async with home_without_climkit(language) as home:
            await take_all(home, CHECKOUT / "docs" / language, language)


@contextlib.asynccontextmanager
async def home_without_climkit(language: str) -> AsyncIterator[Home]:
    """Run a simulated cloud and Home Assistant in a folder that is deleted after it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Cloud(folder / "simulator.log") as cloud:
            environment = {"CLIMKIT_API_URL": cloud.url}
            async with Home(
                folder / "home", language=language, environment=environment
            ) as home:
                yield home


async def take_all(home: Home, folder: Path, language: str) -> None:
    """Take all pictures of a home into a folder."""
    async with open_page(width=WIDTH, scale=SCALE, language=language) as page:
        # The side bar as icons: what counts is beside it.
        await page.add_init_script("localStorage.dockedSidebar = '\"auto\"'")
        await log_in(page, home.url)
        await take_set_up(page, home, folder)
        await add_climkit(home, {"meters": choice_of_meters()})
        await show_progress(home)
        await take_device(page, home, folder)
        await take_tariff(page, home, folder, language)
        await take_dashboard(page, home, folder)


async def take_set_up(page: Page, home: Home, folder: Path) -> None:
    """Walk through the set-up dialog up to its last step, which is not confirmed."""
    await page.goto(f"{home.url}/config/integrations/dashboard/add?domain=climkit")
    await page.locator('ha-dialog-footer [slot="primaryAction"]').click()
    dialog = page.locator("dialog-data-entry-flow")
    await dialog.locator('input[name="username"]').fill(USERNAME)
    await dialog.locator('input[name="password"]').fill(PASSWORD)
    await confirm(dialog)
    await dialog.locator("ha-selector-select").wait_for()
    for meter in sites.showcase().meters[3:6]:  # the flats
        assert meter.name
        await dialog.locator("ha-selector-select").get_by_role("button").last.click()
        await page.get_by_text(f"{meter.name} (").first.click()
    await take_dialog(page, folder / "meters.png")
    await confirm(dialog)
    await dialog.get_by_role("radio").first.wait_for()
    await take_dialog(page, folder / "energy-step.png")


async def take_tariff(page: Page, home: Home, folder: Path, language: str) -> None:
    """Walk through the form of a tariff up to its preview, which is not confirmed."""
    await page.set_viewport_size({"width": WIDTH, "height": 1200})
    await page.goto(home.url)
    translation = CHECKOUT / "custom_components/climkit/translations"
    words = json.loads((translation / f"{language}.json").read_text())
    tariff = words["config_subentries"]["tariff"]
    dialog = await begin_tariff(page, tariff["initiate_flow"]["user"])
    await dialog.locator("ha-selector-date").wait_for()
    await take_dialog(page, folder / "tariff.png")
    await confirm(dialog)
    await dialog.locator("ha-selector-object").wait_for()
    await confirm(dialog)
    await dialog.locator("ha-selector-boolean").wait_for()
    await take_dialog(page, folder / "tariff-preview.png")


async def take_dialog(page: Page, path: Path) -> None:
    """Take the open dialog."""
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(CALM / 4)
    box = await page.locator("dialog[open]").bounding_box()
    assert box
    area = FloatRect(
        x=box["x"] - MARGIN,
        y=box["y"] - MARGIN,
        width=box["width"] + 2 * MARGIN,
        height=box["height"] + 2 * MARGIN,
    )
    save(await page.screenshot(clip=area), path)


async def take_device(page: Page, home: Home, folder: Path) -> None:
    """Take the page of the site's device."""
    devices = await home.client.command("config/device_registry/list")
    site = sites.showcase()
    (device,) = (row["id"] for row in devices if row["name"] == site.name)
    await page.goto(f"{home.url}/config/devices/device/{device}")
    await take_page(page, folder / "device.png", 1000)


async def take_dashboard(page: Page, home: Home, folder: Path) -> None:
    """Take the Energy dashboard's summary, and what it shows of single devices."""
    await page.goto(f"{home.url}/energy/overview")
    picker = page.locator("hui-energy-date-selection-card")
    await picker.wait_for()
    back = await said_by_home_assistant(page, "ui.common.previous")
    now = datetime.now(ZoneInfo("Europe/Zurich"))
    for _ in range((now.date() - (now - WATER_IS_KNOWN).date()).days + 1):
        await picker.get_by_role("button", name=back, exact=True).click()
    await take_page(page, folder / "energy.png", 1060)
    await page.locator('[data-path="electricity"]').click()
    await page.set_viewport_size({"width": NARROW, "height": TALL})
    await page.wait_for_timeout(CALM)
    costs = page.locator("hui-energy-sources-table-card")
    save(await costs.screenshot(), folder / "costs.png")
    devices = page.locator("hui-energy-devices-detail-graph-card")
    save(await devices.screenshot(), folder / "devices.png")


async def take_page(page: Page, path: Path, height: int) -> None:
    """Take a page as a window of this height shows it."""
    await page.set_viewport_size({"width": WIDTH, "height": height})
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(CALM)
    await page.evaluate(STAND_STILL)
    save(await page.screenshot(), path)


def save(picture: bytes, path: Path) -> None:
    """Write a picture with as many colours as its texts and diagrams need."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(BytesIO(picture)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
    say(f"  {path.relative_to(CHECKOUT)}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    asyncio.run(main())
