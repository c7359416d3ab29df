"""Prints what the integrations of a home require, as a requirements file.

Home Assistant would install these at the first start; `scripts/setup` does it
earlier, so that every start is quick and needs no network.
"""

import json
from pathlib import Path
from typing import Any, Final

from homeassistant import components
from homeassistant.bootstrap import (
    CORE_INTEGRATIONS,
    DEFAULT_INTEGRATIONS,
    LOGGING_AND_HTTP_DEPS_INTEGRATIONS,
)

CORE: Final = Path(components.__path__[0])
CUSTOM: Final = Path(__file__).parents[2] / "custom_components"
CONFIGURED: Final = {"config", "energy", "history", "logbook", "recorder", "climkit"}
IMPORTED: Final = {"hassio"}
"""What others import without depending on it: analytics does."""
REPLACED: Final = {file.stem for file in Path(__file__).parent.glob("modules/*.py")}


def manifest(domain: str) -> dict[str, Any]:
    """Return the manifest of an integration, ours included; empty if unknown."""
    for root in (CUSTOM, CORE):
        file = root / domain / "manifest.json"
        if file.exists():
            content: dict[str, Any] = json.loads(file.read_text())
            return content
    return {}


def requirements() -> list[str]:
    """Return the requirements of everything a home loads, sorted, without repeats."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = {*CONFIGURED, *IMPORTED, *CORE_INTEGRATIONS, *DEFAULT_INTEGRATIONS}
    todo |= LOGGING_AND_HTTP_DEPS_INTEGRATIONS - {"sentry"}
    while todo:
        seen.add(domain := todo.pop())
        wanted = manifest(domain)
        found.update(wanted.get("requirements", ()))
        todo.update(set(wanted.get("dependencies", ())) - seen)
    return sorted(
        requirement
        for requirement in found
        if requirement.split("==")[0].replace("-", "_") not in REPLACED
    )


if __name__ == "__main__":
    print("\n".join(requirements()))
