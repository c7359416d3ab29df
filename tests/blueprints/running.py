"""A blueprint imported by its link and made an automation, as a user does it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import persistent_notification
from homeassistant.components.blueprint import importer
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket

from custom_components.climkit.const import DOMAIN
from tests.conftest import set_up
from tests.simulator import SimulatedSite

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "blueprints" / "automation" / "climkit"
SOURCE: Final = "https://github.com/ha-climkit/ha-climkit/blob/main/"
RAW: Final = "https://raw.githubusercontent.com/ha-climkit/ha-climkit/main/"

ZURICH: Final = ZoneInfo("Europe/Zurich")
STEP: Final = timedelta(minutes=5)
QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
TUESDAY: Final = date(2026, 6, 16)

LAST_READING: Final = "sensor.my_building_last_reading"
CREATED_BEFORE: Final = timedelta(days=3)
"""Enough where nothing is compared with what was before."""


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a time by the clock of the site, in UTC."""
    return datetime.combine(day, time(hour, minute), ZURICH).astimezone(UTC)


def url_of(name: str) -> str:
    """Return the address from which a blueprint is imported."""
    return f"{SOURCE}blueprints/automation/climkit/{name}.yaml"


class _GitHub:
    """What GitHub has at its raw addresses: the files of this repository."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    async def get(self, url: str, *, raise_for_status: bool) -> _GitHub:
        assert raise_for_status
        assert url.startswith(RAW)
        path = ROOT / url.removeprefix(RAW)
        return _GitHub(await asyncio.to_thread(path.read_text, "utf-8"))

    async def text(self) -> str:
        return self._text


@dataclass
class Running:
    """An automation made of a blueprint, in a Home Assistant with one site."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    site: SimulatedSite
    entry: MockConfigEntry
    websocket: MockHAClientWebSocket
    messages: list[str] = field(default_factory=list)
    """What notifications in the sidebar said, the oldest first."""

    @property
    def flat(self) -> str:
        """Return the id of the flat's meter."""
        return self.site.meter("My flat").id

    async def set_up(
        self, now: datetime, *, created_before: timedelta = CREATED_BEFORE
    ) -> None:
        """Set up the site at a moment."""
        self.freezer.move_to(now)
        self.site.created = now - created_before
        await self.hass.config.async_set_time_zone("Europe/Zurich")
        assert await async_setup_component(self.hass, "homeassistant", {})
        assert await async_setup_component(self.hass, "persistent_notification", {})
        persistent_notification.async_register_callback(self.hass, self._notified)
        await set_up(self.hass, self.entry)

    async def automate(self, name: str, **inputs: Any) -> None:
        """Import a blueprint and save an automation with it."""
        inputs = {"last_reading": LAST_READING, **inputs}
        config = Path(self.hass.config.config_dir)
        await asyncio.to_thread(
            (config / "configuration.yaml").write_text, "automation: !include all.yaml"
        )
        await asyncio.to_thread((config / "all.yaml").write_text, "[]")
        assert await async_setup_component(self.hass, "automation", {})
        path = f"{await self._imported(name)}.yaml"
        made = {"alias": name, "use_blueprint": {"path": path, "input": inputs}}
        await asyncio.to_thread((config / "all.yaml").write_text, json.dumps([made]))
        await self.hass.services.async_call("automation", "reload", blocking=True)
        (automation,) = self.hass.states.async_all("automation")
        assert automation.state == STATE_ON
        assert not automation.attributes.get("restored")

    async def _imported(self, name: str) -> str:
        """Import a blueprint as My Home Assistant does, and return where it is."""
        client = self.websocket
        github = SimpleNamespace(async_get_clientsession=lambda _: _GitHub())
        with patch.object(importer, "aiohttp_client", github):
            await client.send_json_auto_id(
                {"type": "blueprint/import", "url": url_of(name)}
            )
            answer = await client.receive_json()
        assert answer["success"], answer
        found = answer["result"]
        assert found["validation_errors"] is None
        assert found["blueprint"]["metadata"]["source_url"] == url_of(name)
        suggested: str = found["suggested_filename"]
        await client.send_json_auto_id(
            {
                "type": "blueprint/save",
                "domain": "automation",
                "path": suggested,
                "yaml": found["raw_data"],
                "source_url": url_of(name),
            }
        )
        answer = await client.receive_json()
        assert answer["success"], answer
        await client.close()
        return suggested

    async def start(self, name: str, now: datetime, **inputs: Any) -> None:
        """Set up the site at a moment and then the automation."""
        await self.set_up(now)
        await self.automate(name, **inputs)

    def device(self) -> str:
        """Return the id of the flat's device."""
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, self.flat), self.entry.entry_id
        )
        assert device is not None
        return device.id

    async def until(self, end: datetime, step: timedelta = STEP) -> None:
        """Let time pass, and all happen that was due, while the automation may wait."""
        while dt_util.utcnow() < end:
            self.freezer.tick(step)
            async_fire_time_changed(self.hass)
            await asyncio.sleep(0)
            while due := [
                task
                for task in self.hass._tasks | self.hass._background_tasks
                if "'domain': 'automation'" not in repr(task)
            ]:
                await asyncio.wait(due)

    async def reload(self) -> None:
        """Set up the site anew: a trigger that was met at its start is met again."""
        await self.hass.config_entries.async_reload(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def stop(self) -> None:
        """Switch the automation off."""
        if self.hass.services.has_service("automation", "turn_off"):
            await self.hass.services.async_call(
                "automation", "turn_off", {"entity_id": "all"}, blocking=True
            )

    async def finished(self) -> list[str]:
        """Wait for the automation to end, and return what it said."""
        await self.hass.async_block_till_done(wait_background_tasks=True)
        return self.messages

    def waits(self) -> bool:
        """Return whether the automation has begun and not ended."""
        (automation,) = self.hass.states.async_all("automation")
        return bool(automation.attributes["current"])

    def state(self, entity_id: str) -> str:
        """Return the state of an entity."""
        state = self.hass.states.get(entity_id)
        assert state is not None
        return state.state

    def model(
        self, column: str, start: datetime, end: datetime, resolution: str = "15T"
    ) -> Mapping[datetime, float]:
        """Return what was really measured, in kWh by the start of the interval."""
        return self.site.model("electricity", resolution, start, end)[column]

    def _notified(
        self,
        update: persistent_notification.UpdateType,
        notifications: dict[str, persistent_notification.Notification],
    ) -> None:
        if update is persistent_notification.UpdateType.ADDED:
            self.messages += [some["message"] for some in notifications.values()]
