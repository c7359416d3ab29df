"""A Home Assistant of its own that imports a history, to be killed: the target of a fork."""

import asyncio
from datetime import datetime
import os
from pathlib import Path
from typing import Final
from unittest.mock import patch

from custom_components.climkit.api import queue

from .bench.home import add, home
from .simulator import sites

PACE: Final = 0.25
"""Seconds between requests: enough to be killed in between."""


def live(folder: Path, created: datetime, url: str) -> None:
    """Live in a folder until the history is in."""
    os.environ["CLIMKIT_API_URL"] = url
    with patch.object(queue, "MIN_INTERVAL", PACE):
        asyncio.run(_live(folder, created))


async def _live(folder: Path, created: datetime) -> None:
    site = sites.large(4, created=created)
    async with home(folder) as hass:
        chosen = [meter.id for meter in site.meters if meter.mode == "consumption"]
        entry = await add(hass, site, chosen)
        history = entry.runtime_data.history
        done = asyncio.Event()

        def advanced() -> None:
            if history.data >= 100:
                done.set()

        history.async_add_listener(advanced)
        advanced()
        await done.wait()
