"""Goes through the dialogs step by step, with all texts read."""

from playwright.async_api import Locator, Page

from tests.home import PASSWORD, USERNAME
from tests.home.pages import (
    begin_set_up,
    begin_tariff,
    confirm,
    open_integrations,
    words,
)
from tests.journey import Journey, texts
from tests.simulator import SimulatedSite


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


async def type_into(dialog: Locator, label: str, text: str) -> None:
    """Type into the field with this label, key by key."""
    field = dialog.get_by_role("textbox", name=label)
    await field.click()
    await field.press_sequentially(text)
