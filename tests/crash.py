"""A Home Assistant of its own that imports a history, to be killed: python -m tests.crash."""

import argparse
import asyncio
from datetime import datetime
from pathlib import Path

from .bench.home import add, home
from .simulator import sites


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("created", type=datetime.fromisoformat)
    options = parser.parse_args()
    asyncio.run(_live(options.folder, options.created))
