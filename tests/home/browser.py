"""A real Chromium that looks at a home's page, for browser tests and screenshots."""

from collections.abc import AsyncIterator
import contextlib
from pathlib import Path
import shutil
from typing import Final

from playwright.async_api import ConsoleMessage, Page, async_playwright

from .home import PASSWORD, USERNAME
from .patience import STALLED

NAMES: Final = (
    "chromium-headless-shell",  # the same without windows, menus and their processes
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
CHROMIUM: Final = next(filter(None, map(shutil.which, NAMES)), None)
"""Path of the browser, None where there is none; `scripts/setup --test` installs it."""

SHOTS: Final = Path(__file__).parent / "shots"
"""Where pictures of failures go; not under version control."""

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextlib.asynccontextmanager
async def open_page(
    *,
    width: int = 1280,
    height: int = 900,
    scale: float = 1,
    language: str = "en",
    dark: bool = False,
) -> AsyncIterator[Page]:
    """Open an empty page in a browser of its own; `language` is the browser's.

    `scale` is how many of a picture's pixels make one of the page.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS)
        )
        try:
            page = await browser.new_page(
                viewport={"width": width, "height": height},
                device_scale_factor=scale,
                locale=language,
                timezone_id="Europe/Zurich",
                color_scheme="dark" if dark else "light",
                # Without a graphics card, each frame of what moves is painted by the
                # processor, for as long as somebody waits.
                reduced_motion="reduce",
            )
            page.set_default_timeout(STALLED * 1000)
            yield page
        finally:
            await browser.close()


async def log_in(page: Page, url: str) -> None:
    """Log in by typing, as a person would, and return when the page is there."""
    await page.goto(url)
    await page.locator('input[name="username"]').fill(USERNAME)
    await page.locator('input[name="password"]').fill(PASSWORD)
    await page.locator('input[name="password"]').press("Enter")
    await page.locator("home-assistant-main").wait_for()


@contextlib.asynccontextmanager
async def shot_of_failure(page: Page, name: str) -> AsyncIterator[None]:
    """Leave a picture of the page when what is done inside fails, and say where."""
    try:
        yield
    except BaseException as err:
        SHOTS.mkdir(exist_ok=True)
        path = SHOTS / f"{name}.png"
        with contextlib.suppress(Exception):
            await page.screenshot(path=path, timeout=10_000)
            err.add_note(f"What the page showed then: {path}")
        raise


def listen(page: Page, complaints: list[str]) -> None:
    """Keep what the browser's console says against what is ours.

    When its server goes away, the page has errors of its own.
    """

    def keep(said: str) -> None:
        if "climkit" in said.casefold():
            complaints.append(said)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            keep(f"{message.text} ({message.location['url']})")

    page.on("console", hear)
    page.on("pageerror", lambda error: keep(f"{error.message} {error.stack}"))
