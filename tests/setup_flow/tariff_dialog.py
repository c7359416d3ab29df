"""The forms of tariffs as a person goes through them, each text of which must exist."""

from collections.abc import Iterator
from typing import Any, Self

from homeassistant.config_entries import SOURCE_USER, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.translation import async_get_translations
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.const import DOMAIN
from tests.conftest import LATELY
from tests.simulator import SimulatedSite, sites

AREA = f"component.{DOMAIN}.config_subentries.tariff"

GRID = {"component": "grid", "valid_from": "2026-01-01"}
WEEK = ["mon", "tue", "wed", "thu", "fri"]


def three_flats() -> SimulatedSite:
    """Return a community with three flats: each entity takes its time to set up."""
    flats = ("Appartement 1.1", "Appartement 1.2", "Appartement 2.1")
    return sites.with_few(sites.community(created=LATELY), *flats)


class Dialog:
    """One flow; `shown` is what a person sees now."""

    def __init__(self, hass: HomeAssistant, shown: Any) -> None:
        self._hass = hass
        self.shown = shown

    @classmethod
    async def add(cls, hass: HomeAssistant, entry: MockConfigEntry) -> Self:
        """Begin with a new version."""
        shown = await hass.config_entries.subentries.async_init(
            (entry.entry_id, "tariff"), context={"source": SOURCE_USER}
        )
        dialog = cls(hass, shown)
        await dialog._check()
        return dialog

    @classmethod
    async def change(
        cls, hass: HomeAssistant, entry: MockConfigEntry, subentry: ConfigSubentry
    ) -> Self:
        """Begin to change a version."""
        shown = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
        dialog = cls(hass, shown)
        await dialog._check()
        return dialog

    async def submit(self, **typed: Any) -> None:
        """Send a form off."""
        self.shown = await self._hass.config_entries.subentries.async_configure(
            self.shown["flow_id"], typed
        )
        await self._check()

    @property
    def step(self) -> str | None:
        """Return which form is shown, if any is."""
        form = self.shown["type"] is FlowResultType.FORM
        return self.shown["step_id"] if form else None

    @property
    def errors(self) -> dict[str, str]:
        """Return what is wrong with what was sent off."""
        return self.shown["errors"] or {}

    @property
    def filled(self) -> dict[str, Any]:
        """Return what the form has filled in."""
        return {
            str(key): key.description["suggested_value"]
            for key in self.shown["data_schema"].schema
            if key.description
        }

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the form."""
        schema = self.shown["data_schema"].schema
        return {str(key): field for key, field in schema.items()}

    @property
    def facts(self) -> dict[str, str]:
        """Return what the preview tells."""
        facts: dict[str, str] = self.shown["description_placeholders"]
        return facts

    async def _check(self) -> None:
        texts = await async_get_translations(
            self._hass, "en", "config_subentries", {DOMAIN}
        )
        missing = {key for key in self._keys() if f"{AREA}.{key}" not in texts}
        assert not missing
        if self.step:
            text = texts[f"{AREA}.step.{self.step}.description"]
            text.format(**self.shown["description_placeholders"])

    def _keys(self) -> Iterator[str]:
        if self.step:
            yield f"step.{self.step}.title"
            for field in self.fields:
                yield f"step.{self.step}.data.{field}"
                yield f"step.{self.step}.data_description.{field}"
            yield from (f"error.{key}" for key in self.errors.values())
        elif (
            self.shown["type"] is FlowResultType.ABORT
            and self.shown.get("translation_domain") is None
        ):
            yield f"abort.{self.shown['reason']}"


def only_tariff(entry: MockConfigEntry) -> ConfigSubentry:
    """Return the one tariff that an entry has."""
    (subentry,) = entry.subentries.values()
    return subentry


def price_entity(hass: HomeAssistant, price: object, unit: str | None) -> None:
    """Let the entity tell a price."""
    hass.states.async_set("sensor.price", str(price), {"unit_of_measurement": unit})


async def at_times(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    """Go as far as the prices by time."""
    dialog = await Dialog.add(hass, entry)
    await dialog.submit(**GRID, pricing="times")
    assert dialog.step == "times"
    return dialog


async def at_entity(hass: HomeAssistant, entry: MockConfigEntry, **more: Any) -> Dialog:
    """Go as far as the price of an entity."""
    dialog = await Dialog.add(hass, entry)
    await dialog.submit(**GRID, pricing="entity", **more)
    assert dialog.step == "entity"
    return dialog
