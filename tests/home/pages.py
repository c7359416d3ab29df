"""Home Assistant's pages, used as a person does: read, click, type.

Things are found by what they are called or by their role, never by how they look.
Playwright looks into the shadow roots by itself.
"""

import re

from playwright.async_api import Locator, Page


async def open_integrations(page: Page) -> None:
    """Go to Settings > Devices & services through the side bar."""
    await page.locator('ha-sidebar a[href="/config"]').click()
    await page.locator('a[href^="/config/integrations"]').first.click()
    await page.locator("ha-config-integrations-dashboard").wait_for()


async def begin_set_up(page: Page, name: str, *, again: bool = False) -> Locator:
    """Search for an integration, choose it, and return the dialog of its set-up.

    `again` passes by what is offered as discovered.
    """
    await open_integrations(page)
    await page.locator('ha-config-integrations-dashboard [slot="fab"]').click()
    search = page.locator("dialog-add-integration")
    await search.get_by_role("textbox").fill(name)
    await search.get_by_role("button", name=name, exact=True).click()
    if again:
        key = "ui.panel.config.integrations.new_flow"
        another = await said_by_home_assistant(page, key, integration=name)
        await search.get_by_text(another).click()
    return page.locator("dialog-data-entry-flow")


async def begin_tariff(page: Page, name: str) -> Locator:
    """Press the button `name` on our page of the integrations; return its dialog."""
    await open_integrations(page)
    await page.locator('a[href="/config/integrations/integration/climkit"]').click()
    await page.get_by_role("button", name=name, exact=True).click()
    return page.locator("dialog-data-entry-flow")


async def confirm(dialog: Locator) -> None:
    """Press the button with which a dialog goes on."""
    await dialog.locator('[slot="primaryAction"]').click()


async def words(place: Locator) -> str:
    """Return all that is to be read in a place, as a screen reader would say it."""
    lines = (await place.aria_snapshot()).splitlines()
    return "\n".join(line for line in lines if "- /url: " not in line)


async def said_by_home_assistant(page: Page, key: str, **names: str) -> str:
    """Return one of the page's own texts, in the language that it is shown in."""
    text = await page.evaluate(
        "([key, names]) =>"
        ' document.querySelector("home-assistant").hass.localize(key, names)',
        [key, names],
    )
    assert text, key
    return str(text)


async def open_energy(page: Page) -> None:
    """Go to the Energy dashboard through the side bar; return when it is there."""
    await page.locator('a[href="/energy"]').click()
    await page.locator("hui-energy-sources-table-card").get_by_role("table").wait_for()


async def show_day_of_month(page: Page, day: int) -> None:
    """Step back in the Energy dashboard to a day, at most three days ago."""
    picker = page.locator("hui-energy-date-selection-card")
    back = await said_by_home_assistant(page, "ui.common.previous")
    wanted = picker.get_by_text(re.compile(rf"(?<!\d){day}(?!\d)"))
    for _ in range(3):
        if await wanted.count():
            break
        shown = await words(picker)
        await picker.get_by_role("button", name=back, exact=True).click()
        while await words(picker) == shown:
            await page.wait_for_timeout(50)
    await wanted.wait_for()


async def energy_sources(page: Page) -> dict[str, str]:
    """Return the table of the Energy dashboard: amount with unit by name."""
    table = page.locator("hui-energy-sources-table-card").get_by_role("table")
    return dict(re.findall(r'- rowheader "(.+)"\n +- cell "(.+)"', await words(table)))


async def energy_costs(page: Page) -> dict[str, str]:
    """Return the same table's money by name, of what has any."""
    table = page.locator("hui-energy-sources-table-card").get_by_role("table")
    row = r'- rowheader "(.+)"\n +- cell ".+"\n +- cell "(.+)"'
    return dict(re.findall(row, await words(table)))
